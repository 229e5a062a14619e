"""A sheet is what was asked, a payment is what became of it: what the sheet of one batch says is
changed by no other sheet or person, and no report is silent about a payment that a sheet lacks.
"""

import threading

import pytest

from tests.bulk.bulk_runs import (
    asked_once,
    respond_to_creates,
    row,
    rows,
)

pytestmark = pytest.mark.slow
ACME, OTHERS = {"payer_counterparty_id": "acme000001"}, [row(number) for number in (7, 8, 9)]


# Two batches with one payment


# Two copies of one sheet


def test_who_sends_a_sheet_that_another_one_replaces_meanwhile_is_told_so(sender, victor_sandbox):
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
    assert status.replaced
    assert status.exit_status == 1
    asked_once(victor_sandbox, rows(2))


# What a sheet lacks


# The same payment in another spelling


def test_further_invoices_of_a_payer_whose_rows_stay_are_asked_for(sender, victor_sandbox):
    first = [row(number, invoice_no=f"A-{number}", **ACME) for number in (1, 2)]
    sender.finish(first)
    more = [*first, row(3, invoice_no="A-3", **ACME)]
    sender.finish(more)
    asked_once(victor_sandbox, more)


# The name of a batch


# What contradicts a sheet
