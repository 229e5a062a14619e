"""A sheet has all that its batch has asked for: so no key that a program has rewritten asks twice,
and no report is silent about a payment.
"""

import signal
from pathlib import Path

import pytest

from tests.bulk.bulk_runs import (
    asked_once,
    in_days,
    nothing_sent,
    outbound,
    places,
    refused,
    respond_to_creates,
    row,
    rows,
    wait_for_rows,
)
from victor_ext.bulk import _sheet_rule

pytestmark = pytest.mark.slow
COPY = "new rows have all values and the due date of what was asked"
LACKS = r"has asked for INV-2, and this sheet lacks .* such as --batch .open \$\(date \+%F\)"


def test_the_page_has_the_rule_as_the_code_has_it():
    page = (Path(__file__).parents[2] / "docs/bulk.md").read_text(encoding="utf-8")
    rule = _sheet_rule.__doc__.partition("1. ")[2].partition("What programs do")[0]
    assert " ".join(rule.split()) in " ".join(page.split())


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
        assert [problem.code for problem in sender().check(sheet).problems] == ["another_list"]
        with refused(LACKS):
            sender(skip_invalid=True, other_payments=1).send(sheet)
    sender.finish([*rows(4)])
    asked_once(victor_sandbox, rows(4))


@pytest.mark.parametrize("shares_rows", [False, True])
def test_a_copy_with_other_keys_is_refused_unless_a_person_says_that_it_is_none(
    sender, victor_sandbox, shares_rows
):
    sender.finish(rows(3))
    copied = respelled(rows(3))
    sheet = [row(1), row(2), copied[2], *rows(4, start=8)] if shares_rows else copied
    count = 1 if shares_rows else 3
    with nothing_sent(victor_sandbox):
        with refused(rf"{COPY}.* those of INV-3 \(march, .* --other-payments {count}\."):
            sender(batch="copy").send(sheet)
        with refused(COPY):  # a person has looked at another number
            sender(batch="copy", other_payments=count + 1).send(sheet)
    sender.finish(sheet, batch="copy", other_payments=count)
    with refused("leave --other-payments out"):
        sender(batch="copy", other_payments=count).send([*sheet, row(20)])


def respelled(records):
    """The same rows, under other keys."""
    return [{**each, "invoice_no": f"{each['invoice_no']} of March"} for each in records]


def test_a_copy_is_refused_though_several_batches_have_asked_its_rows(sender, victor_sandbox):
    sender.finish(rows(2), batch="february")
    sender.finish(rows(2, start=3))
    copied = respelled(rows(4))
    with nothing_sent(victor_sandbox), refused(f"4 of 5 {COPY}"):
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


@pytest.mark.parametrize("rewritten", [{}, {"notes": "rent march"}])
def test_what_is_rewritten_with_the_key_makes_no_other_payment(sender, victor_sandbox, rewritten):
    first = row(1, client_reference_id="REF-1", notes="Rent March")
    renamed = {"invoice_no": "2026/1", "client_reference_id": "2026/1"}
    sender.finish([first])
    with nothing_sent(victor_sandbox), refused(COPY):
        sender(batch="copy").send([{**first, **renamed, **rewritten}])


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
    with refused("in another spelling") as error:
        sender().send(both)
    assert error.value.check.problems[0].row == 2
    sender.finish(both[:1])
    with nothing_sent(victor_sandbox), refused(rf"{first} \(march, "):
        sender(batch="april", skip_invalid=True).send(both[1:])


OLD, OTHER = row(1, invoice_no="01042"), row(1, invoice_no="1042", amount="12.00")
"""A row, and one with its key in another spelling."""


def respelled_is_refused(sender, sandbox):
    with nothing_sent(sandbox), refused("in another spelling"):
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


RF = {"client_reference_id": "RF-1"}


