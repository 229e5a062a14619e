"""What becomes of a row, by what is stored of its payment: each rule with what nearly falls under
it; and as an operator meets it, with files that are renamed, corrected, saved by a spreadsheet, of
another month, or sent with another account.
"""

import pytest

from tests.bulk.bulk_runs import (
    asked_once,
    in_days,
    respond_to_creates,
    row,
    rows,
)
from tests.cases import cases_beside
from victor_ext import idempotency_key_for
from victor_ext.bulk._deciding import Code, decide
from victor_ext.bulk._payments import (
    IN_DOUBT,
    NEVER_LEFT,
    TO_BE_SENT,
    RequestedPayment,
    Sheet,
    StoredPayment,
)

pytestmark = pytest.mark.slow
DECISIONS = cases_beside(__file__, "decisions")
FAMILIES = {
    "in doubt": sorted(IN_DOUBT),
    "never left": sorted(NEVER_LEFT),
    "to be sent": sorted(TO_BE_SENT),
}


def each_decision():
    """The cases of `decisions.yaml`: with the states that EACH stands for."""
    for case in DECISIONS["decisions"]:
        each = case.get("each", [""])
        for state in FAMILIES[each] if isinstance(each, str) else each:
            yield pytest.param(case, state, id=" ".join(filter(None, [case["rule"], state])))


@pytest.mark.parametrize(("case", "each"), [*each_decision()])
def test_what_a_row_comes_to_follows_from_what_is_stored_of_its_payment(case, each):
    changed = DECISIONS["rows"][case.get("row", "as ever")]
    row = RequestedPayment(**{**DECISIONS["row"], **changed})
    stored = None
    if "was" in case or "stored" in case:
        state = each if case.get("was") == "EACH" else case.get("was")
        stored = StoredPayment(**{**DECISIONS["own"], "state": state, **case.get("stored", {})})
    is_being_sent = not case.get("said", False)
    verdict = decide(row, stored, Sheet(5, "march", is_being_sent=is_being_sent))
    in_doubt = "accepted" if each == "accepted" else "unknown"
    outcome = in_doubt if case["outcome"] == "DOUBT" else case["outcome"]
    assert (verdict.outcome, verdict.code) == (outcome, case.get("code"))
    assert (verdict.asks, verdict.again) == (case.get("asks", False), case.get("again", 0))
    assert verdict.is_invalid == case.get("invalid", False)
    assert (verdict.since is not None) == case.get("since", False)


def test_each_code_has_a_case():
    assert {case.get("code") for case in DECISIONS["decisions"]} == {None, *Code}


# As an operator meets it.


def asked_amounts(sandbox):
    return sorted(str(request["amount"]) for request in sandbox.requests())


def test_a_row_with_the_same_key_as_a_payment_of_a_service_is_the_same_payment(
    sender, client, victor_sandbox
):
    """The provider answers the row with what the service asked."""
    record = row(1, invoice_no="1042", client_reference_id="1042")
    arguments = {**record}
    del arguments["invoice_no"], arguments["region"]
    key = idempotency_key_for("invoice", 1042)
    made = client.payment_requests.create(**arguments, idempotency_key=key)
    sender.finish([record])
    assert sender.result().id == made.id
    assert len(victor_sandbox.requests()) == 1


def test_a_corrected_row_that_was_rejected_is_sent_under_its_next_key(sender, victor_sandbox):
    first = idempotency_key_for("invoice", "INV-1")
    for number, amount in enumerate(("1.00", "2.00"), 1):
        respond_to_creates(victor_sandbox, 400, 1)
        record = row(1, amount=amount)
        assert sender(batch=f"file {number}").send([record]).counts == {"rejected": 1}
        # The same again, in the same file and in another one, is not asked.
        for batch in (f"file {number}", "copy"):
            assert sender(batch=batch).send([record]).counts == {"rejected": 1}
    status = sender.finish([row(1, amount="3.00")], batch="file 3")
    assert status.noticed == {"corrected": 1}
    keys = [first, *(idempotency_key_for("again", first, number) for number in (1, 2))]
    assert victor_sandbox.attempts_by_key() == dict.fromkeys(keys, 1)
    assert asked_amounts(victor_sandbox) == ["3.00"]


def test_a_row_that_a_newer_sheet_of_another_batch_pulls_back_is_sent_by_no_resume(
    bulk, sender, victor_sandbox
):
    """Its own sheet asks for it once more if it is sent."""
    own = sender.of(state=bulk.state)
    own.store(rows(3))
    own.store(rows(2), batch="april")
    own.finish(rows(1), batch="april")
    decides = bulk("status", "--batch", "march")
    assert decides.out.startswith("march: 3 rows: 1 created, 1 to decide, 1 waiting")
    assert own().resume().counts == {"created": 2, "to_decide": 1}
    assert "send this one again" in own.results()["INV-2"].error
    asked_once(victor_sandbox, [row(1), row(3)])
    own.finish(rows(3))
    asked_once(victor_sandbox, rows(3))


BEFORE = ["created", "rejected", "waiting", "nothing"]
FILES_AFTER = {
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
def test_a_dry_run_ends_as_sending_would(bulk, sender, victor_sandbox, was, what):
    """As far as that is decided before anything is sent."""
    own = sender.of(state=bulk.state, batch="first.csv")
    if was == "rejected":
        respond_to_creates(victor_sandbox, 400, 1)
    if was == "waiting":
        own.store(rows(1))
    elif was != "nothing":
        assert own().send(rows(1)).counts == {was: 1}
    more = [row(2)] if what == "another row, too" else []
    bulk.write([row(1, **FILES_AFTER[what]), *more], "second.csv")
    # Each of the states, and each of the files, meets both options.
    skips = (BEFORE.index(was) + [*FILES_AFTER].index(what)) % 2
    options = ("--skip-invalid",) * skips
    dry = bulk.send("second.csv", *options, "--dry-run")
    assert dry.status == bulk.send("second.csv", *options).status, dry
