"""A sheet is what was asked, a payment is what became of it: what the sheet of one batch says is
changed by no other sheet or person, and no report is silent about a payment that a sheet lacks.
"""

import threading

import pytest

from tests.bulk.bulk_runs import (
    asked_once,
    keys_of,
    respond_to_creates,
    row,
    rows,
)
from victor_ext import idempotency_key_for

pytestmark = pytest.mark.slow
ACME, OTHERS = {"payer_counterparty_id": "acme000001"}, [row(number) for number in (7, 8, 9)]


def amounts(sandbox):
    return sorted(str(request["amount"]) for request in sandbox.requests())


# Two batches with one payment


def test_a_batch_whose_waiting_row_another_batch_has_replaced_says_so(sender, victor_sandbox):
    sender.store(rows(2), batch="a")
    sender.finish([row(2, amount="99.00")], batch="b")
    status = sender(batch="a").resume()
    assert (status.exit_status, status.counts) == (1, {"created": 1, "to_decide": 1})
    assert "was asked on" in sender.results(batch="a")["INV-2"].error
    assert amounts(victor_sandbox) == ["2.23", "99.00"]


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


def test_an_export_says_when_by_whom_and_for_which_batch_a_row_was_asked(sender):
    sender.finish(rows(1), by="Ann")
    sender(batch="copy", by="Bob").send(rows(1))
    result = sender.result(batch="copy")
    assert (result.batch, result.asked_by, result.by_provider_clock) == ("march", "Ann", True)


# The same payment in another spelling


ZERO, NO_ZERO = "043987673645", "43987673645"


def is_one_payment(sandbox, count):
    return len(sandbox.work_done_by_key()) == count


def test_further_invoices_of_a_payer_whose_rows_stay_are_asked_for(sender, victor_sandbox):
    first = [row(number, invoice_no=f"A-{number}", **ACME) for number in (1, 2)]
    sender.finish(first)
    more = [*first, row(3, invoice_no="A-3", **ACME)]
    sender.finish(more)
    asked_once(victor_sandbox, more)


def test_the_rows_that_a_sheet_pulls_back_are_counted_before_it_is_sent(bulk, sender):
    sender.of(state=bulk.state, batch=None).store(bulk.write(rows(4)))
    for options in (("--dry-run",), ()):
        assert "2 rows of the batch had not left" in bulk.send(rows(2), *options).err


def test_a_dry_run_of_an_unchanged_sheet_knows_that_another_batch_has_a_newer_one(sender):
    sender.store(rows(2))
    sender.store([row(2, amount="99.00")], batch="b")
    assert sender().check(rows(2)).noticed == {"waits_otherwise": 1}


# The name of a batch


def test_a_source_that_is_no_file_is_refused_by_its_name(bulk):
    bulk.write(rows(1))
    for source in ("-", "/dev/null"):
        ended = bulk("send", source, *bulk.sends)
        assert ended.status == 2
        assert "write the rows into one" in ended.err


# What contradicts a sheet


def test_a_column_that_names_another_currency_is_a_problem_of_its_row(sender):
    records = [row(1, currency="usd"), row(2, currency="EUR"), row(3, currency="")]
    check = sender().check(records)
    (problem,) = check.problems
    assert (problem.row, problem.column, problem.code) == (2, "currency", "currency")


def test_a_guid_has_one_key_in_each_of_its_spellings():
    guid = "f4e63920-b413-4fe3-a4e9-fa8745ec0ac3"
    spellings = [guid, guid.upper(), guid.replace("-", ""), f"{{{guid.upper()}}}"]
    assert len({idempotency_key_for("invoice", each) for each in spellings}) == 1
    digits = "1" * 32
    assert idempotency_key_for("invoice", digits) == idempotency_key_for("invoice", int(digits))
    assert keys_of([{"invoice_no": each} for each in spellings]) == keys_of([{"invoice_no": guid}])