def test_a_reference_that_was_asked_under_another_key_refuses_the_file(sender, victor_sandbox):
    """As in a file that is sent with one key column, and in the next one without."""
    sender.finish([row(1, **RF), row(2)])
    december = [row(1, **RF), *(row(n, client_reference_id=f"RF-{n}") for n in range(3, 6))]
    other = sender.of(batch="december", key_column="client_reference_id", skip_invalid=True)
    with nothing_sent(victor_sandbox), refused(r"INV-1 .march") as error:
        other().send(december)
    assert places(error.value.check) == [(1, "client_reference_id", "asked_reference")]
    with nothing_sent(victor_sandbox), refused("reference of its own"):  # before it is a copy
        other(other_payments=1).send([december[0], december[2]])
    other.finish(december[1:])
    # What has its reference already is no new row; and rows without one are not compared.
    sender.finish([row(1, **RF), row(2), row(7)])


def test_a_rejected_row_is_not_asked_as_corrected_if_its_reference_was_asked_since(
    sender, victor_sandbox
):
    respond_to_creates(victor_sandbox, 400, 1)
    sender().send([row(1, **RF)])
    sender.finish([row(2, **RF)], batch="april")
    with nothing_sent(victor_sandbox), refused("reference of its own"):
        sender().send([row(1, amount="9.00", **RF)])


def test_two_rows_of_one_sheet_with_one_reference_refuse_the_file(sender, victor_sandbox):
    with nothing_sent(victor_sandbox), refused("client_reference_id is that of row 1") as error:
        sender().send([row(1, **RF), row(2), row(3, **RF)])
    assert places(error.value.check) == [(3, "client_reference_id", "asked_reference")]


def test_a_row_that_was_asked_before_says_with_which_values_and_how_to_ask_once_more(
    sender, victor_sandbox
):
    sender.finish([row(1, notes="first")])
    other = row(1, amount="9.00", payee_account_number="043987673645", due_date=in_days(1))
    with nothing_sent(victor_sandbox):
        status = sender().send([other])
    assert (status.noticed, status.exit_status) == ({"asked_before": 1}, 1)
    message = str(status.notices[0])
    values = f"amount 2.23, due_date {in_days(0)}, notes first, payee_account_number ********0218."
    assert f"(march), with {values}" in message
    assert "such as INV-1B, and INV-1 in its column instead_of" in message


def once_more(records):
    """Rows that ask once more, as a formula of a spreadsheet fills them."""
    return [
        {**each, "invoice_no": f"{each['invoice_no']}B", "instead_of": each["invoice_no"]}
        for each in records
    ]


@pytest.fixture
def expired(sender, victor_sandbox):
    """A sheet of 200 rows, of which 40 have expired."""
    sheet = rows(200)
    sender.finish(sheet)
    for request in outbound(victor_sandbox):
        if float(request["amount"]) < 42:  # 2.23 to 41.23
            victor_sandbox.move(request["id"], "expired")
    return sheet


def test_what_has_expired_is_asked_once_more_by_a_row_that_names_it(
    sender, victor_sandbox, expired
):
    sheet = [*expired, *once_more(expired[:40])]
    sender.finish(sheet)
    sender.finish(sheet)
    asked_once(victor_sandbox, sheet)
    with nothing_sent(victor_sandbox), refused("INV-40B is created: only what is declined"):
        sender(batch="april").send(once_more([{**sheet[-1], "due_date": in_days(1)}]))


def test_what_has_not_ended_unpaid_is_asked_once_more_by_no_formula(
    sender, victor_sandbox, expired
):
    with nothing_sent(victor_sandbox), refused("INV-41 is created: only what is") as error:
        sender(skip_invalid=True).send([*expired, *once_more(expired)])
    assert error.value.check.problem_count == 160
    with nothing_sent(victor_sandbox):
        for other in ("INV-900", "inv-1"):
            with refused(f"{other} is not asked for"):
                sender(batch="april").send([row(900, invoice_no="X", instead_of=other)])
        twice = [row(900, invoice_no=f"INV-1{letter}", instead_of="INV-1") for letter in "BC"]
        with refused("INV-1 is named by several rows"):
            sender().send([*expired, *twice])


