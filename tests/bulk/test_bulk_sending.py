"""Batches in this process, against the sandbox: what is sent, what is not, and what is said of each
row.
"""

import json
from functools import partial
from unicodedata import normalize

import pytest

from tests.bulk.bulk_runs import (
    ACCOUNT,
    Meanwhile,
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
from victor_ext import RetryPolicy, idempotency_key_for, zulu
from victor_ext.bulk import BulkStopped, InvalidRows
from victor_ext.bulk._payment_requests import PaymentRequests

pytestmark = pytest.mark.slow


def test_every_row_is_sent_once_and_exported_with_its_other_columns(
    sender, victor_sandbox, tmp_path
):
    records = [row(number, region=f"r{number}", status="mine") for number in range(1, 251)]
    status = sender.finish(write_csv(tmp_path / "invoices.csv", records), batch=None)
    assert (status.rows, status.counts, status.over) == (250, {"created": 250}, True)
    asked_once(victor_sandbox, records)

    output = tmp_path / "results.csv"
    with output.open("w", encoding="utf-8", newline="") as results:
        assert sender(batch="invoices.csv").export_csv(results) == 250
    heading, *lines = output.read_text("utf-8").splitlines()
    assert heading == (
        "row,key,id,status,outcome,error,batch,asked_at,asked_by,sheet,invoice_no,region,"
        "file_status,amount,payer_counterparty_id,due_date,client_reference_id"
    )
    ids = {request["amount"]: request["id"] for request in outbound(victor_sandbox)}
    for number, line in enumerate(lines, 1):
        key = idempotency_key_for("invoice", f"INV-{number}")
        amount = row(number)["amount"]
        own = f"{number},{key},{ids[amount]},created,created,,invoices.csv,"
        asked = f",,invoices.csv,INV-{number},r{number},mine,{amount},aHeq349838,{today()},"
        moment = line.removeprefix(own).removesuffix(asked)
        assert line == f"{own}{moment}{asked}"
        assert zulu.parse(moment).date() == today()


def test_without_a_key_column_the_reference_is_the_key(sender, victor_sandbox):
    """Two references are two payments though they ask as much."""
    records = [row(1, client_reference_id=reference) for reference in ("ref 1", "ref 2")]
    sender.finish(records, key_column=None)
    asked_once(victor_sandbox, [], *keys_of(records, "client_reference_id"))


@pytest.mark.pull_request
def test_the_export_has_the_sent_values_and_the_other_columns_as_the_file_has_them(
    sender, tmp_path
):
    document = '{"a": [1.10, 2e5, true, null, "7"], "b": {}}'
    records = [row(1, due_date="today", region="HERE"), row(2, amount="-1")]
    file = tmp_path / "odd.jsonl"
    lines = [json.dumps(record).replace('"HERE"', document) for record in records]
    file.write_text("\n".join(lines), "utf-8")
    sender(skip_invalid=True).send(file)
    first, refused = sender().export()
    asked = {"amount": "2.23", "payer_counterparty_id": "aHeq349838", "due_date": in_days(0)}
    assert first.asked == asked
    assert first.extras["region"] == document
    assert refused.asked == {}


def test_the_values_of_a_row_are_sent_as_they_stand_in_the_file(sender, victor_sandbox):
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


def test_sending_again_sends_nothing_and_added_rows_are_added(sender, victor_sandbox):
    sender.finish(rows(5))
    with nothing_sent(victor_sandbox):
        assert sender.finish(rows(5)).check.unchanged == 5
    more = sender.finish(rows(8))
    assert (more.rows, more.check.new) == (8, 3)
    asked_once(victor_sandbox, rows(8))
    assert [result.row for result in sender().export()] == [*range(1, 9)]


def test_a_column_that_a_newer_release_lacks_is_reported_as_the_one_that_differs(
    sender, victor_sandbox, monkeypatch
):
    """A newer release has it under another name: the file sends it as nothing."""
    sender.finish([row(1, client_reference_id="REF-1", notes="for May")])
    columns = {name: each for name, each in PaymentRequests.columns.items() if name != "notes"}
    monkeypatch.setattr(PaymentRequests, "columns", columns)
    with nothing_sent(victor_sandbox):
        status = sender().send([row(1, client_reference_id="REF-1", notes="for May")])
    assert "with another notes. Not sent." in status.notices[0].message


def test_the_columns_that_have_changed_in_a_row_are_named(sender):
    changes = cases_beside(__file__)["changes"]
    sender().send([row(number, **before) for number, (before, _, _) in enumerate(changes)])
    check = sender().check([row(number, **after) for number, (_, after, _) in enumerate(changes)])
    assert check.noticed == {"other_values": len(changes)}
    messages = [notice.message for notice in check.notices]
    names = [message.partition(" with ")[2].partition(". Not")[0] for message in messages]
    assert names == [expected for _, _, expected in changes]
    assert "5550001112" not in str(messages)


@pytest.mark.pull_request
def test_two_unicode_forms_of_a_text_are_one(sender, victor_sandbox):
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
    with pytest.raises(InvalidRows, match="as in row 1: two rows cannot have one key"):
        sender(batch="april").send([{**one, "amount": "7.77"}, other])
    assert sender.finish([other], batch="april").noticed == {"created_before": 1}
    assert victor_sandbox.requests()[0]["client_reference_id"] == one["client_reference_id"]


def test_a_row_that_repeats_a_key_is_said_in_its_place_among_the_other_problems(sender):
    bad = [row(number, amount="0") for number in (2, 3, 4)]
    check = sender().check([row(1), *bad[:2], row(1), bad[2]])
    problems = [(problem.row, problem.code) for problem in check.problems]
    assert problems == [(2, "range"), (3, "range"), (4, "repeated"), (5, "range")]
    assert [(cause.code, cause.count) for cause in check.causes] == [("range", 3), ("repeated", 1)]


@pytest.mark.pull_request
def test_another_spelling_another_default_due_date_or_a_past_due_date_is_no_change(
    sender, victor_sandbox, pass_days
):
    sender.finish([row(1, amount="7.50", due_date=""), row(2)], due_date="today")
    again = [row(1, amount="7.5", due_date=""), row(2)]
    assert sender(due_date="tomorrow").send(again).check.unchanged == 2
    pass_days(5)
    assert sender.finish(again).check.unchanged == 2
    asked_once(victor_sandbox, rows(2))


@pytest.mark.parametrize("again", [None, rows(3)], ids=["resume", "send"])
def test_a_lost_answer_is_unknown_and_is_settled_with_the_same_key(sender, victor_sandbox, again):
    lose_answers(victor_sandbox, 2)
    status = sender(workers=1).send(rows(3))
    assert (status.counts, status.exit_status) == ({"created": 2, "unknown": 1}, 3)
    (unknown,) = (result for result in sender().export() if result.outcome == "unknown")
    assert unknown.error
    assert sender.finish(again).counts == {"created": 3}
    asked_once(victor_sandbox, rows(3))
    assert victor_sandbox.attempts_by_key()[unknown.key] == 3


def test_credentials_that_are_not_taken_stop_the_batch_and_use_no_row_up(
    sender, victor_sandbox, clients, oauth_client
):
    with pytest.raises(BulkStopped, match="resume"):
        sender(victor=clients(oauth_client[0], "another secret")).send(rows(40))
    assert sender().status().counts == {"waiting": 40}
    sender.finish()
    asked_once(victor_sandbox, rows(40))


@pytest.mark.pull_request
@pytest.mark.parametrize(
    ("counts", "exit_status"), [({"waiting": 60}, 1), ({"unknown": 1, "waiting": 59}, 3)]
)
def test_a_wrong_address_does_not_use_the_batch_up(
    sender, victor_sandbox, clients, counts, exit_status
):
    if "unknown" in counts:
        lose_answers(victor_sandbox, 1)
    respond_to_creates(victor_sandbox, 404)
    with pytest.raises(BulkStopped) as stopped:
        sender(victor=clients(retry=RetryPolicy()), workers=2).send(rows(60))
    assert stopped.value.exit_status == exit_status
    # Those that were refused before that was seen are not to blame either.
    assert sender().status().counts == counts
    errors = [result.error for result in sender().export() if result.error]
    assert 10 <= len(errors) < 20
    victor_sandbox.clear_faults()
    sender.finish()
    asked_once(victor_sandbox, rows(60))


@pytest.mark.parametrize("workers", [1, 4])
def test_ten_pages_of_a_gateway_stop_the_batch_and_nobody_is_asked_twice(
    sender, victor_sandbox, any_state, workers
):
    """Each replaces a response, after the provider has made the request."""
    sender = sender.of(state=any_state, workers=workers)
    victor_sandbox.inject("html", operation="create", status=403, work=True, times=None)
    for number in (1, 2):
        with pytest.raises(BulkStopped, match="an HTML page") as stopped:
            sender().send(rows(30))
        tried = len(victor_sandbox.work_done_by_key())
        assert 10 <= tried < (10 + workers) * number
        assert stopped.value.exit_status == 3
        assert sender().status().counts == {"unknown": tried, "waiting": 30 - tried}
    victor_sandbox.clear_faults()
    assert sender.finish().counts == {"created": 30}
    asked_once(victor_sandbox, rows(30))


@pytest.mark.parametrize(("kind", "tried"), [("html", 10), ("status", 20)])
def test_a_conflict_ends_a_row_of_pages_only_if_the_provider_reports_it(
    sender, victor_sandbox, kind, tried
):
    pages = partial(victor_sandbox.inject, "html", operation="create", status=403)
    pages(times=9)
    victor_sandbox.inject(kind, operation="create", status=409)
    pages(times=None)
    with pytest.raises(BulkStopped):
        sender(workers=1).send(rows(30))
    assert len(victor_sandbox.attempts_by_key()) == tried


@pytest.mark.pull_request
def test_an_unknown_batch_is_refused_with_the_names_of_the_stored_batches(sender):
    for act in (sender().resume, sender().status, sender.results):
        with refused("nothing was sent"):
            act()
    for batch, number in (("march", 1), ("april", 8), ("march", 2)):
        sender.finish([row(number)], batch=batch)
    # Oldest first, by their latest files.
    with refused("It has: april, march") as caught:
        sender(batch="Marhc").status()
    assert "nothing was sent" not in str(caught.value)


def test_a_copy_of_a_file_under_another_name_sends_no_row_again(sender, victor_sandbox, tmp_path):
    """The order, the other columns, the format and the spelling are of no matter, either."""
    sender.finish([row(number, amount=f"{number}.50") for number in range(1, 6)])
    respelled = [row(number, amount=f"{number}.5", region="south") for number in range(5, 0, -1)]
    copy = write_csv(tmp_path / "march (1).csv", [*respelled, row(6)])
    status = sender.finish(copy, batch=None)
    assert (status.check.new, status.check.unchanged, status.check.changed) == (1, 5, 0)
    assert status.noticed == {"created_before": 5}
    assert "INV-5 was created before (march, " in status.notices[0].message
    # A part with rows of another file asks nobody again either, and lists its own rows.
    sender.finish([*respelled[2:], row(7)], batch="may")
    assert [*sender.results(batch="may")] == ["INV-3", "INV-2", "INV-1", "INV-7"]
    assert victor_sandbox.attempts_by_key() == dict.fromkeys(keys_of(rows(7)), 1)


def test_equal_rows_with_two_keys_in_one_file_are_two_payments(sender, victor_sandbox):
    twins = [row(7, invoice_no=name) for name in ("a", "b")]
    sender.finish(twins, batch="twins")
    sender.finish(twins, batch="copy")
    asked_once(victor_sandbox, twins)


def test_an_unexpected_error_in_a_call_leaves_its_row_unknown_and_does_not_stop_other_rows(
    sender, clients, victor_sandbox
):
    def fail():
        raise RuntimeError(ACCOUNT)

    victor = clients(transport=Meanwhile(fail, "POST"))
    assert sender(victor=victor).send(rows(2)).counts == {"created": 1, "unknown": 1}
    errors = [result.error for result in sender().export() if result.error]
    assert errors == ["An unexpected RuntimeError while it was sent."]
    sender.finish()
    asked_once(victor_sandbox, rows(2))


@pytest.mark.pull_request
def test_an_error_of_the_progress_callback_stops_the_sending_and_loses_no_row(
    sender, victor_sandbox
):
    def enough(status):
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
def test_a_state_of_another_layout_is_refused_by_name(sender, victor_sandbox, tmp_path):
    sender.store(rows(3))
    rename = "UPDATE victor_bulk_control SET wrapped = replace(wrapped, 'victor-bulk-', 'another-')"
    change_state(tmp_path / "state.sqlite", rename)
    for act in acts_of(sender(), rows(3)) + acts_of(sender(batch="april"), rows(3)):
        with refused(r"another-.*go on with the release"):
            act()
    assert victor_sandbox.attempts_by_key() == {}
