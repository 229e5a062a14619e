"""What becomes of a row, by what is stored of its payment: each rule with what nearly falls under
it; and as an operator meets it, with files that are renamed, corrected, saved by a spreadsheet, of
another month, or sent with another account.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bulk.bulk_runs import (
    Bulk,
    PassDays,
    Senders,
    asked_once,
    change_state,
    in_days,
    keys_of,
    lose_answers,
    nothing_sent,
    referenced,
    refused,
    respond_to_creates,
    row,
    rows,
)
from tests.cases import cases_beside
from victor_ext import Victor, idempotency_key_for
from victor_ext.bulk.deciding import Act, Code, RowCase, RowDecision
from victor_ext.bulk.payments import (
    IN_DOUBT,
    LEFT_OUT,
    NEVER_LEFT,
    UNREADABLE,
    KeyOrigin,
    RequestedPayment,
    StoredPayment,
)
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow
INVOICES = KeyOrigin("invoice", "invoice_no")
ASKED = RequestedPayment(
    number=7,
    key="key of 1042",
    is_valid=True,
    values_digest="values",
    skeleton_digest="1042",
    reference_digest="",
    due_date="2026-03-04",
    row="encrypted",
)
STORED = StoredPayment(
    key=ASKED.key,
    entry=ASKED.key,
    batch="march",
    state="waiting",
    again=0,
    allowed=False,
    account="A",
    kind=INVOICES.text,
    values_digest="values",
    skeleton_digest="1042",
    due_date="2026-03-04",
    stored_at=0.0,
    row="encrypted",
    result=None,
    error=None,
    forgotten=False,
    stored="[0.0, null, true]",
    restored=False,
    is_live=False,
)
"""The payment of the row, as it may be stored."""
OTHER = STORED._replace(
    key="key of another",
    state="created",
    batch="february",
    skeleton_digest="2077",
    due_date="2026-02-04",
)
"""A payment with the same values, of another key, spelling and due date."""
DECISIONS = cases_beside(__file__, "decisions")
FAMILIES = {"in doubt": sorted(IN_DOUBT), "never left": sorted(NEVER_LEFT)}


class Case(NamedTuple):
    """What is asked, what is stored, and what becomes of it."""

    rule: str
    asked: RequestedPayment
    stored: StoredPayment | None
    alike: Sequence[StoredPayment]
    has_twin: bool
    act: Act
    code: Code | None
    again: int


def read_case(data: dict[str, Any], state: str) -> Case:
    """A case of `decisions.yaml`; this is the state that EACH stands for."""

    def payment(base: StoredPayment, changes: dict[str, Any]) -> StoredPayment:
        is_each = changes.get("state") == "EACH"
        return base._replace(**{**changes, "state": state} if is_each else changes)

    was = data.get("was")
    stored = None if was is None else payment(STORED, {"state": was, **data.get("stored", {})})
    code = data.get("code")
    return Case(
        f"{data['rule']} {state}".strip(),
        ASKED._replace(**DECISIONS["rows"][data.get("row", "as ever")]),
        stored,
        [payment(OTHER, changes) for changes in data.get("alike", [])],
        data.get("twin", False),
        Act[data["act"].upper()],
        None if code is None else Code(code),
        data.get("again", 0),
    )


def read_cases() -> Iterator[Case]:
    for data in DECISIONS["decisions"]:
        each = data.get("each", [""])
        for state in FAMILIES.get(each, each) if isinstance(each, str) else each:
            yield read_case(data, state)


CASES = list(read_cases())


def decided(
    asked: RequestedPayment,
    stored: StoredPayment | None,
    alike: Sequence[StoredPayment],
    *,
    has_twin: bool,
) -> RowDecision:
    case = RowCase(asked, stored, alike, has_twin, batch="march", account="A", origin=INVOICES)
    return case.decide()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_what_becomes_of_a_row(case: Case) -> None:
    decision = decided(case.asked, case.stored, case.alike, has_twin=case.has_twin)
    assert decision.act == case.act
    assert decision.code == case.code
    assert decision.again == case.again
    other = case.alike[-1] if case.code is Code.LOOKS_LIKE and case.alike else None
    assert decision.other == other
    is_restored = case.stored is not None and case.stored.restored
    assert (decision.since is not None) == (is_restored and case.act is not Act.KEEP)


def test_each_code_has_a_case() -> None:
    assert {case.code for case in CASES} == {None, *Code}


STATES = sorted({*NEVER_LEFT, *IN_DOUBT, "created", "rejected"})
DAYS = ["2026-03-03", "2026-03-04", "2026-03-06", None]
ORIGINS = [INVOICES, KeyOrigin("order", "invoice_no"), KeyOrigin("invoice", "other")]
KINDS = [origin.text for origin in ORIGINS]
PAYMENTS = st.builds(
    STORED._replace,
    state=st.sampled_from(STATES),
    again=st.integers(0, 2),
    allowed=st.booleans(),
    account=st.sampled_from("AB"),
    batch=st.sampled_from(["march", "april"]),
    values_digest=st.sampled_from(["values", "other values"]),
    skeleton_digest=st.sampled_from(["1042", "2077"]),
    due_date=st.sampled_from(DAYS),
    kind=st.sampled_from(KINDS),
)


@given(
    is_valid=st.booleans(),
    due_date=st.sampled_from([UNREADABLE, *DAYS]),
    stored=st.none() | PAYMENTS,
    alike=st.lists(PAYMENTS, max_size=3),
    has_twin=st.booleans(),
)
def test_nobody_is_asked_twice_by_any_decision(
    is_valid: bool,
    due_date: str | None,
    stored: StoredPayment | None,
    alike: list[StoredPayment],
    has_twin: bool,
) -> None:
    asked = ASKED._replace(is_valid=is_valid, due_date=due_date)
    others = [
        one._replace(key=f"other {number}", values_digest="values")
        for number, one in enumerate(alike)
        if one.state not in {"rejected", "refused", LEFT_OUT}
    ]
    decision = decided(asked, stored, others, has_twin=has_twin)
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
        has_same_values = stored is not None and stored.values_digest == "values"
        is_allowed = has_same_values and stored is not None and stored.allowed
        assert is_allowed or not has_twin
        if not (is_allowed or (has_same_values and before in {"waiting", "not_sent"})):
            for one in others:
                is_unsent = one.batch == "march" and one.state in NEVER_LEFT
                is_other = one.skeleton_digest != "1042" and one.due_date != due_date
                assert is_unsent or is_other


# As an operator meets it.


def written(numbers: Sequence[str], **changes: object) -> list[dict[str, str]]:
    """Rows with these keys, each of which asks something else."""
    return [
        row(place, invoice_no=number, amount=f"{place}.50", **changes)
        for place, number in enumerate(numbers, 1)
    ]


def asked_amounts(sandbox: Sandbox) -> list[str]:
    return sorted(str(request["amount"]) for request in sandbox.requests())


def test_months_are_told_apart_by_the_kind_of_their_keys(
    sender: Senders, victor_sandbox: Sandbox, pass_days: PassDays
) -> None:
    """A file that is keyed by customers."""
    column, october = "payer_counterparty_id", "subscription-2026-10"
    customers = [row(1, payer_counterparty_id=f"customer-{name}") for name in "abc"]
    sender.finish(customers, batch="october.csv", key_column=column, key_kind=october)
    # The same month again, in another file.
    again = sender.finish(customers, batch="copy.csv", key_column=column, key_kind=october)
    assert again.noticed == {"created_before": 3}
    # Without its kind, and a day later, it looks like what it is.
    assert sender(batch="copy 2.csv", key_column=column).send(customers).noticed == {
        "looks_like": 3
    }
    pass_days(30)
    november = [{**record, "due_date": in_days(30)} for record in customers]
    # The next month needs another kind, which its message says.
    same_kind = sender(batch="november.csv", key_column=column, key_kind=october).check(november)
    assert same_kind.noticed == {"due_later": 3}
    message = same_kind.notices[0].message
    assert "another key kind would ask for an invoice again" in message.lower()
    assert "only for the next month of keys that name payers" in message
    kind = "subscription-2026-11"
    next_kind = sender(batch="november.csv", key_column=column, key_kind=kind).check(november)
    assert next_kind.new == 3
    assert next_kind.changed == 0
    keys = (idempotency_key_for(october, f"customer-{name}") for name in "abc")
    asked_once(victor_sandbox, [], *keys)


def test_a_services_key_and_that_of_a_row_are_one_payment(
    sender: Senders, client: Victor, victor_sandbox: Sandbox
) -> None:
    """The provider answers the row with what the service asked."""
    key = idempotency_key_for("invoice", 1042)
    record = row(1, invoice_no="1042", client_reference_id="1042")
    arguments: dict[str, Any] = {**record}
    del arguments["invoice_no"], arguments["region"]
    made = client.payment_requests.create(**arguments, idempotency_key=key)
    sender.finish([record])
    assert sender.result().id == made.id
    assert len(victor_sandbox.requests()) == 1


def test_another_account_asks_nobody_again(
    sender: Senders, victor_sandbox: Sandbox, other_account: Victor
) -> None:
    """What was created is refused, and what may have been asked is only looked up."""
    records = referenced(3)
    sender(workers=1).send(records[:2])
    lose_answers(victor_sandbox, 2)
    assert sender(batch="april").send(records[2:]).exit_status == 3
    with nothing_sent(victor_sandbox):
        for batch in ("march", "april"):
            with refused("belongs to the account"):
                sender(victor=other_account, batch=batch).resume()
        status = sender(victor=other_account, batch="may").send(records)
    assert status.noticed == {"other_account": 2, "only_looked_up": 1}
    assert status.exit_status != 0
    assert "was asked with the account" in status.check.notices[0].message
    asked_once(victor_sandbox, records)


def test_what_may_have_been_asked_is_settled_with_the_values_of_then(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    lose_answers(victor_sandbox, 2)
    assert sender().send(rows(1)).exit_status == 3
    corrected = [row(1, amount="7.77")]
    status = sender(batch="april").send(corrected)
    assert status.noticed == {"settled_as_stored": 1}
    assert "It is settled with the values of then" in status.check.notices[0].message
    asked_once(victor_sandbox, rows(1))
    assert asked_amounts(victor_sandbox) == [row(1)["amount"]]
    # It is created now, and a person has to decide about the new amount.
    again = sender(batch="april").send(corrected)
    assert again.noticed == {"other_values": 1}
    assert again.exit_status == 1


def test_what_was_rejected_is_asked_as_corrected_under_its_next_key(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    first = idempotency_key_for("invoice", "INV-1")
    for number, amount in enumerate(("1.00", "2.00"), 1):
        respond_to_creates(victor_sandbox, 400, 1)
        record = row(1, amount=amount)
        assert sender(batch=f"file {number}").send([record]).counts == {"rejected": 1}
        # The same again, in the same file and in another one, is not asked.
        for batch in (f"file {number}", "copy"):
            again = sender(batch=batch).send([record])
            assert again.noticed == {"rejected_before": 1}
            assert again.exit_status == 1
    status = sender.finish([row(1, amount="3.00")], batch="file 3")
    assert status.noticed == {"corrected": 1}
    keys = [first, *(idempotency_key_for("again", first, number) for number in (1, 2))]
    assert victor_sandbox.attempts_by_key() == dict.fromkeys(keys, 1)
    assert asked_amounts(victor_sandbox) == ["3.00"]
    assert sender.result(batch="file 3").key == keys[-1]


def test_what_another_batch_leaves_out_is_said_to_be_left_out_in_every_batch_that_lists_it(
    bulk: Bulk, sender: Senders, victor_sandbox: Sandbox
) -> None:
    """Its file moved it there. `resume` never sends it, whichever batch it is of."""
    sender.store(rows(3), state=bulk.state)
    sender.store(rows(2), state=bulk.state, batch="april")
    sender.finish(rows(1), state=bulk.state, batch="april")
    # The third row is march's own, and is sent; the second one is not, and does not wait.
    ended = bulk("resume", "--batch", "march")
    assert ended.status == 1
    assert ended.out == "march: 3 rows: 2 created, 1 left out\n"
    assert "a file that has it does" in ended.err
    assert "drop" not in ended.err
    shown = bulk("status", "--batch", "march")
    assert shown.status == 1
    assert shown.out == ended.out
    status = bulk("status", "--batch", "march", "--json").json
    assert status["left_out"] == 1
    assert status["counts"] == {"created": 2, "refused": 1}
    (line,) = [line for line in bulk("export", "--batch", "march").table if line["error"]]
    assert line["invoice_no"] == "INV-2"
    assert line["outcome"] == "refused"
    assert line["error"] == (
        "It is left out: the latest file of april lacks it. A file that has it sends it."
    )
    asked_once(victor_sandbox, [row(1), row(3)])
    with refused("INV-2 is refused, and was not created: send a file"):
        sender(state=bulk.state).ask_again(["INV-2"], by="Ada", why="It is due.")
    # And so it is: the file of march has it.
    sender.finish(rows(3), state=bulk.state)
    asked_once(victor_sandbox, rows(3))


BEFORE = ["created", "rejected", "waiting", "nothing"]
FILES_AFTER: dict[str, dict[str, str]] = {
    "the same": {},
    "the same, after its day": {"due_date": in_days(-1)},
    "another amount": {"amount": "99.00"},
    "an amount that is none": {"amount": "none"},
    "another spelling": {"invoice_no": "inv-01"},
    "another due date": {"due_date": in_days(9)},
    "a due date that is none": {"due_date": "4 March"},
    "another row, too": {},
}


@pytest.mark.pull_request
@pytest.mark.parametrize("what", FILES_AFTER)
@pytest.mark.parametrize("was", BEFORE)
def test_a_dry_run_ends_as_sending_would(
    bulk: Bulk, sender: Senders, victor_sandbox: Sandbox, was: str, what: str
) -> None:
    """As far as that is decided before anything is sent."""
    first = sender(state=bulk.state, batch="first.csv")
    if was == "rejected":
        respond_to_creates(victor_sandbox, 400, 1)
    if was == "waiting":
        sender.store(rows(1), state=bulk.state, batch="first.csv")
    elif was != "nothing":
        assert first.send(rows(1)).counts == {was: 1}
    more = [row(2)] if what == "another row, too" else []
    bulk.write([row(1, **FILES_AFTER[what]), *more], "second.csv")
    # Each of the states, and each of the files, meets both options.
    skips = (BEFORE.index(was) + [*FILES_AFTER].index(what)) % 2
    options = ("--skip-invalid",) * skips
    dry = bulk.send("second.csv", *options, "--dry-run")
    sent = bulk.send("second.csv", *options)
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
        lose_answers(victor_sandbox, 2)
    assert sender().send(rows(1)).counts == {was: 1}
    first = 0 if days == 9 else -1
    due = in_days(first)
    change_state(tmp_path / "state.sqlite", f"UPDATE victor_bulk_asked SET due_date = '{due}'")
    later = [row(1, due_date=in_days(first + days))]
    check = sender(batch="april").check(later)
    assert check.noticed == {"due_later": 1}
    assert check.changed == 1
    status = sender(batch="april").send(later)
    assert status.counts == {"to_decide": 1}
    assert status.noticed == {"due_later": 1}
    assert status.exit_status == 1
    may = "may have been" if was == "unknown" else "was"
    assert f"INV-1 {may} asked for {due}." in status.notices[0].message
    asked_once(victor_sandbox, rows(1))


def test_who_is_told_of_another_key_kind_is_told_that_it_asks_again(
    bulk: Bulk, victor_sandbox: Sandbox
) -> None:
    """It tells payers' months apart. An invoice number is the same payment in every month."""
    assert bulk.send(rows(1)).status == 0
    change_state(
        bulk.folder / "victor-bulk.sqlite",
        f"UPDATE victor_bulk_asked SET due_date = '{in_days(-2)}'",
    )
    ended = bulk.send(rows(1))
    assert ended.status == 1
    warning = "Another --key-kind would ask for each invoice again"
    assert f"What is unpaid: 'victor bulk ask-again'. {warning}" in ended.err
    asked_once(victor_sandbox, rows(1))


