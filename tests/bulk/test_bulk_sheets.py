"""A sheet is what was asked, a payment is what became of it: what the sheet of one batch says is
changed by no other sheet or person, and no report is silent about a payment that a sheet lacks.
"""

import threading

import pytest

from tests.bulk.bulk_runs import (
    asked_once,
    nothing_sent,
    refused,
    respond_to_creates,
    row,
    rows,
    write_csv,
)

pytestmark = pytest.mark.slow
ACME, OTHERS = {"payer_counterparty_id": "acme000001"}, [row(number) for number in (7, 8, 9)]


def amounts(sandbox):
    return sorted(str(request["amount"]) for request in sandbox.requests())


# Two batches with one payment


# Two copies of one sheet


def test_who_sends_a_sheet_that_another_one_replaces_meanwhile_is_told_the_rows(
    sender, victor_sandbox
):
    """The provider sends nothing until the other sheet is stored."""
    respond_to_creates(victor_sandbox, 429)
    stored, ends = threading.Event(), threading.Event()

    def progress(_status):
        stored.set()
        assert ends.wait(60)

    results = []

    def send():
        results.append(sender(patience=60).send(rows(3), on_progress=progress))

    first = threading.Thread(target=send)
    first.start()
    assert stored.wait(60)
    sender.store(rows(2))
    victor_sandbox.clear_faults()
    ends.set()
    first.join()
    (status,) = results
    assert status.replaced == ["INV-3"]
    assert status.exit_status == 1
    asked_once(victor_sandbox, rows(2))


# What a sheet lacks


def test_a_payment_that_the_latest_sheet_lacks_is_row_0_of_each_report(bulk, sender):
    own = sender.of(state=bulk.state)
    own.finish(rows(3))
    status = own().send(rows(2))
    assert (status.exit_status, status.lacking, list(status.lacking_names)) == (0, 1, ["INV-3"])
    (left,) = (result for result in own().export() if result.row == 0)
    assert (left.outcome, left.batch) == ("created", "march")
    assert left.asked_at is not None
    assert "the latest sheet lacks it: INV-3" in bulk("status", "--batch", "march").err


# The same payment in another spelling


ZERO, NO_ZERO = "043987673645", "43987673645"


def is_one_payment(sandbox, count):
    return len(sandbox.work_done_by_key()) == count


def test_a_payer_that_a_program_has_rewritten_with_the_key_is_asked_about_in_its_sheet(
    sender, victor_sandbox
):
    """A column of numbers loses its leading zeros."""
    sender.finish([*OTHERS, row(1, invoice_no="1E5", payer_counterparty_id=ZERO)])
    again = row(1, invoice_no="100000.0", payer_counterparty_id=NO_ZERO)
    with nothing_sent(victor_sandbox):
        assert sender().send([*OTHERS, again]).noticed["looks_like"] == 1


def test_an_account_that_a_program_has_rewritten_with_the_key_is_asked_about_in_a_copy(
    sender, victor_sandbox
):
    sender.finish([*OTHERS, row(1, invoice_no="1E5", payee_account_number=ZERO)])
    again = row(1, invoice_no="100000.0", payee_account_number=NO_ZERO)
    with nothing_sent(victor_sandbox):
        assert sender(batch="copy").send([again]).noticed == {"looks_like": 1}


def test_further_invoices_of_a_payer_whose_rows_stay_are_asked_for(sender, victor_sandbox):
    first = [row(number, invoice_no=f"A-{number}", **ACME) for number in (1, 2)]
    sender.finish(first)
    more = [*first, row(3, invoice_no="A-3", **ACME)]
    sender.finish(more)
    asked_once(victor_sandbox, more)


def test_a_list_under_a_given_name_whose_keys_were_all_respelled_is_asked_about(
    sender, victor_sandbox
):
    """It has no row of the list before, as the next week's list has none."""
    sender.finish(rows(5), batch="rent")
    respelled = [row(number, invoice_no=f"2026-INV-{number}") for number in range(1, 6)]
    with nothing_sent(victor_sandbox):
        assert sender(batch="rent").send(respelled).noticed == {"looks_like": 5}


# The name of a batch


def test_a_sheet_without_a_row_of_the_one_of_its_name_is_refused_by_its_file(
    bulk, sender, victor_sandbox
):
    shops = []
    for number, name in enumerate(["shop-a", "shop-b"]):
        folder = bulk.folder / name
        folder.mkdir()
        shop = [row(number * 10 + each, client_reference_id=f"{name}-{each}") for each in (1, 2)]
        shops.append(write_csv(folder / "invoices.csv", shop))
    sender.of(state=bulk.state, batch=None).store(shops[0])
    with nothing_sent(victor_sandbox):
        ended = bulk("send", "shop-b/invoices.csv", *bulk.sends)
    assert ended.status == 2
    assert "such as --batch shop-b-invoices" in ended.err
    assert "2 waiting" in bulk("status", "invoices.csv").out
    assert bulk("send", "shop-b/invoices.csv", *bulk.sends, "--batch", "shop-b").status == 0
    assert bulk("resume", "invoices.csv").status == 0
    assert is_one_payment(victor_sandbox, 4)


def test_a_list_that_has_few_rows_of_the_one_before_is_refused_as_another_one(
    sender, victor_sandbox
):
    sender.finish(rows(6))
    with nothing_sent(victor_sandbox), refused("Most new rows of this sheet have payers"):
        sender().send([row(6), *rows(5, start=20)])


def test_an_equal_list_whose_keys_are_of_another_kind_is_another_sheet(sender, victor_sandbox):
    """What is asked for it is told of its rows, and nothing is asked under the keys before."""
    respond_to_creates(victor_sandbox, 400, 2)
    sender(key_kind="invoice").send(rows(2))
    sender.finish(rows(2), key_kind="bill")
    results = sender.results()
    assert {each.outcome for each in results.values()} == {"created"}
    with refused("INV-1"):
        sender().ask_again(["INV-1"], by="Ann", why="It was rejected.")
    sender.finish()
    assert amounts(victor_sandbox) == ["2.23", "3.23"]


# What contradicts a sheet
