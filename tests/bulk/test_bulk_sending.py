"""Batches in this process, against the sandbox: what is sent, what is not, and what is said of each
row.
"""

import pytest

from tests.bulk.bulk_runs import (
    ACCOUNT,
    asked_once,
    keys_of,
    lose_answers,
    nothing_sent,
    outbound,
    row,
    rows,
    write_csv,
)
from tests.payments import today
from victor_ext.bulk import BulkStopped

pytestmark = pytest.mark.slow


def test_every_row_is_sent_once_and_exported_with_its_cells(sender, victor_sandbox, tmp_path):
    records = [row(number, region=f"r{number}", status="mine") for number in range(1, 251)]
    status = sender.finish(write_csv(tmp_path / "invoices.csv", records), batch=None)
    assert (status.rows, status.counts, status.over) == (250, {"created": 250}, True)
    asked_once(victor_sandbox, records)

    output = tmp_path / "results.csv"
    with output.open("w", encoding="utf-8", newline="") as results:
        assert sender(batch="invoices.csv").export_csv(results) == 250
    heading, *lines = output.read_text("utf-8").splitlines()
    assert heading == (
        "number,id,status,outcome,error,asked,agreed,currency,batch,invoice_no,"
        "payee_account_number,payer_counterparty_id,amount,biller_type,due_date,region,status"
    )
    ids = {request["amount"]: request["id"] for request in outbound(victor_sandbox)}
    for number, line in enumerate(lines, 1):
        amount = row(number)["amount"]
        own = f"INV-{number},{ids[amount]},created,created,,{amount},,USD,invoices.csv"
        cells = f"INV-{number},{ACCOUNT},aHeq349838,{amount},BUSINESS,{today()},r{number},mine"
        assert line == f"{own},{cells}"


def test_sending_again_sends_nothing_and_added_rows_are_added(sender, victor_sandbox):
    sender.finish(rows(5))
    with nothing_sent(victor_sandbox):
        assert sender.finish(rows(5)).check.unchanged == 5
    more = sender.finish(rows(8))
    assert (more.rows, more.check.new) == (8, 3)
    asked_once(victor_sandbox, rows(8))
    assert [result.row for result in sender().export()] == [*range(1, 9)]


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


def test_a_copy_of_a_file_under_another_name_sends_no_row_again(sender, victor_sandbox, tmp_path):
    """The order, the other columns, the format and the spelling are of no matter, either."""
    sender.finish([row(number, amount=f"{number}.50") for number in range(1, 6)])
    respelled = [row(number, amount=f"{number}.5", region="south") for number in range(5, 0, -1)]
    copy = write_csv(tmp_path / "march (1).csv", [*respelled, row(6)])
    status = sender.finish(copy, batch=None)
    assert (status.check.new, status.check.unchanged, status.check.changed) == (1, 5, 0)
    assert status.noticed == {}
    # A part with rows of another file asks nobody again either, and lists its own rows.
    sender.finish([*respelled[2:], row(7)], batch="may")
    assert [*sender.results(batch="may")] == ["INV-3", "INV-2", "INV-1", "INV-7"]
    assert victor_sandbox.attempts_by_key() == dict.fromkeys(keys_of(rows(7)), 1)
