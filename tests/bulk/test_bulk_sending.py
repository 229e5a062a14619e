"""Batches in this process, against the sandbox: what is sent, what is not, and what is said of each
row.
"""

import csv
import json
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest

from tests.bulk.bulk_runs import (
    Senders,
    asked_once,
    change_state,
    keys_of,
    outbound,
    row,
    rows,
    store_only,
    today,
    write_csv,
)
from tests.cases import cases_beside
from victor_ext import ConfigurationError, RetryPolicy, Victor, VictorOAuth, idempotency_key_for
from victor_ext.bulk import (
    BulkStopped,
    InvalidRows,
    RowOutcome,
    RowResult,
    layout,
    take_over,
    worker,
)
from victor_ext.bulk.deciding import Code
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow


def outcomes(sender: Any) -> list[tuple[int, RowOutcome]]:
    return [(result.row, result.outcome) for result in sender.export()]


def by_row(sender: Any) -> dict[int, RowResult]:
    found = list(sender.export())
    assert len({result.key for result in found}) == len(found)
    return {result.row: result for result in found}


def noticed(check: Any, *codes: Code) -> list[tuple[int, Code, str]]:
    """Line, code and key value of each notice, of these codes."""
    return [
        (notice.line, notice.code, notice.key_value)
        for notice in check.notices
        if notice.code in codes
    ]


def created(victor_sandbox: Sandbox) -> int:
    return sum(victor_sandbox.work_done_by_key().values())


