"""What becomes of a row, by what is stored of its payment: each rule with what nearly falls under
it; and as an operator meets it, with files that are renamed, corrected, saved by a spreadsheet, of
another month, or sent with another account.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bulk.bulk_runs import (
    KEY,
    Bulk,
    Senders,
    asked_once,
    change_state,
    keys_of,
    row,
    rows,
    store_only,
    today,
    write_csv,
)
from victor_ext import ConfigurationError, RetryPolicy, Victor, VictorOAuth, idempotency_key_for
from victor_ext.bulk import BulkStopped, RowOutcome
from victor_ext.bulk.deciding import Act, Code, Decision, decide, key_origin
from victor_ext.bulk.payments import (
    IN_DOUBT,
    LEFT_OUT,
    NEVER_LEFT,
    UNREADABLE,
    RequestedPayment,
    StoredPayment,
)
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow
INVOICES = key_origin("invoice", "invoice_no")
ASKED = RequestedPayment(
    number=7,
    key="key of 1042",
    is_valid=True,
    values_digest="values",
    spelling_digest="1042",
    reference_digest="",
    due_date="2026-03-04",
    row="encrypted",
)
STORED = StoredPayment(
    key=ASKED.key,
    batch="march",
    chunk=None,
    state="waiting",
    again=0,
    allowed=False,
    account="A",
    kind=INVOICES,
    values_digest="values",
    spelling_digest="1042",
    due_date="2026-03-04",
    stored_at=0.0,
    row="encrypted",
    sent=None,
    result=None,
    forgotten=False,
    stored="[0.0, null, true]",
    restored=False,
)
"""The payment of the row, as it may be stored."""
OTHER = STORED._replace(
    key="key of another",
    state="created",
    batch="february",
    spelling_digest="2077",
    due_date="2026-02-04",
)
"""A payment with the same values, of another key, spelling and due date."""


def of_state(state: str, **changes: Any) -> StoredPayment:
    return STORED._replace(state=state, **changes)


def other(**changes: Any) -> StoredPayment:
    return OTHER._replace(**changes)


class Case(NamedTuple):
    """What is stored, what is asked, and what becomes of it."""

    rule: str
    stored: StoredPayment | None
    act: Act
    code: Code | None = None
    asked: RequestedPayment = ASKED
    alike: Sequence[StoredPayment] = ()
    again: int = 0


INVALID = ASKED._replace(is_valid=False, due_date=None)
ANOTHER_AMOUNT = ASKED._replace(values_digest="other values")
A_DAY_LATER = ASKED._replace(due_date="2026-03-05")
TWO_DAYS_LATER = ASKED._replace(due_date="2026-03-06")
EARLIER = ASKED._replace(due_date="2026-01-01")
UNREADABLE_DAY = INVALID._replace(due_date=UNREADABLE)
TOO_FAR_AHEAD = INVALID._replace(due_date="2026-03-13")
ITS_DAY_HAS_PASSED = INVALID._replace(due_date="2026-03-04")
WITHOUT_DUE_DATE = ASKED._replace(due_date=None)
CASES = [
    # Nothing is stored.
    Case("nothing is stored: it is sent", None, Act.STORE),
    Case("it is not valid: it is set aside", None, Act.REFUSE, asked=INVALID),
    Case("another month's has another due date and key", None, Act.STORE, alike=[other()]),
    Case(
        "another one has its values and due date",
        None,
        Act.REFUSE,
        Code.LOOKS_LIKE,
        alike=[other(due_date="2026-03-04")],
    ),
    Case(
        "another one has its values, and neither has a due date",
        None,
        Act.STORE,
        None,
        asked=WITHOUT_DUE_DATE,
        alike=[other(due_date=None)],
    ),
    Case(
        "another one differs by spelling alone",
        None,
        Act.REFUSE,
        Code.LOOKS_LIKE,
        alike=[other(spelling_digest="1042")],
    ),
    Case(
        "another one's key was made of another column",
        None,
        Act.REFUSE,
        Code.LOOKS_LIKE,
        alike=[other(kind=key_origin("invoice", "client_reference_id"))],
    ),
    Case(
        "another one's key is of another kind, and its due date is a day off",
        None,
        Act.REFUSE,
        Code.LOOKS_LIKE,
        alike=[other(kind=key_origin("order", "invoice_no"), due_date="2026-03-03")],
    ),
    Case(
        "another month has another kind of key, and its due date",
        None,
        Act.STORE,
        alike=[
            other(
                kind=key_origin("subscription-2026-02", "invoice_no"),
                due_date="2026-02-04",
                spelling_digest="1042",
            )
        ],
    ),
    Case(
        "one of several others is taken for it",
        None,
        Act.REFUSE,
        Code.LOOKS_LIKE,
        alike=[other(), other(key="third", due_date="2026-03-04")],
    ),
    *(
        Case(
            f"another one may exist or will: {state}",
            None,
            Act.REFUSE,
            Code.LOOKS_LIKE,
            alike=[other(state=state, due_date="2026-03-04")],
        )
        for state in sorted(IN_DOUBT | {"waiting", "not_sent"})
    ),
    *(
        Case(
            f"another one of its own batch has not left: {state}",
            None,
            Act.STORE,
            alike=[other(state=state, due_date="2026-03-04", batch="march")],
        )
        for state in ("waiting", "not_sent")
    ),
    Case(
        "another one of its own batch was created",
        None,
        Act.REFUSE,
        Code.LOOKS_LIKE,
        alike=[other(due_date="2026-03-04", batch="march")],
    ),
    Case("it is no other one than itself", None, Act.STORE, alike=[other(key=ASKED.key)]),
    # Created.
    Case("created with these values", of_state("created"), Act.KEEP, Code.CREATED_BEFORE),
    Case(
        "created, and due a day later now",
        of_state("created"),
        Act.KEEP,
        Code.CREATED_BEFORE,
        asked=A_DAY_LATER,
    ),
    Case(
        "created, and due two days later now",
        of_state("created"),
        Act.KEEP,
        Code.DUE_LATER,
        asked=TWO_DAYS_LATER,
    ),
    Case(
        "created, and due earlier now",
        of_state("created"),
        Act.KEEP,
        Code.CREATED_BEFORE,
        asked=EARLIER,
    ),
    Case(
        "created, and one of both has no due date",
        of_state("created"),
        Act.KEEP,
        Code.CREATED_BEFORE,
        asked=WITHOUT_DUE_DATE,
    ),
    Case(
        "created, and due so late now that it cannot be sent",
        of_state("created"),
        Act.KEEP,
        Code.DUE_LATER,
        asked=TOO_FAR_AHEAD,
    ),
    Case(
        "created, and its due date has passed",
        of_state("created"),
        Act.KEEP,
        Code.CREATED_BEFORE,
        asked=ITS_DAY_HAS_PASSED,
    ),
    Case(
        "created, and the due date of now cannot be read",
        of_state("created"),
        Act.SKIP,
        Code.OTHER_VALUES,
        asked=UNREADABLE_DAY,
    ),
    Case(
        "created with other values",
        of_state("created"),
        Act.KEEP,
        Code.OTHER_VALUES,
        asked=ANOTHER_AMOUNT,
    ),
    Case(
        "created, and not valid any more",
        of_state("created"),
        Act.KEEP,
        Code.OTHER_VALUES,
        asked=INVALID._replace(values_digest="no values"),
    ),
    Case(
        "created with another account",
        of_state("created", account="B"),
        Act.KEEP,
        Code.OTHER_ACCOUNT,
    ),
    Case(
        "created with another account and other values",
        of_state("created", account="B"),
        Act.KEEP,
        Code.OTHER_ACCOUNT,
        asked=ANOTHER_AMOUNT,
    ),
    *(
        Case(
            f"{state}, and its due date is in no file now",
            of_state(state),
            Act.KEEP,
            code,
            asked=INVALID,
        )
        for state, code in (
            ("created", Code.CREATED_BEFORE),
            ("rejected", Code.REJECTED_BEFORE),
            ("unknown", None),
        )
    ),
    # In doubt.
    *(Case(f"{state}: it is settled", of_state(state), Act.KEEP) for state in sorted(IN_DOUBT)),
    *(
        Case(
            f"{state} with other values: it is settled with those",
            of_state(state),
            Act.KEEP,
            Code.SETTLED_AS_STORED,
            asked=ANOTHER_AMOUNT,
        )
        for state in sorted(IN_DOUBT)
    ),
    *(
        Case(
            f"{state} with another account: it is looked up",
            of_state(state, account="B"),
            Act.KEEP,
            Code.ONLY_LOOKED_UP,
        )
        for state in sorted(IN_DOUBT)
    ),
    *(
        Case(
            f"{state}, and due later now: {asked.is_valid}",
            of_state(state),
            Act.KEEP,
            Code.DUE_LATER,
            asked=asked,
        )
        for state in sorted(IN_DOUBT)
        for asked in (TWO_DAYS_LATER, TOO_FAR_AHEAD)
    ),
    *(
        Case(f"{state}, and due a day later now", of_state(state), Act.KEEP, asked=A_DAY_LATER)
        for state in sorted(IN_DOUBT)
    ),
    *(
        Case(
            f"{state}, and the due date of now cannot be read",
            of_state(state),
            Act.KEEP,
            Code.SETTLED_AS_STORED,
            asked=UNREADABLE_DAY,
        )
        for state in sorted(IN_DOUBT)
    ),
    # Rejected.
    Case("rejected with these values", of_state("rejected"), Act.KEEP, Code.REJECTED_BEFORE),
    Case(
        "rejected with other values: it is asked under its next key",
        of_state("rejected"),
        Act.STORE,
        Code.CORRECTED,
        asked=ANOTHER_AMOUNT,
        again=1,
    ),
    Case(
        "rejected twice",
        of_state("rejected", again=1),
        Act.STORE,
        Code.CORRECTED,
        asked=ANOTHER_AMOUNT,
        again=2,
    ),
    Case(
        "rejected with another due date",
        of_state("rejected", again=1),
        Act.KEEP,
        Code.REJECTED_BEFORE,
        asked=A_DAY_LATER,
        again=1,
    ),
    Case(
        "rejected, and its due date has passed",
        of_state("rejected"),
        Act.KEEP,
        Code.REJECTED_BEFORE,
        asked=ITS_DAY_HAS_PASSED,
    ),
    *(
        Case(
            f"rejected, and its due date of now cannot be sent: {asked.due_date}",
            of_state("rejected"),
            Act.SKIP,
            Code.REJECTED_BEFORE,
            asked=asked,
        )
        for asked in (UNREADABLE_DAY, TOO_FAR_AHEAD)
    ),
    Case(
        "rejected, and not valid now",
        of_state("rejected", again=1),
        Act.SKIP,
        Code.REJECTED_BEFORE,
        asked=INVALID._replace(values_digest="no values"),
        again=1,
    ),
    Case(
        "rejected, and corrected to what another one asked",
        of_state("rejected", again=1),
        Act.KEEP,
        Code.LOOKS_LIKE,
        asked=ANOTHER_AMOUNT,
        alike=[other(due_date="2026-03-04")],
        again=1,
    ),
    # Never left.
    Case("it waits as it is", of_state("waiting"), Act.STORE),
    Case(
        "it waits with other values",
        of_state("waiting"),
        Act.STORE,
        Code.REPLACED,
        asked=ANOTHER_AMOUNT,
    ),
    *(
        Case(
            f"{state} in another batch: it moves",
            of_state(state, batch="february"),
            Act.STORE,
            Code.REPLACED,
        )
        for state in sorted(NEVER_LEFT)
    ),
    Case("it waits, and is not valid now", of_state("waiting"), Act.REFUSE, asked=INVALID),
    Case(
        "it waits under a later key",
        of_state("waiting", again=2),
        Act.STORE,
        again=2,
    ),
    Case(
        "it was set aside under a later key",
        of_state("refused", again=2),
        Act.REFUSE,
        asked=INVALID,
        again=2,
    ),
    Case(
        "it waits, on purpose, beside another one that asks as much",
        of_state("waiting"),
        Act.STORE,
        alike=[other(due_date="2026-03-04")],
    ),
    Case(
        "it waits, and now asks what another one asked",
        of_state("waiting"),
        Act.REFUSE,
        Code.LOOKS_LIKE,
        asked=ANOTHER_AMOUNT,
        alike=[other(due_date="2026-03-04")],
    ),
    *(
        Case(
            f"{state} is not sent beside another one that asked as much",
            of_state(state),
            Act.REFUSE,
            Code.LOOKS_LIKE,
            alike=[other(due_date="2026-03-04")],
        )
        for state in ("refused", LEFT_OUT)
    ),
    Case(
        "a person has allowed it",
        of_state("not_sent", allowed=True),
        Act.STORE,
        alike=[other(due_date="2026-03-04")],
    ),
    Case(
        "a person has allowed it with other values",
        of_state("refused", allowed=True),
        Act.REFUSE,
        Code.LOOKS_LIKE,
        asked=ANOTHER_AMOUNT,
        alike=[other(due_date="2026-03-04")],
    ),
    # Restored: it may have been asked since the backup.
    *(
        Case(
            f"{state} in a restored state: it is looked up",
            of_state(state, restored=True),
            Act.STORE,
            Code.ASKED_SINCE,
            asked=ANOTHER_AMOUNT,
            again=again,
        )
        for state, again in (*((each, 0) for each in sorted(NEVER_LEFT)), ("rejected", 1))
    ),
    Case(
        "refused in a restored state, and not valid now",
        of_state("refused", restored=True),
        Act.REFUSE,
        asked=INVALID,
    ),
    Case(
        "rejected in a restored state with these values",
        of_state("rejected", restored=True),
        Act.KEEP,
        Code.REJECTED_BEFORE,
    ),
]


def decided(
    asked: RequestedPayment, stored: StoredPayment | None, alike: Sequence[StoredPayment]
) -> Decision:
    return decide(asked, stored, list(alike), batch="march", account="A", key_origin=INVOICES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_what_becomes_of_a_row(case: Case) -> None:
    decision = decided(case.asked, case.stored, case.alike)
    assert (decision.act, decision.code, decision.again) == (case.act, case.code, case.again)
    assert (decision.other is not None) == (case.code is Code.LOOKS_LIKE)
    is_restored = case.stored is not None and case.stored.restored
    assert (decision.since is not None) == (is_restored and case.act is not Act.KEEP)
    if decision.other is not None:
        assert decision.other == case.alike[-1]


def test_each_code_has_a_case() -> None:
    assert {case.code for case in CASES} == {None, *Code}


STATES = sorted({*NEVER_LEFT, *IN_DOUBT, "created", "rejected"})
DAYS_OF_ROWS = st.sampled_from(["2026-03-03", "2026-03-04", "2026-03-06", UNREADABLE, None])
DAYS = st.sampled_from(["2026-03-03", "2026-03-04", "2026-03-06", None])
PAYMENTS = st.builds(
    lambda state, again, allowed, account, batch, values, spelling, due, kind: STORED._replace(
        state=state,
        again=again,
        allowed=allowed,
        account=account,
        batch=batch,
        values_digest=values,
        spelling_digest=spelling,
        due_date=due,
        kind=kind,
    ),
    st.sampled_from(STATES),
    st.integers(0, 2),
    st.booleans(),
    st.sampled_from("AB"),
    st.sampled_from(["march", "april"]),
    st.sampled_from(["values", "other values"]),
    st.sampled_from(["1042", "2077"]),
    DAYS,
    st.sampled_from([INVOICES, key_origin("order", "invoice_no"), key_origin("invoice", "other")]),
)


@given(
    is_valid=st.booleans(),
    due_date=DAYS_OF_ROWS,
    stored=st.none() | PAYMENTS,
    alike=st.lists(PAYMENTS, max_size=3),
)
def test_nobody_is_asked_twice_by_any_decision(
    is_valid: bool, due_date: str | None, stored: StoredPayment | None, alike: list[StoredPayment]
) -> None:
    asked = ASKED._replace(is_valid=is_valid, due_date=due_date)
    others = [
        one._replace(key=f"other {number}", values_digest="values")
        for number, one in enumerate(alike)
        if one.state not in {"rejected", "refused", LEFT_OUT}
    ]
    decision = decided(asked, stored, others)
    before = None if stored is None else stored.state
    if decision.act in (Act.STORE, Act.REFUSE):
        assert before is None or before in NEVER_LEFT or before == "rejected"
    if decision.act is Act.REFUSE:
        assert before != "rejected", "its spent key would be forgotten"
    if decision.act is Act.STORE:
        assert is_valid
        # A key is used once more only if nothing was sent with it.
        spent = 0 if stored is None else stored.again + (before == "rejected")
        assert decision.again == spent
        is_meant = stored is not None and (stored.allowed or before in {"waiting", "not_sent"})
        if not (is_meant and stored is not None and stored.values_digest == "values"):
            for one in others:
                is_unsent = one.batch == "march" and one.state in NEVER_LEFT
                assert is_unsent or one.due_date != due_date


# As an operator meets it.


def written(numbers: Sequence[str], **changes: object) -> list[dict[str, str]]:
    """Rows with these keys, each of which asks something else."""
    return [
        row(place, invoice_no=number, amount=f"{place}.50", **changes)
        for place, number in enumerate(numbers, 1)
    ]


def asked_amounts(sandbox: Sandbox) -> list[str]:
    return sorted(str(request["amount"]) for request in sandbox.requests())


def test_a_file_that_was_corrected_after_a_failed_start_is_what_counts(
    sender: Senders, victor_sandbox: Sandbox, oauth_client: tuple[str, str]
) -> None:
    """New amounts are asked, and what it does not have any more is not asked at all."""
    auth = VictorOAuth(oauth_client[0], "another secret")
    with (
        Victor(auth, base_url=victor_sandbox.url, retry=RetryPolicy(base=0.0)) as stranger,
        pytest.raises(BulkStopped),
    ):
        sender(victor=stranger).send(written(["1", "2", "3", "4"]))
    corrected = [row(1, invoice_no="1", amount="100.00"), *written(["1", "2", "5"])[1:]]
    status = sender().send(corrected)
    assert (status.exit_status, dict(status.counts)) == (0, {RowOutcome.CREATED: 3})
    assert status.noticed[Code.REPLACED] == 1
    assert status.check is not None and status.check.left_out == 2
    assert sender().resume().exit_status == 0
    asked_once(victor_sandbox, keys_of(corrected))
    assert asked_amounts(victor_sandbox) == ["100.00", "2.50", "3.50"]
    assert [result.extras["invoice_no"] for result in sender().export()] == ["1", "2", "5"]
    # A file that has what was left out sends it.
    assert sender(batch="april").send(written(["1", "2", "3", "4"])[2:]).exit_status == 1
    assert asked_amounts(victor_sandbox) == ["100.00", "2.50", "3.50", "4.50"]


def test_a_renamed_file_that_was_corrected_asks_only_for_what_is_new(
    bulk: Bulk, victor_sandbox: Sandbox
) -> None:
    """As a spreadsheet saves it: `invoices (2).csv`."""
    records = written([f"INV-{number}" for number in range(1, 41)])
    key = ("--key-column", "invoice_no")
    first = bulk.write(records)
    assert bulk("send", first.name, *key).status == 0
    corrected = [{**records[0], "amount": "99.00"}, *records[1:], row(41, invoice_no="INV-41")]
    second = bulk.write(corrected, "invoices (2).csv")
    ended = bulk("send", second.name, *key)
    assert ended.status == 1
    assert "INV-1 was asked on" in ended.err + ended.out
    asked_once(victor_sandbox, keys_of(corrected))
    assert "99.00" not in asked_amounts(victor_sandbox)
    assert len(victor_sandbox.requests()) == 41


def test_what_a_spreadsheet_does_to_keys_asks_nobody_again(
    sender: Senders, victor_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it a day later, with the due dates of then."""
    numbers = ["1042", "0043", "Inv-7", "12-003"]
    saved = ["1042.0", "43", "INV-7", "12-3"]
    wide = ["\uff11\uff10\uff14\uff12", "00043.00", "inv-07", "0012-03"]
    sender().send(written(numbers))
    for days, keys in enumerate((saved, wide)):
        later = timedelta(days=days)
        with monkeypatch.context() as patched:
            patched.setattr("victor_ext.zulu.now", lambda later=later: datetime.now(UTC) + later)
            due = (today() + later).isoformat()
            status = sender(batch=f"saved {days}").send(written(keys, due_date=due))
        assert (dict(status.noticed), status.exit_status) == ({Code.LOOKS_LIKE: 4}, 1)
        message = status.check.notices[0].message
        assert f"{keys[0]} asks what 1042 asked (march, " in message
    asked_once(victor_sandbox, keys_of(written(numbers)))
    assert len(victor_sandbox.requests()) == 4


