"""Batches in this process, against the sandbox: what is sent, what is not, and what is said of each
row.
"""

import csv
import json
from itertools import count
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest

from tests.bulk.bulk_runs import (
    ACCOUNT,
    Clients,
    Meanwhile,
    PassDays,
    Senders,
    acts_of,
    asked_once,
    change_state,
    in_days,
    keys_of,
    lose_answers,
    made_in,
    nothing_sent,
    outbound,
    refused,
    respond_to_creates,
    row,
    rows,
    today,
    write_csv,
)
from tests.cases import cases_beside
from victor_ext import RetryPolicy, Victor, idempotency_key_for
from victor_ext.bulk import BulkStopped, InvalidRows
from victor_ext.bulk.payment_requests import PaymentRequests
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow


def outcomes(sender: Senders) -> list[str]:
    """What became of the rows, in the order of the file."""
    results = list(sender().export())
    assert [result.row for result in results] == [*range(1, len(results) + 1)]
    return [result.outcome for result in results]


def test_every_row_is_sent_once_and_exported_with_its_other_columns(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    records = [row(number, region=f"r{number}", status="mine") for number in range(1, 251)]
    status = sender.finish(write_csv(tmp_path / "invoices.csv", records), batch=None)
    assert status.rows == 250
    assert status.counts == {"created": 250}
    assert status.over
    asked_once(victor_sandbox, records)

    output = tmp_path / "results.csv"
    with output.open("w", encoding="utf-8", newline="") as results:
        assert sender(batch="invoices.csv").export_csv(results) == 250
    heading, *lines = output.read_text("utf-8").splitlines()
    assert heading == (
        "row,key,id,status,outcome,error,invoice_no,region,file_status,"
        "amount,payer_counterparty_id,due_date,client_reference_id"
    )
    ids = {request["amount"]: request["id"] for request in outbound(victor_sandbox)}
    for number, line in enumerate(lines, 1):
        key = idempotency_key_for("invoice", f"INV-{number}")
        amount = row(number)["amount"]
        result = f"{number},{key},{ids[amount]},created,created,,INV-{number},r{number},mine"
        assert line == f"{result},{amount},aHeq349838,{today()},"


@pytest.mark.pull_request
def test_the_export_says_what_was_asked_of_whom(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    """Without a key column, the reference is the key."""
    good = row(1, client_reference_id="ref 1", amount="7.5", due_date="today", region="Grüße")
    bad = row(2, client_reference_id="ref 2", amount="-1")
    sender(key_column=None, skip_invalid=True).send([good, bad])
    asked_once(victor_sandbox, [], *keys_of([good], "client_reference_id"))
    first, second = sender(key_column=None).export()
    assert first.asked == {
        "amount": "7.5",
        "payer_counterparty_id": "aHeq349838",
        "client_reference_id": "ref 1",
        "due_date": in_days(0),
    }
    assert second.asked == {}
    output = tmp_path / "results.csv"
    with output.open("w", encoding="utf-8", newline="") as results:
        sender().export_csv(results)
    with output.open(encoding="utf-8", newline="") as results:
        heading, *lines = csv.reader(results, strict=True)
    assert heading.count("client_reference_id") == 1
    places = [heading.index(name) for name in ("client_reference_id", "due_date")]
    shown = [[line[place] for place in places] for line in lines]
    assert shown == [["ref 1", in_days(0)], ["ref 2", in_days(0)]], "as the file has them"
    # A file that cannot hold a letter is no failure of the state.
    with output.open("w", encoding="ascii") as results, pytest.raises(UnicodeEncodeError):
        sender().export_csv(results)


@pytest.mark.pull_request
def test_other_values_of_a_json_document_are_exported_as_they_were(
    sender: Senders, tmp_path: Path
) -> None:
    document = '{"a": [1.10, 2e5, true, null, "7"], "b": {}}'
    record = json.dumps(row(1, region="HERE")).replace('"HERE"', document)
    file = tmp_path / "odd.jsonl"
    file.write_text(record, "utf-8")
    sender.finish(file)
    assert sender.result().extras["region"] == document


def test_what_is_sent_is_what_the_file_says(sender: Senders, victor_sandbox: Sandbox) -> None:
    written = {
        "amount": "7",
        "notes": " two\nlines ",
        "ultimate_creditor": "Acme Inc.",
        "client_reference_id": "ref 1",
    }
    account, allowed = "0000123", "TRUE"
    record = row(1, **written, payee_account_number=account, amount_modification_allowed=allowed)
    sender.finish([record])
    (request,) = outbound(victor_sandbox)
    expected = {**written, "payee_account": account, "amount_modification_allowed": True}
    assert request.items() >= expected.items()


def test_sending_again_sends_nothing_and_added_rows_are_added(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    sender.finish(rows(5))
    with nothing_sent(victor_sandbox):
        again = sender.finish(rows(5)).check
    assert again.unchanged == 5
    assert again.new == 0
    more = sender.finish(rows(8))
    assert more.rows == 8
    assert more.check.new == 3
    asked_once(victor_sandbox, rows(8))
    assert outcomes(sender) == ["created"] * 8


def test_a_column_that_is_gone_since_is_the_one_that_differs(
    sender: Senders, victor_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer release has it under another name: the file sends it as nothing."""
    sender.finish([row(1, client_reference_id="REF-1", notes="for May")])
    columns = {name: each for name, each in PaymentRequests.columns.items() if name != "notes"}
    monkeypatch.setattr(PaymentRequests, "columns", columns)
    with nothing_sent(victor_sandbox):
        status = sender().send([row(1, client_reference_id="REF-1", notes="for May")])
    assert "with another notes. Not sent." in status.notices[0].message


def test_what_has_changed_is_named(sender: Senders) -> None:
    changes = cases_beside(__file__)["changes"]
    sender().send([row(number, **before) for number, (before, _, _) in enumerate(changes)])
    check = sender().check([row(number, **after) for number, (_, after, _) in enumerate(changes)])
    assert check.noticed == {"other_values": len(changes)}
    messages = [notice.message for notice in check.notices]
    names = [message.partition(" with ")[2].partition(". Not")[0] for message in messages]
    assert names == [expected for _, _, expected in changes]
    assert "5550001112" not in str(messages)


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
    sender.finish([one], batch=normalize("NFC", "März"))
    assert sender(batch=normalize("NFD", "März")).send([other]).check.unchanged == 1
    with pytest.raises(InvalidRows, match="as in row 1: two rows cannot have one key") as caught:
        sender(batch="april").send([{**one, "amount": "7.77"}, other])
    assert caught.value.check.repeated == 1
    assert caught.value.problems[0].field == "invoice_no"
    copy = sender.finish([other], batch="april")
    assert copy.noticed == {"created_before": 1}
    assert "(März, " in copy.notices[0].message
    asked_once(victor_sandbox, [other])
    assert victor_sandbox.requests()[0]["client_reference_id"] == one["client_reference_id"]


def test_a_row_that_repeats_a_key_is_said_in_its_place_among_the_other_problems(
    sender: Senders,
) -> None:
    bad = [row(number, amount="0") for number in (2, 3, 4)]
    check = sender().check([row(1), *bad[:2], row(1), bad[2]])
    problems = [(problem.row, problem.code) for problem in check.problems]
    assert problems == [(2, "range"), (3, "range"), (4, "repeated"), (5, "range")]
    assert [(cause.code, cause.count) for cause in check.causes] == [("range", 3), ("repeated", 1)]


@pytest.mark.pull_request
def test_another_spelling_another_default_due_date_and_one_that_has_passed_are_no_changes(
    sender: Senders, victor_sandbox: Sandbox, pass_days: PassDays
) -> None:
    sender.finish([row(1, amount="7.50", due_date=""), row(2)], due_date="today")
    again = [row(1, amount="7.5", due_date=""), row(2)]
    assert sender(due_date="tomorrow").send(again).check.unchanged == 2
    pass_days(5)
    assert sender.finish(again).check.unchanged == 2
    asked_once(victor_sandbox, rows(2))


@pytest.mark.parametrize("again", [None, rows(3)], ids=["resume", "send"])
def test_a_lost_answer_is_unknown_and_is_settled_with_the_same_key(
    sender: Senders, victor_sandbox: Sandbox, again: list[dict[str, str]] | None
) -> None:
    lose_answers(victor_sandbox, 2)
    status = sender(workers=1).send(rows(3))
    assert status.counts == {"created": 2, "unknown": 1}
    assert status.exit_status == 3
    (unknown,) = (result for result in sender().export() if result.outcome == "unknown")
    assert unknown.error
    assert sender.finish(again).counts == {"created": 3}
    asked_once(victor_sandbox, rows(3))
    assert victor_sandbox.attempts_by_key()[unknown.key] == 3
    assert outcomes(sender) == ["created"] * 3


def test_credentials_that_are_not_taken_stop_the_batch_and_use_no_row_up(
    sender: Senders, victor_sandbox: Sandbox, stranger: Victor
) -> None:
    with pytest.raises(BulkStopped, match="resume"):
        sender(victor=stranger).send(rows(250))
    assert sender().status().counts == {"waiting": 250}
    sender.finish()
    asked_once(victor_sandbox, rows(250))


@pytest.mark.pull_request
@pytest.mark.parametrize(
    ("counts", "exit_status"), [({"waiting": 200}, 1), ({"unknown": 1, "waiting": 199}, 3)]
)
def test_a_wrong_address_does_not_use_the_batch_up(
    sender: Senders,
    victor_sandbox: Sandbox,
    clients: Clients,
    counts: dict[str, int],
    exit_status: int,
) -> None:
    if "unknown" in counts:
        lose_answers(victor_sandbox, 1)
    respond_to_creates(victor_sandbox, 404)
    with pytest.raises(BulkStopped) as stopped:
        sender(victor=clients(retry=RetryPolicy()), workers=2).send(rows(200))
    assert stopped.value.exit_status == exit_status
    # Those that were refused before that was seen are not to blame either.
    assert sender().status().counts == counts
    errors = [result.error for result in sender().export() if result.error]
    assert 10 <= len(errors) < 20
    assert "404" in errors[0]
    victor_sandbox.clear_faults()
    sender.finish()
    asked_once(victor_sandbox, rows(200))


@pytest.mark.pull_request
def test_a_batch_that_nobody_knows(sender: Senders) -> None:
    for act in (sender().resume, sender().status, sender.results):
        with refused("nothing was sent"):
            act()
    assert sender().batches() == []
    for batch, number in (("march", 1), ("april", 8), ("march", 2)):
        sender.finish([row(number)], batch=batch)
    # Oldest first, by their latest files.
    assert sender().batches() == ["april", "march"]
    with refused("It has: april, march") as caught:
        sender(batch="Marhc").status()
    assert "nothing was sent" not in str(caught.value)


def test_a_copy_of_a_file_asks_nobody_again_whatever_it_is_called(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    """The order, the other columns, the format and the spelling are of no matter, either."""
    records = [row(number, amount=f"{number}.50") for number in range(1, 6)]
    sender.finish(records)
    respelled = [row(number, amount=f"{number}.5", region="south") for number in range(5, 0, -1)]
    copy = write_csv(tmp_path / "march (1).csv", [*respelled, row(6)])
    check = sender(batch=None).check(copy)
    assert check.new == 1
    assert check.unchanged == 5
    assert check.changed == 0
    status = sender.finish(copy, batch=None)
    assert status.noticed == {"created_before": 5}
    assert status.counts == {"created": 6}
    assert "INV-5 was created before (march, " in status.notices[0].message
    # A part of it, and a part with rows of another file, ask nobody again either.
    sender.finish(records[:3], batch="april")
    sender.finish([*records[2:], row(7)], batch="may")
    # Each of them is a list of its own rows, and goes on as ever.
    numbers = [*sender.results(batch="march (1).csv")]
    assert numbers == ["INV-5", "INV-4", "INV-3", "INV-2", "INV-1", "INV-6"]
    for batch in ("march", "march (1).csv", "april", "may"):
        sender.finish(batch=batch)
    assert victor_sandbox.attempts_by_key() == dict.fromkeys(keys_of(rows(7)), 1)


def test_rows_that_ask_the_same_in_one_file_are_payments_on_purpose(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    twins = [row(7, invoice_no=name) for name in ("a", "b")]
    sender.finish(twins, batch="twins")
    sender.finish(twins, batch="copy")
    asked_once(victor_sandbox, twins)


@pytest.mark.pull_request
def test_two_references_are_two_payments_though_they_ask_as_much(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    """With the key column that there is without one, and with customers as keys."""
    for reference in ("2041", "2042"):
        one = row(1, client_reference_id=reference)
        sender.finish([one], batch=reference, key_column=None)
    by_customer = {"key_column": "payer_counterparty_id", "key_kind": "subscription-11"}
    for payer in ("aHeq349838", "bHeq349838"):
        one = row(2, payer_counterparty_id=payer)
        sender.finish([one], batch=payer, **by_customer)
    assert [*victor_sandbox.work_done_by_key().values()] == [1] * 4


def test_what_somebody_elses_code_raises_in_a_call_is_no_end_of_its_row_or_of_the_others(
    sender: Senders, clients: Clients, victor_sandbox: Sandbox
) -> None:
    def fail() -> None:
        raise RuntimeError(ACCOUNT)

    victor = clients(transport=Meanwhile(fail, "POST"))
    status = sender(victor=victor).send(rows(2))
    assert status.counts == {"created": 1, "unknown": 1}
    errors = [result.error for result in sender().export() if result.error]
    assert errors == ["An unexpected RuntimeError while it was sent."]
    sender.finish()
    asked_once(victor_sandbox, rows(2))


@pytest.mark.pull_request
def test_what_progress_raises_stops_the_sending_and_loses_nothing(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    def enough(status: Any) -> None:
        if status.counts.get("created"):
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        sender(rate=50).send(rows(220), on_progress=enough)
    made = made_in(victor_sandbox)
    assert made < 220
    assert sender().status().counts == {"created": made, "waiting": 220 - made}
    sender.finish(rate=10_000)
    asked_once(victor_sandbox, rows(220))


@pytest.mark.pull_request
def test_a_state_of_another_layout_is_refused_by_name(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    sender.store(rows(3))
    path = tmp_path / "state.sqlite"
    rename = "UPDATE victor_bulk_control SET wrapped = replace(wrapped, '{}', '{}')"
    change_state(path, rename.format("victor-bulk-", "another-"))
    for act in acts_of(sender(), rows(3)) + acts_of(sender(batch="april"), rows(3)):
        with refused(r"another-.*go on with the release"):
            act()
    assert victor_sandbox.attempts_by_key() == {}
    change_state(path, rename.format("another-", "victor-bulk-"))
    assert sender().batches() == ["march"]


@pytest.mark.pull_request
def test_a_second_sender_in_a_process_sends_meanwhile(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    calls = count(1)

    def second(_status: object) -> None:
        if next(calls) == 2:
            sender.finish(rows(2, start=21), state=f"sqlite:///{tmp_path}/other.sqlite")

    sender(rate=50).send(rows(20), on_progress=second)
    asked_once(victor_sandbox, rows(22))


@pytest.mark.pull_request
def test_what_was_refused_is_refused_again_when_a_file_has_lacked_it(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    """Nor does another value on the way let it look like nothing."""
    sender.finish(rows(1))
    copy, other = row(1, invoice_no="A"), row(2, invoice_no="B")
    for records in ([copy], [other], [copy, other]):
        status = sender(batch="april", skip_invalid=True).send(records)
        assert status.noticed.get("looks_like", 0) == (copy in records)
    sender.store([row(5, invoice_no="C")], batch="may")
    assert sender(batch="may").send([row(1, invoice_no="C")]).noticed == {"looks_like": 1}
    asked_once(victor_sandbox, [row(1), other])