def test_what_was_rejected_is_not_asked_again_because_its_day_has_come(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    """A person can: then the due date of the latest file is asked."""
    respond_to_creates(victor_sandbox, 400, 1)
    sender().send(rows(1))
    with nothing_sent(victor_sandbox):
        status = sender().send([row(1, due_date=in_days(1))])
        copy = sender(batch="copy").send(rows(1))
    assert status.noticed == {"rejected_before": 1}
    assert status.exit_status == 1
    assert "with another due date alone, it needs ask-again" in status.notices[0].message
    assert "ask-again" not in copy.notices[0].message
    sender.ask_again("INV-1")
    sender.finish()
    (made,) = victor_sandbox.requests()
    assert made["due_date"] == in_days(1)


@pytest.mark.parametrize(("column", "value"), [("amount", "0"), ("due_date", in_days(9))])
def test_what_was_rejected_and_is_wrong_now_is_named(
    bulk: Bulk, victor_sandbox: Sandbox, column: str, value: str
) -> None:
    respond_to_creates(victor_sandbox, 400, 1)
    assert bulk.send(rows(1)).status == 1
    bulk.write([row(1, **{column: value}), row(2)])
    # Set aside, it stays rejected: its key is spent.
    for option, status in (("--dry-run", 2), ("--workers=1", 2), ("--skip-invalid", 1)):
        assert victor_sandbox.requests() == []
        ended = bulk.send("invoices.csv", option)
        assert ended.status == status, ended
        assert f"line 2: {column}" in ended.err, ended
    assert bulk("status", "--json").json["counts"] == {"created": 1, "rejected": 1}
    ended = bulk("ask-again", "INV-1", "--by", "Ann", "--why", "It is due.")
    assert ended.status == 2, ended
    assert "not valid in the latest file" in ended.err, ended
    assert bulk.send([row(1, amount="3.00"), row(2)]).status == 0
    (first,) = keys_of(rows(1))
    asked_once(victor_sandbox, [row(2)], idempotency_key_for("again", first, 1))
