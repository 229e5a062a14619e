"""A sheet has all that its batch has asked for: so no key that a program has rewritten asks twice,
and no report is silent about a payment.
"""

import pytest

from tests.bulk.bulk_runs import (
    asked_once,
    in_days,
    keys_of,
    nothing_sent,
    places,
    refused,
    respond_to_creates,
    row,
    rows,
)
from victor_ext.bulk import InvalidRows

pytestmark = pytest.mark.slow
COPY = "new rows ask what march has asked"
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
    with nothing_sent(victor_sandbox), refused(COPY):
        sender(batch="copy").send(sheet)
    sender.finish(sheet, batch="copy", other_payments=True)


def respelled(records):
    """The same rows, under other keys."""
    return [{**each, "invoice_no": f"{each['invoice_no']} of March"} for each in records]


def test_a_copy_is_refused_though_several_batches_have_asked_its_rows(sender, victor_sandbox):
    sender.finish(rows(2), batch="february")
    sender.finish(rows(2, start=3))
    copied = respelled(rows(4))
    with nothing_sent(victor_sandbox), refused("2 of 5 new rows ask what"):
        sender(batch="copy").send([*copied[1:], copied[0], row(9)])


def test_a_row_is_a_copy_of_one_payment(sender, victor_sandbox):
    """A payer may owe the same amount twice."""
    twice = [row(1), row(1, invoice_no="INV-2")]
    sender.finish(twice)
    sender.finish([*respelled(twice[:1]), *rows(2, start=8)], batch="april")


def test_what_is_due_on_another_day_is_no_copy(sender, victor_sandbox):
    sender.finish(rows(2))
    later = [{**each, "due_date": in_days(1)} for each in respelled(rows(2))]
    sender.finish(later, batch="april")
    asked_once(victor_sandbox, [*rows(2), *later])


@pytest.mark.parametrize("rewritten", [{"client_reference_id": "2026/1"}, {"notes": "rent march"}])
def test_what_is_rewritten_with_the_key_makes_no_other_payment(sender, victor_sandbox, rewritten):
    first = row(1, client_reference_id="REF-1", notes="Rent March")
    sender.finish([first])
    with nothing_sent(victor_sandbox), refused(COPY):
        sender(batch="copy").send([{**first, "invoice_no": "2026/1", **rewritten}])


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


OLD, OTHER = row(1, invoice_no="01042"), row(1, invoice_no="1042", amount="12.00")
"""A row, and one with its key in another spelling."""


def respelled_is_refused(sender, sandbox):
    with nothing_sent(sandbox), pytest.raises(InvalidRows, match="in another spelling"):
        sender(batch="april").send([OTHER])


def test_another_spelling_of_what_waits_is_refused(sender, victor_sandbox):
    sender.store([OLD])
    respelled_is_refused(sender, victor_sandbox)


def test_a_restored_state_refuses_another_spelling_of_what_was_rejected(sender, victor_sandbox):
    """It may have been corrected, and asked, since the backup."""
    respond_to_creates(victor_sandbox, 400, 1)
    assert sender().send([OLD]).counts == {"rejected": 1}
    sender().hold()
    sender().release()
    respelled_is_refused(sender, victor_sandbox)


def test_what_waits_is_dropped_and_what_was_asked_stays(sender, victor_sandbox):
    sender.finish(rows(2))
    sender.store([*rows(4)])
    assert sender().drop() == 2
    assert sender().resume().counts == {"created": 2}
    asked_once(victor_sandbox, rows(2))
    sender.finish(rows(3))


RF = {"client_reference_id": "RF-1"}


@pytest.mark.parametrize("skip_invalid", [False, True])
def test_a_reference_that_was_asked_under_another_key_refuses_the_file(
    sender, victor_sandbox, skip_invalid
):
    """As in a file that is sent with one key column, and in the next one without."""
    sender.finish([row(1, **RF), row(2)])
    december = [row(1, **RF), *(row(n, client_reference_id=f"RF-{n}") for n in range(3, 6))]
    other = sender.of(batch="december", key_column="client_reference_id", skip_invalid=skip_invalid)
    with nothing_sent(victor_sandbox), pytest.raises(InvalidRows, match=r"INV-1 .march") as error:
        other().send(december)
    assert places(error.value.check) == [(1, "client_reference_id", "asked_reference")]
    with nothing_sent(victor_sandbox), pytest.raises(InvalidRows, match="reference of its own"):
        other(other_payments=True).send(december[:1])
    other.finish(december[1:])
    # What has its reference already is no new row; and rows without one are not compared.
    sender.finish([row(1, **RF), row(2), row(7)])


def test_a_rejected_row_is_not_asked_as_corrected_if_its_reference_was_asked_since(
    sender, victor_sandbox
):
    respond_to_creates(victor_sandbox, 400, 1)
    sender().send([row(1, **RF)])
    sender.finish([row(2, **RF)], batch="april")
    with nothing_sent(victor_sandbox), pytest.raises(InvalidRows, match="reference of its own"):
        sender().send([row(1, amount="9.00", **RF)])