def test_every_row_is_sent_once_and_exported_with_its_other_columns(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    records = [row(number, region=f"r{number}", status="mine") for number in range(1, 251)]
    file = write_csv(tmp_path / "invoices.csv", records)
    status = sender(batch=None).send(file)
    assert (status.rows, dict(status.counts), status.exit_status) == (
        250,
        {RowOutcome.CREATED: 250},
        0,
    )
    assert status.over
    asked_once(victor_sandbox, keys_of(records))

    output = tmp_path / "results.csv"
    with output.open("w", encoding="utf-8", newline="") as results:
        assert sender(batch="invoices.csv").export_csv(results) == 250
    lines = output.read_text("utf-8").splitlines()
    assert lines[0] == (
        "row,key,id,status,outcome,error,invoice_no,region,file_status,"
        "amount,payer_counterparty_id,due_date,client_reference_id"
    )
    request = outbound(victor_sandbox)[0]
    first = next(line for line in lines if request["id"] in line)
    number = int(first.split(",")[0])
    key = idempotency_key_for("invoice", f"INV-{number}")
    asked_for = f"{number % 900 + 1}.23,aHeq349838,{row(1)['due_date']},"
    result = f"{number},{key},{request['id']},created,created,,INV-{number}"
    assert first == f"{result},r{number},mine,{asked_for}"


@pytest.mark.pull_request
def test_the_export_says_what_was_asked_of_whom(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    """Without a key column, the reference is the key."""
    first_row = row(
        1, client_reference_id="ref 1", amount="7.5", due_date="today", region="Gr\u00fc\u00dfe"
    )
    sender(key_column=None, skip_invalid=True).send(
        [first_row, row(2, client_reference_id="ref 2", amount="-1")]
    )
    asked_once(victor_sandbox, keys_of([first_row], "client_reference_id"))
    first, second = sender(key_column=None).export()
    day = row(1)["due_date"]
    asked_for = {
        "amount": "7.5",
        "payer_counterparty_id": "aHeq349838",
        "client_reference_id": "ref 1",
    }
    assert (first.asked, second.asked) == ({**asked_for, "due_date": day}, {})
    output = tmp_path / "results.csv"
    with output.open("w", encoding="utf-8", newline="") as results:
        sender().export_csv(results)
    with output.open(encoding="utf-8", newline="") as results:
        lines = list(csv.DictReader(results, strict=True))
    assert [*lines[0]].count("client_reference_id") == 1
    assert [(line["client_reference_id"], line["due_date"]) for line in lines] == [
        ("ref 1", day),
        ("ref 2", ""),
    ]
    # A file that cannot hold a letter is no failure of the state.
    with output.open("w", encoding="ascii") as results, pytest.raises(UnicodeEncodeError):
        sender().export_csv(results)


@pytest.mark.pull_request
def test_other_values_of_a_json_document_are_exported_as_they_were(
    sender: Senders, tmp_path: Path
) -> None:
    document = '{"a": [1.10, 2e5, true, null, "7"], "b": {}}'
    file = tmp_path / "odd.jsonl"
    file.write_text(
        json.dumps({**row(1), "region": 0}).replace('"region": 0', f'"region": {document}'), "utf-8"
    )
    assert sender().send(file).exit_status == 0
    assert next(iter(sender().export())).extras["region"] == document


def test_what_is_sent_is_what_the_file_says(sender: Senders, victor_sandbox: Sandbox) -> None:
    record = row(
        1,
        payee_account_number="0000123",
        amount="7",
        notes=" two\nlines ",
        ultimate_creditor="Acme Inc.",
        amount_modification_allowed="TRUE",
        client_reference_id="ref 1",
    )
    assert sender().send([record]).exit_status == 0
    (request,) = outbound(victor_sandbox)
    assert (request["payee_account"], request["amount"], request["notes"]) == (
        "0000123",
        "7",
        " two\nlines ",
    )
    assert (request["ultimate_creditor"], request["amount_modification_allowed"]) == (
        "Acme Inc.",
        True,
    )
    assert request["client_reference_id"] == "ref 1"


def test_sending_again_sends_nothing_and_added_rows_are_added(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    sender().send(rows(5))
    before = victor_sandbox.attempts_by_key()
    status = sender().send(rows(5))
    assert (status.exit_status, status.check.unchanged, status.check.new) == (0, 5, 0)
    assert victor_sandbox.attempts_by_key() == before

    status = sender().send(rows(8))
    assert (status.rows, status.check.new) == (8, 3)
    asked_once(victor_sandbox, keys_of(rows(8)))
    assert outcomes(sender()) == [(number, RowOutcome.CREATED) for number in range(1, 9)]


def test_a_row_that_changed_is_refused_and_the_others_go_on(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    sender().send(rows(3))
    changed = [row(1), row(2, amount="9999.99"), row(3, region="south"), row(4)]
    status = sender().send(changed)
    assert (status.check.changed, status.check.unchanged, status.check.new) == (1, 2, 1)
    assert noticed(status.check, Code.OTHER_VALUES) == [(2, Code.OTHER_VALUES, "INV-2")]
    (notice,) = (notice for notice in status.check.notices if notice.code == Code.OTHER_VALUES)
    assert "INV-2 was asked on" in notice.message
    assert "with another amount. Not sent." in notice.message
    assert "such as INV-2-2" in notice.message
    assert (status.exit_status, dict(status.noticed)) == (
        1,
        {Code.CREATED_BEFORE: 2, Code.OTHER_VALUES: 1},
    )
    refused = by_row(sender())[2]
    # The export has what was asked for.
    assert (refused.outcome, refused.error) == (RowOutcome.CREATED, notice.message)
    assert refused.asked["amount"] == row(2)["amount"]
    assert "9999.99" not in {request["amount"] for request in victor_sandbox.requests()}
    asked_once(victor_sandbox, keys_of(rows(4)))
    # The file as it was is no failure.
    again = sender().send(rows(4))
    assert (again.exit_status, dict(again.counts)) == (0, {RowOutcome.CREATED: 4})


def test_what_has_changed_is_named(sender: Senders) -> None:
    changes = cases_beside(__file__)["changes"]
    sender().send([row(number, **before) for number, (before, _, _) in enumerate(changes)])
    check = sender().check([row(number, **after) for number, (_, after, _) in enumerate(changes)])
    messages = [notice.message for notice in check.notices]
    assert [notice.code for notice in check.notices] == [Code.OTHER_VALUES] * len(changes)
    found = [message.partition(" with ")[2].partition(". Not")[0] for message in messages]
    assert found == [names for _, _, names in changes]
    assert "5550001112" not in str(messages)


@pytest.mark.pull_request
@pytest.mark.parametrize(
    ("days", "code"),
    [(-1, Code.CREATED_BEFORE), (1, Code.CREATED_BEFORE), (2, Code.DUE_LATER)],
)
def test_another_due_date_is_no_other_payment_and_a_later_one_is_said(
    sender: Senders,
    victor_sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    days: int,
    code: Code,
) -> None:
    """`today` is the next day tomorrow. Two days later it is another month, or a customer who has
    not paid.
    """
    sender().send(rows(1))
    later = timedelta(days=days)
    monkeypatch.setattr("victor_ext.zulu.now", lambda: datetime.now(UTC) + later)
    again = sender(batch="april").send([row(1, due_date=today() + later)])
    assert noticed(again.check, *Code) == [(1, code, "INV-1")]
    assert again.exit_status == (1 if code == Code.DUE_LATER else 0)
    asked_once(victor_sandbox, keys_of(rows(1)))
    assert created(victor_sandbox) == 1


@pytest.mark.pull_request
def test_two_unicode_forms_of_a_text_are_one(sender: Senders, victor_sandbox: Sandbox) -> None:
    """Of a key, a reference, notes and a name of a batch: macOS writes the one, and Windows the
    other.
    """
    texts = {"invoice_no": "Mü-1", "client_reference_id": "Mü-1", "notes": "für März"}
    one, other = (
        row(1, **{name: normalize(form, text) for name, text in texts.items()})
        for form in ("NFC", "NFD")
    )
    assert sender(batch=normalize("NFC", "März")).send([one]).exit_status == 0
    assert sender(batch=normalize("NFD", "März")).send([other]).check.unchanged == 1
    with pytest.raises(InvalidRows, match="as in row 1: two rows cannot have one key") as caught:
        sender(batch="april").send([{**one, "amount": "7.77"}, other])
    assert (caught.value.check.repeated, caught.value.problems[0].field) == (1, "invoice_no")
    copy = sender(batch="april").send([other])
    assert (copy.exit_status, dict(copy.noticed)) == (0, {Code.CREATED_BEFORE: 1})
    assert "(März, " in copy.check.notices[0].message
    asked_once(victor_sandbox, keys_of([other]))
    assert victor_sandbox.requests()[0]["client_reference_id"] == one["client_reference_id"]


@pytest.mark.pull_request
@pytest.mark.parametrize("other", ["INV-①", "inv-1", "INV-01", "INV-1.0"])
def test_rows_of_one_source_whose_keys_differ_by_spelling_alone_are_refused_by_both_places(
    sender: Senders, victor_sandbox: Sandbox, other: str
) -> None:
    one = row(1)
    respelled = {**one, "invoice_no": other}
    with pytest.raises(InvalidRows) as caught:
        sender().send([one, row(2), respelled])
    message = f"row 3, invoice_no: invoice_no is {other!r}, as in row 1: they differ by spelling"
    assert str(caught.value.check.problems[0]).startswith(message)
    assert (caught.value.check.repeated, caught.value.check.new) == (1, 2)
    assert victor_sandbox.attempts_by_key() == {}
    # What asks for something else is another payment, however it is spelled.
    assert sender().send([one, {**respelled, "amount": "7.77"}]).exit_status == 0
    asked_once(victor_sandbox, keys_of([one, respelled]))


def test_a_row_that_repeats_a_key_is_said_in_its_place_among_the_other_problems(
    sender: Senders,
) -> None:
    wrong = row(3, amount="-1")
    check = sender().check([row(1), row(2, amount="0"), wrong, row(1), row(4, amount="0")])
    assert [(problem.row, problem.code) for problem in check.problems] == [
        (2, "range"),
        (3, "range"),
        (4, "repeated"),
        (5, "range"),
    ]
    assert [(cause.code, cause.count) for cause in check.causes] == [("range", 3), ("repeated", 1)]


@pytest.mark.pull_request
def test_another_spelling_another_default_due_date_and_one_that_has_passed_are_no_changes(
    sender: Senders, victor_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (
        sender(due_date="today").send([row(1, amount="7.50", due_date=""), row(2)]).exit_status == 0
    )
    again = [row(1, amount="7.5", due_date=""), row(2)]
    assert sender(due_date="tomorrow").send(again).check.unchanged == 2
    monkeypatch.setattr("victor_ext.zulu.now", lambda: datetime.now(UTC) + timedelta(days=5))
    status = sender().send(again)
    assert (status.exit_status, status.check.unchanged, created(victor_sandbox)) == (0, 2, 2)


def test_bad_rows_are_set_aside_and_a_corrected_one_takes_its_place(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    records = [row(1), row(2, amount="-1"), row(3, invoice_no="", region="nowhere"), row(4)]
    store_only(sender(skip_invalid=True), records)
    assert [outcome.value for _, outcome in outcomes(sender())] == [
        "waiting",
        "refused",
        "refused",
        "waiting",
    ]
    status = sender(skip_invalid=True).resume()
    assert dict(status.counts) == {RowOutcome.CREATED: 2, RowOutcome.REFUSED: 2}
    assert status.exit_status == 1
    found = {result.row: result for result in sender().export()}
    assert "amount" in (found[2].error or "")
    assert (found[3].key, found[3].extras["region"]) == ("", "nowhere")

    again = sender(skip_invalid=True).send(records)
    assert (again.rows, again.check.unchanged, again.check.invalid, again.check.new) == (4, 2, 2, 0)

    status = sender(skip_invalid=True).send([row(1), row(2), records[2], row(4)])
    assert dict(status.counts) == {RowOutcome.CREATED: 3, RowOutcome.REFUSED: 1}
    assert status.rows == 4
    assert outcomes(sender()) == [
        (1, RowOutcome.CREATED),
        (2, RowOutcome.CREATED),
        (3, RowOutcome.REFUSED),
        (4, RowOutcome.CREATED),
    ]
    asked_once(victor_sandbox, keys_of([row(1), row(2), row(4)]))


def test_what_the_provider_refuses_is_rejected_and_stays_so(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    victor_sandbox.inject("status", operation="create", status=400, times=1)
    status = sender(workers=1).send(rows(3))
    assert dict(status.counts) == {RowOutcome.CREATED: 2, RowOutcome.REJECTED: 1}
    assert status.exit_status == 1
    attempts = victor_sandbox.attempts_by_key()
    assert sender().resume().counts == status.counts
    assert victor_sandbox.attempts_by_key() == attempts


@pytest.mark.parametrize("again", ["resume", "send"])
def test_a_lost_answer_is_unknown_and_is_settled_with_the_same_key(
    sender: Senders, victor_sandbox: Sandbox, again: str
) -> None:
    victor_sandbox.inject("lose_answer", operation="create", times=2)
    status = sender(workers=1).send(rows(3))
    assert dict(status.counts) == {RowOutcome.CREATED: 2, RowOutcome.UNKNOWN: 1}
    assert status.exit_status == 3
    (unknown,) = (result for result in sender().export() if result.outcome is RowOutcome.UNKNOWN)
    assert unknown.error

    status = sender().resume() if again == "resume" else sender().send(rows(3))
    assert (dict(status.counts), status.exit_status) == ({RowOutcome.CREATED: 3}, 0)
    asked_once(victor_sandbox, keys_of(rows(3)))
    assert victor_sandbox.attempts_by_key()[unknown.key] == 3
    assert by_row(sender())[unknown.row].outcome is RowOutcome.CREATED


def test_credentials_that_are_not_taken_stop_the_batch_and_use_no_row_up(
    sender: Senders, victor_sandbox: Sandbox, oauth_client: tuple[str, str]
) -> None:
    auth = VictorOAuth(oauth_client[0], "another secret")
    with (
        Victor(auth, base_url=victor_sandbox.url, retry=RetryPolicy(base=0.0)) as stranger,
        pytest.raises(BulkStopped, match="resume"),
    ):
        sender(victor=stranger).send(rows(250))
    status = sender().status()
    assert dict(status.counts) == {RowOutcome.WAITING: 250}
    assert sender().resume().exit_status == 0
    asked_once(victor_sandbox, keys_of(rows(250)))


@pytest.mark.pull_request
@pytest.mark.parametrize(("unknown", "exit_status"), [(0, 1), (1, 3)])
def test_a_wrong_address_does_not_use_the_batch_up(
    sender: Senders,
    victor_sandbox: Sandbox,
    oauth_client: tuple[str, str],
    unknown: int,
    exit_status: int,
) -> None:
    auth = VictorOAuth(*oauth_client)
    if unknown:
        victor_sandbox.inject("lose_answer", operation="create")
    victor_sandbox.inject("status", operation="create", status=404, times=None)
    with Victor(auth, base_url=victor_sandbox.url) as victor, pytest.raises(BulkStopped) as stopped:
        sender(victor=victor, workers=2).send(rows(200))
    assert stopped.value.exit_status == exit_status
    # Those that were refused before that was seen are not to blame either.
    assert sender().status().counts.get(RowOutcome.UNKNOWN, 0) == unknown
    assert sender().status().counts[RowOutcome.WAITING] == 200 - unknown
    refused = [result.error for result in sender().export() if result.error]
    assert 10 <= len(refused) < 20
    assert "404" in refused[0]
    victor_sandbox.clear_faults()
    assert sender().resume().exit_status == 0
    asked_once(victor_sandbox, keys_of(rows(200)))


@pytest.mark.pull_request
def test_a_batch_that_nobody_knows(sender: Senders) -> None:
    for act in (
        lambda: sender().resume(),
        lambda: sender().status(),
        lambda: list(sender().export()),
    ):
        with pytest.raises(ConfigurationError, match="nothing was sent"):
            act()
    assert sender().batches() == []
    for batch, number in (("march", 1), ("april", 8), ("march", 2)):
        sender(batch=batch).send([row(number)])
    # Oldest first, by their latest files.
    assert sender().batches() == ["april", "march"]
    with pytest.raises(ConfigurationError, match="It has: april, march") as caught:
        sender(batch="Marhc").status()
    assert "nothing was sent" not in str(caught.value)


def test_a_copy_of_a_file_asks_nobody_again_whatever_it_is_called(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    """The order, the other columns, the format and the spelling are of no matter, either."""
    records = [row(number, amount=f"{number}.50") for number in range(1, 6)]
    sender(batch="march").send(records)
    before = victor_sandbox.attempts_by_key()
    respelled = [
        {**record, "amount": f"{number}.5", "region": "south"}
        for number, record in enumerate(records, 1)
    ]
    copy = write_csv(tmp_path / "march (1).csv", [*reversed(respelled), row(6)])
    check = sender(batch=None).check(copy)
    assert (check.new, check.unchanged, check.changed) == (1, 5, 0)
    status = sender(batch=None).send(copy)
    assert (status.exit_status, dict(status.noticed)) == (0, {Code.CREATED_BEFORE: 5})
    assert dict(status.counts) == {RowOutcome.CREATED: 6}
    assert "INV-5 was created before (march, " in status.check.notices[0].message
    new = idempotency_key_for("invoice", "INV-6")
    assert victor_sandbox.attempts_by_key() == {**before, new: 1}
    # A part of it, and a part with rows of another file, ask nobody again either.
    assert sender(batch="april").send(records[:3]).exit_status == 0
    assert sender(batch="may").send([*records[2:], row(7)]).exit_status == 0
    asked_once(victor_sandbox, keys_of([*records, row(6), row(7)]))
    # Each of them is a list of its own rows, and goes on as ever.
    exported = list(sender(batch="march (1).csv").export())
    numbers = [result.extras["invoice_no"] for result in exported]
    assert numbers == ["INV-5", "INV-4", "INV-3", "INV-2", "INV-1", "INV-6"]
    for batch in ("march", "march (1).csv", "april", "may"):
        assert sender(batch=batch).resume().exit_status == 0
    assert created(victor_sandbox) == 7


@pytest.mark.pull_request
@pytest.mark.parametrize("batch", ["march", "april"])
def test_what_another_payment_asked_is_not_asked_again_whatever_its_key_is(
    sender: Senders, victor_sandbox: Sandbox, batch: str
) -> None:
    records = [row(number, client_reference_id=f"Ref {number}") for number in (1, 2, 3)]
    sender(batch="march").send(records)
    keyed = [{**record, "invoice_no": f"new {place}"} for place, record in enumerate(records)]
    status = sender(batch=batch).send([*records[:2], keyed[2], row(4)])
    assert noticed(status.check, Code.LOOKS_LIKE) == [(3, Code.LOOKS_LIKE, "new 2")]
    assert (status.exit_status, status.counts[RowOutcome.REFUSED]) == (1, 1)
    status = sender(batch=batch).send([*keyed, row(4)])
    assert (status.exit_status, status.noticed[Code.LOOKS_LIKE]) == (1, 3)
    assert "new 0 asks what INV-1 asked (march, " in (by_row(sender(batch=batch))[1].error or "")
    # resume does not send what was refused.
    assert sender(batch=batch).resume().counts[RowOutcome.REFUSED] == 3
    asked_once(victor_sandbox, keys_of([*records, row(4)]))
    assert created(victor_sandbox) == 4


def test_a_file_that_is_keyed_by_another_column_asks_nobody_again(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    """Not even a day later, with other due dates."""
    records = [row(number, client_reference_id=f"Ref {number}") for number in (1, 2, 3)]
    sender(batch="march").send(records)
    tomorrow = (today() + timedelta(days=1)).isoformat()
    without = [
        {name: value for name, value in {**record, "due_date": due}.items() if name != "invoice_no"}
        for record, due in zip(records, [today().isoformat(), tomorrow, tomorrow], strict=True)
    ]
    for batch in ("april", "may"):
        status = sender(batch=batch, key_column=None).send(without)
        assert dict(status.noticed) == {Code.LOOKS_LIKE: 3}
        assert status.exit_status == 1
    asked_once(victor_sandbox, keys_of(records))
    assert created(victor_sandbox) == 3


def test_rows_that_ask_the_same_in_one_file_are_payments_on_purpose(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    twins = [row(7, invoice_no=name) for name in ("a", "b")]
    assert sender(batch="twins").send(twins).exit_status == 0
    assert sender(batch="copy").send(twins).exit_status == 0
    asked_once(victor_sandbox, keys_of(twins))


@pytest.mark.pull_request
def test_two_references_are_two_payments_though_they_ask_as_much(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    """With the key column that there is without one, and with customers as keys."""
    for batch, reference in (("one", "2041"), ("two", "2042")):
        one = row(1, client_reference_id=reference)
        assert sender(batch=batch, key_column=None).send([one]).exit_status == 0
    by_customer = {"key_column": "payer_counterparty_id", "key_kind": "subscription-11"}
    for batch, payer in (("three", "aHeq349838"), ("four", "bHeq349838")):
        one = row(2, payer_counterparty_id=payer)
        assert sender(batch=batch, **by_customer).send([one]).exit_status == 0
    assert created(victor_sandbox) == 4


@pytest.mark.pull_request
def test_what_progress_raises_stops_the_sending_and_loses_nothing(
    sender: Senders, victor_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "PACED_SECONDS", 1.0)

    def enough(status: Any) -> None:
        if status.counts.get(RowOutcome.CREATED):
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        sender(rate=50).send(rows(220), on_progress=enough)
    counts = sender().status().counts
    assert counts[RowOutcome.CREATED] == created(victor_sandbox) < 220
    assert counts[RowOutcome.WAITING] == 220 - counts[RowOutcome.CREATED]
    assert sender(rate=10_000).resume().exit_status == 0
    asked_once(victor_sandbox, keys_of(rows(220)))


@pytest.mark.pull_request
def test_a_chunk_that_was_claimed_and_does_not_run_is_handed_out_anew(
    sender: Senders, victor_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = worker.Worker._send
    lost: list[str] = []

    def lose_the_first(self: Any, workflow_id: str, *arguments: Any) -> dict[str, int]:
        if not lost:
            lost.append(workflow_id)
            raise worker._WorkerGone
        return run(self, workflow_id, *arguments)

    monkeypatch.setattr(take_over, "_ROUND", 0.1)
    monkeypatch.setattr(worker.Worker, "_send", lose_the_first)
    assert sender().send(rows(3)).exit_status == 0
    assert [lost_one.partition("/")[2] for lost_one in lost] == ["march/00000001"]
    asked_once(victor_sandbox, keys_of(rows(3)))


@pytest.mark.pull_request
def test_a_chunk_that_somebody_cancelled_is_sent_by_resume(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    store_only(sender(), rows(3))
    # As the command of DBOS does it.
    cancel = "UPDATE workflow_status SET status = 'CANCELLED' WHERE name = 'victor_bulk_chunk'"
    change_state(tmp_path / "state.sqlite", cancel)
    assert dict(sender().status().counts) == {RowOutcome.WAITING: 3}
    assert {(result.outcome, result.error) for result in sender().export()} == {
        (RowOutcome.WAITING, None)
    }
    assert sender().resume().exit_status == 0
    asked_once(victor_sandbox, keys_of(rows(3)))


@pytest.mark.pull_request
def test_a_state_of_another_layout_is_refused_by_name(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    store_only(sender(), rows(3))
    path = tmp_path / "state.sqlite"
    change_state(path, "UPDATE victor_bulk_key SET layout = 'victor-bulk-9'")
    sends = (partial(sender(batch=name).send, rows(3)) for name in ("march", "april"))
    reads = (sender().status, lambda: list(sender().export()), sender().batches)
    for act in (*reads, sender().resume, sender().drop, partial(sender().check, rows(3)), *sends):
        with pytest.raises(ConfigurationError, match=r"victor-bulk-9.*go on with the release"):
            act()
    assert victor_sandbox.attempts_by_key() == {}
    change_state(path, f"UPDATE victor_bulk_key SET layout = '{layout.VERSION}'")
    assert sender().batches() == ["march"]


@pytest.mark.pull_request
def test_one_sender_at_a_time_in_a_process(sender: Senders, tmp_path: Path) -> None:
    observed: list[Any] = []

    def second(status: Any) -> None:
        observed.append(status)
        if len(observed) == 2:
            sender(state=f"sqlite:///{tmp_path}/other.sqlite").send(rows(1))

    with pytest.raises(ConfigurationError, match="in this process"):
        sender(rate=10).send(rows(20), on_progress=second)
    assert sender(rate=10_000).resume().exit_status == 0


def test_what_waits_in_another_batch_is_not_asked_for_twice(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    """A file that was not sent, and its copy from a spreadsheet: one of them is sent."""
    written = [row(number, invoice_no=f"10{number}") for number in (42, 43)]
    spelled = [{**record, "invoice_no": f"{record['invoice_no']}.0"} for record in written]
    store_only(sender(batch="march"), written)
    copy = sender(batch="march (1)").send(spelled)
    assert dict(copy.noticed) == {Code.LOOKS_LIKE: 2}
    assert sender(batch="march").resume().exit_status == 0
    assert sender(batch="march (1)").resume().exit_status == 1
    assert set(victor_sandbox.work_done_by_key()) == keys_of(written)
    # In its own batch the copy is the newer file, and what it lacks is left out.
    store_only(sender(batch="april"), [row(50, invoice_no="1050")])
    assert sender(batch="april").send([row(50, invoice_no="1050.0")]).exit_status == 0
    assert sender(batch="april").resume().exit_status == 0
    asked_once(victor_sandbox, keys_of([*written, row(50, invoice_no="1050.0")]))
    assert created(victor_sandbox) == 3


@pytest.mark.pull_request
def test_what_was_refused_is_refused_again_when_a_file_has_lacked_it(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    """Nor does another value on the way let it look like nothing."""
    sender(batch="march").send(rows(1))
    copy, other = row(1, invoice_no="A"), row(2, invoice_no="B")
    for records in ([copy], [other], [copy, other]):
        status = sender(batch="april", skip_invalid=True).send(records)
        assert status.noticed.get(Code.LOOKS_LIKE, 0) == (copy in records)
    store_only(sender(batch="may"), [row(5, invoice_no="C")])
    assert sender(batch="may").send([row(1, invoice_no="C")]).noticed == {Code.LOOKS_LIKE: 1}
    asked_once(victor_sandbox, keys_of([row(1), other]))
    assert created(victor_sandbox) == 2
