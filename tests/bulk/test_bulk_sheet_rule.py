"""A sheet has all that its batch has asked for: so no key that a program has rewritten asks twice,
and no report is silent about a payment.
"""

import pytest

from tests.bulk.bulk_runs import asked_once, keys_of, nothing_sent, refused, row, rows
from victor_ext.bulk import InvalidRows

pytestmark = pytest.mark.slow
LACKS = "has asked for INV-2, and this sheet lacks"
WAYS = {
    "another key": {"invoice_no": "2042/02/01"},
    "another key and payer": {"invoice_no": "2-Inv", "payer_counterparty_id": "acme000001"},
    "nothing": None,
}


@pytest.mark.parametrize("change", WAYS.values(), ids=WAYS)
def test_a_sheet_that_lacks_what_its_batch_asked_for_is_refused(sender, victor_sandbox, change):
    sender.finish(rows(3))
    sheet = [row(1), row(3), row(4), *([] if change is None else [{**row(2), **change}])]
    with nothing_sent(victor_sandbox):
        for read in ("check", "send"):
            with refused(LACKS):
                getattr(sender(other_payments=True), read)(sheet)
    sender.finish([*rows(4)])
    asked_once(victor_sandbox, rows(4))


def test_a_row_that_was_not_asked_may_leave_its_sheet(sender, victor_sandbox):
    sender.store(rows(3))
    sender.finish([row(1), row(3, amount="7.00"), row(4)])
    assert victor_sandbox.work_done_by_key().keys() == keys_of([row(1), row(3), row(4)])


def test_another_list_has_another_name(sender, victor_sandbox):
    sender.finish(rows(3))
    with refused("name it: --batch march-2"):
        sender().send(rows(2, start=8))
    sender.finish(rows(2, start=8), batch="march-2")
    asked_once(victor_sandbox, [*rows(3), *rows(2, start=8)])


@pytest.mark.parametrize("shares_rows", [False, True])
def test_a_copy_with_other_keys_is_refused_unless_a_person_says_that_it_is_none(
    sender, victor_sandbox, shares_rows
):
    sender.finish(rows(3))
    copied = [{**each, "invoice_no": f"{each['invoice_no']} of March"} for each in rows(3)]
    sheet = [row(1), row(2), copied[2], *rows(4, start=8)] if shares_rows else copied
    with nothing_sent(victor_sandbox), refused("new rows ask what march has asked"):
        sender(batch="copy").send(sheet)
    sender.finish(sheet, batch="copy", other_payments=True)


def test_further_rows_of_a_payer_are_no_copies(sender, victor_sandbox):
    sender.finish(rows(3))
    month = [row(number, amount="99.00") for number in range(10, 14)]
    sender.finish([*month, {**row(3), "invoice_no": "INV-3b"}], batch="april")
    assert sum(victor_sandbox.work_done_by_key().values()) == 8


SPELLINGS = [("INV-1", "inv-1"), ("01042", "1042"), ("1,042", "1042.0")]


@pytest.mark.parametrize(("first", "second"), SPELLINGS)
def test_two_spellings_of_one_key_are_refused_in_one_sheet_and_in_two(
    sender, victor_sandbox, first, second
):
    both = [row(1, invoice_no=first), row(2, invoice_no=second)]
    with pytest.raises(InvalidRows, match="in another spelling") as error:
        sender().send(both)
    assert error.value.check.problems[0].row == 2
    sender.finish(both[:1])
    with nothing_sent(victor_sandbox), pytest.raises(InvalidRows, match=rf"{first} \(march, "):
        sender(batch="april", skip_invalid=True).send(both[1:])


def test_what_waits_is_dropped_and_what_was_asked_stays(sender, victor_sandbox):
    sender.finish(rows(2))
    sender.store([*rows(4)])
    assert sender().drop() == 2
    assert sender().resume().counts == {"created": 2}
    asked_once(victor_sandbox, rows(2))
    sender.finish(rows(3))
