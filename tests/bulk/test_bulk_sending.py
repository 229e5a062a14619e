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
    worker,
    worker_lock,
)
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow


def outcomes(sender: Any) -> list[tuple[int, RowOutcome]]:
    return [(result.row, result.outcome) for result in sender.export()]


def by_row(sender: Any) -> dict[int, RowResult]:
    found = list(sender.export())
    assert len({result.key for result in found}) == len(found)
    return {result.row: result for result in found}


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
    (problem,) = status.check.problems
    assert (problem.row, problem.column, problem.code) == (2, "invoice_no", "changed")
    assert problem.message.startswith("amount: not what is stored")
    assert status.exit_status == 1
    assert "9999.99" not in {request["amount"] for request in victor_sandbox.requests()}
    asked_once(victor_sandbox, keys_of(rows(4)))


def test_what_has_changed_is_named(sender: Senders) -> None:
    changes = cases_beside(__file__)["changes"]
    sender().send([row(number, **before) for number, (before, _, _) in enumerate(changes)])
    problems = (
        sender()
        .check([row(number, **after) for number, (_, after, _) in enumerate(changes)])
        .problems
    )
    found = [problem.message.partition(": not what is stored")[0] for problem in problems]
    assert found == [names for _, _, names in changes]
    assert "5550001112" not in str(problems)
    (problem,) = sender().check([{**row(0), "due_date": ["today"]}]).problems
    assert problem.message.startswith("due_date: not what is stored")


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
    with pytest.raises(ConfigurationError, match="same rows as the batch März"):
        sender(batch="april").send([other])
    assert sender(batch="may").check([row(2, invoice_no="1"), row(2, invoice_no="①")]).new == 2
    asked_once(victor_sandbox, keys_of([other]))
    assert victor_sandbox.requests()[0]["client_reference_id"] == one["client_reference_id"]


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
    assert (again.rows, again.check.unchanged, again.check.invalid, again.check.stored) == (
        4,
        2,
        2,
        0,
    )

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
    assert sender().batches() == ["march", "april"]
    with pytest.raises(ConfigurationError, match="It has: march, april") as caught:
        sender(batch="Marhc").status()
    assert "nothing was sent" not in str(caught.value)


def test_the_rows_of_another_batch_are_two_payments_only_on_purpose(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    records = rows(4)
    sender(batch="march").send(records)
    # The order, the other columns, the format and the spelling are of no matter; nor is it when
    # rows were added.
    sender(batch="march").send([*records, row(5)])
    copy = write_csv(
        tmp_path / "ren (1).csv", [{**record, "region": "south"} for record in reversed(records)]
    )
    for act in (sender(batch=None).check, sender(batch=None).send):
        with pytest.raises(
            ConfigurationError,
            match=r"same rows as the batch march, .*batch='march'.*ask_again=True",
        ):
            act(copy)
    with pytest.raises(ConfigurationError, match="same rows as the batch march"):
        sender(batch="april").send(rows(5))
    for others in (
        rows(6),
        rows(3),
        [*rows(3), row(4, amount="7.77")],
        [*rows(3), row(3, invoice_no="INV-9")],
    ):
        assert sender(batch="april").check(others).new == len(others)
    assert created(victor_sandbox) == 5
    assert sender(batch="april", ask_again=True).send(copy).exit_status == 0
    asked_once(victor_sandbox, keys_of(rows(5)) | keys_of(records))
    # Both of them go on as ever.
    assert sender(batch="april").send(copy).check.unchanged == 4


@pytest.mark.parametrize("batch", ["march", "april"])
def test_a_copy_is_told_by_what_is_sent_whatever_its_keys_are(sender: Senders, batch: str) -> None:
    records = [row(number, client_reference_id=f"ref {number}") for number in (1, 2, 3)]
    sender(batch="march").send(records)
    keyed = [{**record, "invoice_no": f"new {place}"} for place, record in enumerate(records)]
    for copy in (keyed, [*records[:2], keyed[2]]):
        with pytest.raises(
            ConfigurationError, match=r"same rows as the batch march, .*ask_again=True"
        ):
            sender(batch=batch).send(copy)
    without = [
        {name: value for name, value in each.items() if name != "invoice_no"} for each in records
    ]
    if batch == "april":
        with pytest.raises(ConfigurationError, match="same rows as the batch march"):
            sender(batch=batch, key_column=None).send(without)
    sender(batch=batch, ask_again=True).send(keyed)
    assert sender(batch=batch).send(keyed).check.unchanged == 3
    # Rows that ask the same are one batch on purpose when they come in one file.
    twins = [row(7, invoice_no=name) for name in ("a", "b")]
    assert sender(batch="twins").send(twins).check.new == 2


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

    monkeypatch.setattr(worker_lock, "_ROUND", 0.1)
    monkeypatch.setattr(worker.Worker, "_send", lose_the_first)
    assert sender().send(rows(3)).exit_status == 0
    assert lost == ["march/00000001"]
    asked_once(victor_sandbox, keys_of(rows(3)))


def test_a_chunk_that_somebody_cancelled_is_sent_by_resume(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    store_only(sender(), rows(3))
    # As the command of DBOS does it.
    cancel = "UPDATE workflow_status SET status = 'CANCELLED' WHERE name = 'victor_bulk_chunk'"
    change_state(tmp_path / "state.sqlite", cancel)
    assert dict(sender().status().counts) == {RowOutcome.WAITING: 3}
    assert {(result.outcome, result.error) for result in sender().export()} == {
        (RowOutcome.WAITING, "Its chunk was cancelled before it was sent.")
    }
    assert sender().resume().exit_status == 0
    asked_once(victor_sandbox, keys_of(rows(3)))


def test_a_state_of_another_layout_is_refused_by_name(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    store_only(sender(), rows(3))
    other = "UPDATE workflow_status SET application_version = 'victor-bulk-9/account'"
    change_state(tmp_path / "state.sqlite", other)
    sends = (partial(sender(batch=name).send, rows(3)) for name in ("march", "april"))
    for act in (sender().status, lambda: list(sender().export()), sender().resume, *sends):
        with pytest.raises(ConfigurationError, match=r"victor-bulk-9.*go on with the release"):
            act()
    assert victor_sandbox.attempts_by_key() == {}
    assert sender().batches() == ["march"]


def test_one_sender_at_a_time_in_a_process(sender: Senders, tmp_path: Path) -> None:
    observed: list[Any] = []

    def second(status: Any) -> None:
        observed.append(status)
        if len(observed) == 2:
            sender(state=f"sqlite:///{tmp_path}/other.sqlite").send(rows(1))

    with pytest.raises(ConfigurationError, match="in this process"):
        sender(rate=10).send(rows(20), on_progress=second)
    assert sender(rate=10_000).resume().exit_status == 0