def test_a_rejected_row_is_asked_once_more_only_if_its_own_row_is_gone(sender, victor_sandbox):
    """Else both could be asked, the row as corrected."""
    respond_to_creates(victor_sandbox, 400, 1)
    sender().send(rows(1))
    more = once_more(rows(1))
    with nothing_sent(victor_sandbox), refused("may be asked for under its own number"):
        sender().send([row(1, amount="9.00"), *more])
    sender.finish(more)


def test_an_export_of_each_night_is_a_list_of_its_own_whose_night_was_killed(bulk, victor_sandbox):
    """Open invoices, as the page sends them: what is paid leaves the list, what is new enters."""
    nights = [rows(30), rows(60, start=11), rows(40, start=41)]
    for night, records in enumerate(nights):
        bulk.write(records, "open.csv")
        name = ("--batch", f"open 2026-12-0{night + 1}")
        if night == 1:
            with bulk.sending("open.csv", *name, "--rate", "20") as sending:
                wait_for_rows(victor_sandbox, 35, sending)
                sending.send_signal(signal.SIGKILL)
            continue
        ended = bulk.send("open.csv", *name)
        assert ended.status == 0, ended
    ended = bulk("resume", "--batch", "open 2026-12-02")
    assert ended.status == 0, ended
    asked_once(victor_sandbox, rows(80))


def test_a_number_that_nothing_asks_for_any_more_is_no_number_that_is_known(sender, victor_sandbox):
    """What was renumbered before it left, or after it was rejected, is asked under its new one."""
    respond_to_creates(victor_sandbox, 400, 1)
    sender.store(rows(2, start=2), batch="waits")
    sender(batch="rejected").send([row(1, amount="999")])
    for batch, sheet in (("waits", rows(2, start=2)), ("rejected", rows(1))):
        sender.finish(respelled(sheet), batch=batch)
    with nothing_sent(victor_sandbox):
        for sheet in (rows(2, start=2), rows(1)):
            with refused(COPY):
                sender(batch="once more").send(sheet)


def test_what_was_asked_once_more_is_asked_by_no_other_number(sender, victor_sandbox):
    sender.finish(rows(2))
    for request in outbound(victor_sandbox):
        victor_sandbox.move(request["id"], "expired")
    sender.finish(once_more(rows(1)), batch="week 48")
    with nothing_sent(victor_sandbox), refused(COPY):
        sender(batch="week 49").send([row(1, invoice_no="1042", instead_of="INV-1")])


def test_references_that_change_places_are_refused(sender, victor_sandbox):
    sender.finish([row(2, client_reference_id="R2")], batch="february")
    sender.store([row(1, client_reference_id="R1")])
    swapped = [row(1, client_reference_id="R2"), row(2, client_reference_id="R1")]
    with nothing_sent(victor_sandbox), refused("is that of INV-2"):
        sender().send(swapped)


def test_a_sheet_has_what_may_have_been_asked_since_its_backup(sender, victor_sandbox, backup):
    respond_to_creates(victor_sandbox, 400, 1)
    sender(workers=1).send([row(1, amount="999"), row(2)])
    backup.make()
    sender.finish(rows(2))
    backup.restore()
    sender().hold()
    sender().release()
    with nothing_sent(victor_sandbox), refused("has asked for INV-1"):
        sender().send([row(2), row(1, invoice_no="R/1")])


@pytest.mark.parametrize("heading", ["instead of", "Instead_Of", "insteadof"])
def test_another_spelling_of_the_column_is_refused(sender, victor_sandbox, heading):
    with nothing_sent(victor_sandbox), refused("must be instead_of"):
        sender().send([*rows(2), {**row(1, invoice_no="INV-1B"), heading: "INV-1"}])


def test_what_is_asked_once_more_has_the_values_of_what_it_names(sender, victor_sandbox):
    """A column may have been moved by sorting."""
    sender.finish(rows(2))
    for request in outbound(victor_sandbox):
        victor_sandbox.move(request["id"], "expired")
    with nothing_sent(victor_sandbox), refused("INV-1 is asked with other values than this row"):
        moved = row(2, invoice_no="INV-2B", instead_of="INV-1", due_date=in_days(1))
        sender(batch="april").send([moved])