def test_other_numbers_are_other_payments(sender: Senders, victor_sandbox: Sandbox) -> None:
    """With other amounts, or with the same ones and another day."""
    sender().send(written(["1042", "1043"]))
    tomorrow = (today() + timedelta(days=1)).isoformat()
    instalment = row(1, invoice_no="1042-2", amount="0.75")
    another_day = written(["10420", "2043"], due_date=tomorrow)
    assert sender(batch="april").send([instalment, *another_day]).exit_status == 0
    asked_once(victor_sandbox, keys_of([*written(["1042", "1043"]), instalment, *another_day]))


def test_months_are_told_apart_by_the_kind_of_their_keys(
    sender: Senders, victor_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is keyed by customers."""
    customers = [row(1, payer_counterparty_id=f"customer-{name}") for name in "abc"]
    monthly = {"key_column": "payer_counterparty_id"}
    first = sender(batch="october.csv", key_kind="subscription-2026-10", **monthly).send(customers)
    assert first.exit_status == 0
    # The same month again, in another file.
    again = sender(batch="copy.csv", key_kind="subscription-2026-10", **monthly).send(customers)
    assert (again.exit_status, dict(again.noticed)) == (0, {Code.CREATED_BEFORE: 3})
    # Without its kind, and a day later, it looks like what it is.
    without = sender(batch="copy 2.csv", **monthly).send(customers)
    assert dict(without.noticed) == {Code.LOOKS_LIKE: 3}
    later = timedelta(days=30)
    monkeypatch.setattr("victor_ext.zulu.now", lambda: datetime.now(UTC) + later)
    due = (today() + later).isoformat()
    november = [{**record, "due_date": due} for record in customers]
    # The next month needs another kind, which its message says.
    same_kind = sender(batch="november.csv", key_kind="subscription-2026-10", **monthly)
    asked = same_kind.check(november)
    assert dict(asked.noticed) == {Code.DUE_LATER: 3}
    assert "A new month needs another key kind" in asked.notices[0].message
    next_kind = sender(batch="november.csv", key_kind="subscription-2026-11", **monthly)
    assert (next_kind.check(november).new, next_kind.check(november).changed) == (3, 0)
    assert len(victor_sandbox.requests()) == 3
    expected = {idempotency_key_for("subscription-2026-10", f"customer-{name}") for name in "abc"}
    assert set(victor_sandbox.work_done_by_key()) == expected


def test_a_services_key_and_that_of_a_row_are_one_payment(
    sender: Senders, client: Victor, victor_sandbox: Sandbox
) -> None:
    """The provider answers the row with what the service asked."""
    key = idempotency_key_for("invoice", 1042)
    record = row(1, invoice_no="1042", client_reference_id="1042")
    arguments: dict[str, Any] = {
        name: value for name, value in record.items() if name not in ("invoice_no", "region")
    }
    made = client.payment_requests.create(**arguments, idempotency_key=key)
    assert sender().send([record]).exit_status == 0
    assert [result.id for result in sender().export()] == [made.id]
    assert len(victor_sandbox.requests()) == 1


def test_another_account_asks_nobody_again(
    sender: Senders, victor_sandbox: Sandbox, oauth_client: tuple[str, str]
) -> None:
    """What was created is refused, and what may have been asked is only looked up."""
    records = [row(number, client_reference_id=f"Ref {number}") for number in (1, 2, 3)]
    sender(workers=1).send(records[:2])
    victor_sandbox.inject("lose_answer", operation="create", times=2)
    assert sender(batch="april").send(records[2:]).exit_status == 3
    attempts = victor_sandbox.attempts_by_key()
    auth = VictorOAuth(*victor_sandbox.add_oauth_client())
    with Victor(auth, base_url=victor_sandbox.url, retry=RetryPolicy(base=0.0)) as another:
        for batch in ("march", "april"):
            with pytest.raises(ConfigurationError, match="belongs to the account"):
                sender(victor=another, batch=batch).resume()
        status = sender(victor=another, batch="may").send(records)
        assert dict(status.noticed) == {Code.OTHER_ACCOUNT: 2, Code.ONLY_LOOKED_UP: 1}
        assert status.exit_status != 0
        assert "was asked with the account" in status.check.notices[0].message
    assert victor_sandbox.attempts_by_key() == attempts
    asked_once(victor_sandbox, keys_of(records))


def test_what_may_have_been_asked_is_settled_with_the_values_of_then(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    victor_sandbox.inject("lose_answer", operation="create", times=2)
    assert sender().send(rows(1)).exit_status == 3
    corrected = row(1, amount="7.77")
    status = sender(batch="april").send([corrected])
    assert dict(status.noticed) == {Code.SETTLED_AS_STORED: 1}
    assert "It is settled with the values of then" in status.check.notices[0].message
    asked_once(victor_sandbox, keys_of(rows(1)))
    assert asked_amounts(victor_sandbox) == [rows(1)[0]["amount"]]
    # It is created now, and a person has to decide about the new amount.
    again = sender(batch="april").send([corrected])
    assert (dict(again.noticed), again.exit_status) == ({Code.OTHER_VALUES: 1}, 1)


def test_what_was_rejected_is_asked_as_corrected_under_its_next_key(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    first = idempotency_key_for("invoice", "INV-1")
    for number, amount in enumerate(("1.00", "2.00"), 1):
        victor_sandbox.inject("status", operation="create", status=400, times=1)
        record = row(1, amount=amount)
        status = sender(batch=f"file {number}").send([record])
        assert dict(status.counts) == {RowOutcome.REJECTED: 1}
        # The same again, in the same file and in another one, is not asked.
        for batch in (f"file {number}", "copy"):
            again = sender(batch=batch).send([record])
            assert (dict(again.noticed), again.exit_status) == ({Code.REJECTED_BEFORE: 1}, 1)
    status = sender(batch="file 3").send([row(1, amount="3.00")])
    assert (dict(status.noticed), status.exit_status) == ({Code.CORRECTED: 1}, 0)
    keys = [first, *(idempotency_key_for("again", first, number) for number in (1, 2))]
    assert victor_sandbox.attempts_by_key() == dict.fromkeys(keys, 1)
    assert asked_amounts(victor_sandbox) == ["3.00"]
    assert [result.key for result in sender(batch="file 3").export()] == [keys[-1]]


@pytest.mark.parametrize("secret", ["VICTOR_BULK_KEY", "VICTOR_CLIENT_SECRET"])
def test_a_rotated_secret_stops_a_send(
    bulk: Bulk, victor_sandbox: Sandbox, tmp_path: Path, secret: str
) -> None:
    """Whatever the file is called, and whichever secret the state was made with."""
    kept = {"VICTOR_BULK_KEY": ""} if secret == "VICTOR_CLIENT_SECRET" else {}
    key = ("--key-column", "invoice_no")
    file = bulk.write(rows(3))
    assert bulk("send", file.name, *key, **kept).status == 0
    renamed = bulk.write(rows(4), "invoices (2).csv")
    for name in (file.name, renamed.name):
        ended = bulk("send", name, *key, **{**kept, secret: "a rotated secret, of some length"})
        assert (ended.status, "written with another key" in ended.err) == (2, True), ended
    for word in ("status", "resume", "drop"):
        ended = bulk(word, "--batch", file.name, **{**kept, secret: "a rotated secret, of length"})
        assert (ended.status, "written with another key" in ended.err) == (2, True), ended
    asked_once(victor_sandbox, keys_of(rows(3)))
    assert len(victor_sandbox.requests()) == 3


def test_two_files_with_rows_in_common_ask_for_each_row_once(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    """Merged and cut files. What waits goes with the file that came last."""
    store_only(sender(batch="all.csv"), rows(6))
    half = write_csv(tmp_path / "half.csv", rows(3))
    assert sender(batch=None).send(half).exit_status == 0
    assert set(victor_sandbox.work_done_by_key()) == keys_of(rows(3))
    assert sender(batch="all.csv").resume().exit_status == 0
    asked_once(victor_sandbox, keys_of(rows(6)))
    assert sender(batch="merged").send([*rows(6), row(7)]).exit_status == 0
    assert len(victor_sandbox.requests()) == 7


def test_what_another_batch_leaves_out_is_said_to_be_left_out_in_every_batch_that_lists_it(
    bulk: Bulk, sender: Senders, victor_sandbox: Sandbox
) -> None:
    """Its file moved it there. `resume` never sends it, whichever batch it is of."""
    state = f"sqlite:///{bulk.folder}/victor-bulk.sqlite"
    store_only(sender(state=state, batch="march"), rows(3))
    store_only(sender(state=state, batch="april"), rows(2))
    assert sender(state=state, batch="april").send(rows(1)).exit_status == 0
    # The third row is march's own, and is sent; the second one is not, and does not wait.
    ended = bulk("resume", "--batch", "march")
    assert (ended.status, ended.out) == (1, "march: 3 rows: 2 created, 1 left out\n")
    assert "a file that has it does" in ended.err
    assert "drop" not in ended.err
    shown = bulk("status", "--batch", "march")
    assert (shown.status, shown.out) == (1, ended.out)
    status = json.loads(bulk("status", "--batch", "march", "--json").out)
    assert (status["left_out"], status["counts"]) == (1, {"created": 2, "refused": 1})
    (line,) = [line for line in bulk("export", "--batch", "march").table if line["error"]]
    assert (line["invoice_no"], line["outcome"]) == ("INV-2", "refused")
    assert line["error"] == (
        "It is left out: the latest file of april lacks it. A file that has it sends it."
    )
    asked_once(victor_sandbox, keys_of([row(1), row(3)]))
    with pytest.raises(
        ConfigurationError, match="INV-2 is refused, and was not created: send a file"
    ):
        sender(state=state, batch="march").ask_again(["INV-2"], by="Ada", why="It is due.")
    # And so it is: the file of march has it.
    assert sender(state=state, batch="march").send(rows(3)).exit_status == 0
    asked_once(victor_sandbox, keys_of(rows(3)))
    assert len(victor_sandbox.requests()) == 3


def yesterdays() -> str:
    return (today() - timedelta(days=1)).isoformat()


FILES_AFTER: dict[str, Callable[[dict[str, str]], list[dict[str, str]]]] = {
    "the same": lambda record: [record],
    "the same, after its day": lambda record: [{**record, "due_date": yesterdays()}],
    "another amount": lambda record: [{**record, "amount": "99.00"}],
    "an amount that is none": lambda record: [{**record, "amount": "none"}],
    "another spelling": lambda record: [{**record, "invoice_no": "inv-01"}],
    "another due date": lambda record: [
        {**record, "due_date": (today() + timedelta(days=9)).isoformat()}
    ],
    "a due date that is none": lambda record: [{**record, "due_date": "4 March"}],
    "another row, too": lambda record: [record, row(2)],
}


@pytest.mark.pull_request
@pytest.mark.parametrize("what", FILES_AFTER)
@pytest.mark.parametrize("was", ["created", "rejected", "waiting", "nothing"])
@pytest.mark.parametrize("options", [(), ("--skip-invalid",)])
def test_a_dry_run_ends_as_sending_would(
    bulk: Bulk, sender: Senders, victor_sandbox: Sandbox, was: str, what: str, options: Any
) -> None:
    """As far as that is decided before anything is sent."""
    words = ("send", "second.csv", *KEY, *options)
    first = sender(state=f"sqlite:///{bulk.folder}/victor-bulk.sqlite", batch="first.csv")
    if was == "rejected":
        victor_sandbox.inject("status", operation="create", status=400, times=1)
    if was == "waiting":
        store_only(first, rows(1))
    elif was != "nothing":
        assert dict(first.send(rows(1)).counts) == {was: 1}
    bulk.write(FILES_AFTER[what](row(1)), "second.csv")
    dry = bulk(*words, "--dry-run")
    sent = bulk(*words)
    assert dry.status == sent.status, (dry, sent)


@pytest.mark.parametrize("was", ["created", "unknown"])
@pytest.mark.parametrize("days", [2, 9])
def test_a_file_that_is_due_later_is_not_counted_as_created(
    sender: Senders, victor_sandbox: Sandbox, was: str, days: int, tmp_path: Path
) -> None:
    """Whether or not such a due date can be sent today, and whether or not the first file's rows
    are settled.
    """
    if was == "unknown":
        victor_sandbox.inject("lose_answer", operation="create", times=2)
    assert dict(sender().send(rows(1)).counts) == {was: 1}
    due = today() if days == 9 else today() - timedelta(days=1)
    change_state(tmp_path / "state.sqlite", f"UPDATE victor_bulk_payments SET due_date = '{due}'")
    later = row(1, due_date=due + timedelta(days=days))
    check = sender(batch="april").check([later])
    assert (dict(check.noticed), check.changed) == ({Code.DUE_LATER: 1}, 1)
    status = sender(batch="april").send([later])
    assert (dict(status.counts), dict(status.noticed)) == ({"created": 1}, {Code.DUE_LATER: 1})
    assert status.exit_status == 1
    may = "may have been" if was == "unknown" else "was"
    assert f"INV-1 {may} asked for {due}." in status.notices[0].message
    asked_once(victor_sandbox, keys_of(rows(1)))


@pytest.mark.parametrize("skips", [False, True])
def test_a_due_date_that_cannot_be_read_is_not_counted_as_created(
    bulk: Bulk, victor_sandbox: Sandbox, skips: bool
) -> None:
    """It may be the next month's."""
    options = ("--skip-invalid",) if skips else ()
    assert bulk("send", bulk.write(rows(1)).name, *KEY).status == 0
    file = bulk.write([row(1, due_date="04.12.2026")], "april.csv")
    ended = bulk("send", file.name, *KEY, *options)
    assert (ended.status, "line 2: due_date" in ended.err) == (1 if skips else 2, True), ended
    asked_once(victor_sandbox, keys_of(rows(1)))


def test_what_was_rejected_is_not_asked_again_because_its_day_has_come(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    """A person can: then the due date of the latest file is asked."""
    victor_sandbox.inject("status", operation="create", status=400, times=1)
    sender().send(rows(1))
    tomorrow = (today() + timedelta(days=1)).isoformat()
    later = row(1, due_date=tomorrow)
    attempts = victor_sandbox.attempts_by_key()
    status = sender().send([later])
    assert (dict(status.noticed), status.exit_status) == ({Code.REJECTED_BEFORE: 1}, 1)
    assert "with another due date alone, it needs ask-again" in status.notices[0].message
    assert "ask-again" not in sender(batch="copy").send(rows(1)).notices[0].message
    assert victor_sandbox.attempts_by_key() == attempts
    assert sender().ask_again(["INV-1"], by="Ann", why="Its day was refused.") == 1
    assert sender().resume().exit_status == 0
    (made,) = victor_sandbox.requests()
    assert made["due_date"] == tomorrow


@pytest.mark.parametrize(
    "wrong", [{"amount": "0"}, {"due_date": (today() + timedelta(days=9)).isoformat()}]
)
def test_what_was_rejected_and_is_wrong_now_is_named(
    bulk: Bulk, victor_sandbox: Sandbox, wrong: dict[str, str]
) -> None:
    victor_sandbox.inject("status", operation="create", status=400, times=1)
    assert bulk("send", bulk.write(rows(1)).name, *KEY).status == 1
    file = bulk.write([row(1, **wrong), row(2)])
    (column,) = wrong
    for options in (("--dry-run",), ()):
        ended = bulk("send", file.name, *KEY, *options)
        assert (ended.status, f"line 2: {column}" in ended.err) == (2, True), ended
    assert victor_sandbox.requests() == []
    # Set aside, it stays rejected: its key is spent.
    ended = bulk("send", file.name, *KEY, "--skip-invalid")
    assert (ended.status, f"line 2: {column}" in ended.err) == (1, True), ended
    assert bulk("status", "--json").json["counts"] == {"created": 1, "rejected": 1}
    ended = bulk("ask-again", "INV-1", "--by", "Ann", "--why", "It is due.")
    assert (ended.status, "not valid in the latest file" in ended.err) == (2, True), ended
    assert bulk("send", bulk.write([row(1, amount="3.00"), row(2)]).name, *KEY).status == 0
    first = idempotency_key_for("invoice", "INV-1")
    assert victor_sandbox.work_done_by_key()[idempotency_key_for("again", first, 1)] == 1
