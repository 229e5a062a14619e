"""Which new rows of a sheet are asked about, and what persons decide holds for; and what waits of a
batch when its next sheet is another one.
"""

from datetime import timedelta

import pytest

from tests.bulk.bulk_runs import (
    WHO,
    asked_once,
    in_days,
    in_state,
    nothing_sent,
    refused,
    row,
    rows,
)

pytestmark = pytest.mark.pull_request


def of_payers(*numbers):
    """Rows that each ask another payer."""
    return [row(number, payer_counterparty_id=f"payer-{number}") for number in numbers]


# The same payment in another spelling


def test_a_new_key_of_the_payer_of_a_created_payment_that_the_sheet_lacks_is_a_question(
    sender, victor_sandbox
):
    """Whatever its values. It is asked if a person says so, or once the other key is back."""
    first, second, third = of_payers(1, 2, 3)
    sender.finish([first, second, third])
    respelled = {**first, "invoice_no": "2026/1", "amount": "7.00"}
    other = {**second, "invoice_no": "2026/2", "amount": "8.00"}
    status = sender().send([respelled, other, third])
    assert (status.noticed["looks_like"], status.exit_status) == (2, 1)
    assert status.notices[0].message.startswith("2026/1 has the payer or payee of INV-1 (march, ")
    asked_once(victor_sandbox, [first, second, third])
    sender.ask_again("2026/1")
    assert sender().resume().counts["to_decide"] == 1
    sender.finish([respelled, second, other, third])
    asked_once(victor_sandbox, [first, second, third, respelled, other])


def test_a_row_with_all_values_of_a_batch_that_shares_rows_with_the_sheet_is_a_question(
    sender, victor_sandbox
):
    """A copy of the file, with some keys in another spelling."""
    sent = of_payers(1, 2)
    sender.finish(sent)
    copied = {**sent[0], "invoice_no": "2026/1"}
    new = of_payers(3, 4, 5)
    status = sender(batch="copy").send([sent[1], copied, *new])
    assert status.counts == {"created": 4, "to_decide": 1}
    (message,) = (each.message for each in status.notices if each.code == "looks_like")
    assert message.startswith("2026/1 asks what INV-1 asked (march, ")
    asked_once(victor_sandbox, [*sent, *new])


def test_the_newest_payment_that_a_copy_may_be_is_named(sender):
    """It is compared with the list before, and not with the one before that."""
    weeks = {week: [row(1, invoice_no=f"{week}-{number}") for number in (1, 2)] for week in "AB"}
    for week, records in weeks.items():
        sender(batch="weekly").send(records)
        if week == "B":  # it has the values of the first list, too: a person says what it is
            assert sender(batch="weekly").ask_again(["B-1", "B-2"], by="Ann", why="both") == 2
            sender.finish(batch="weekly")
    copied = [row(1, invoice_no=f"2026/{number}") for number in (1, 2)]
    named = [each.message.partition(" (")[0] for each in sender(batch="copy").send(copied).notices]
    assert named == ["2026/1 asks what B-1 asked", "2026/2 asks what B-2 asked"]


def test_two_respelled_rows_of_one_payer_are_two_payments_of_its(sender):
    first, second, third = rows(3)
    sender.finish([first, second, third])
    respelled = [{**second, "invoice_no": "2026/2"}, {**first, "invoice_no": "2026/1"}]
    named = [
        each.message.partition(" (")[0]
        for each in sender().send([*respelled, third]).notices
        if each.code == "looks_like"
    ]
    has = "has the payer or payee of"
    assert named == [f"2026/2 {has} INV-2", f"2026/1 {has} INV-1"]


def test_a_copy_may_have_other_references_too(sender, victor_sandbox):
    sender.finish([row(1, client_reference_id="REF-1")])
    copied = row(1, invoice_no="2026/1", client_reference_id="2026/1")
    with nothing_sent(victor_sandbox):
        assert sender(batch="copy").send([copied]).noticed == {"looks_like": 1}


def test_a_row_with_the_values_of_a_batch_that_shares_no_row_with_the_sheet_is_sent(
    sender, victor_sandbox
):
    """Unless most of its new rows are so."""
    sent = of_payers(1, 2)
    sender.finish(sent)
    others = [{**sent[0], "invoice_no": "2026/1"}, *of_payers(3, 4)]
    sender.finish(others, batch="april")
    asked_once(victor_sandbox, [*sent, *others])


def test_two_rows_with_the_values_of_two_payments_are_two_questions(sender, victor_sandbox):
    """A payer may owe the same amount twice."""
    first, second = row(1), row(1, invoice_no="INV-2")
    sender.finish([first, second])
    copied = [{**first, "invoice_no": "2026/1"}, {**first, "invoice_no": "2026/2"}]
    third = {**first, "invoice_no": "2026/3"}
    with nothing_sent(victor_sandbox):
        assert sender(batch="copy").send(copied).counts == {"to_decide": 2}
    assert sender(batch="april").send([*copied, third]).counts == {"created": 1, "to_decide": 2}


def test_a_respelled_list_is_asked_about_whole_though_two_batches_have_asked_its_rows(
    sender, victor_sandbox
):
    listed = of_payers(*range(1, 11))
    sender.finish(listed[:4], batch="a")
    sender.finish(listed)
    respelled = [{**each, "invoice_no": f"2026/{n}"} for n, each in enumerate(listed)]
    with nothing_sent(victor_sandbox):
        assert sender().send(respelled).counts == {"to_decide": 10}


def test_a_row_with_the_values_of_another_batch_and_another_due_date_is_sent(
    sender, victor_sandbox
):
    first, second = of_payers(1, 2)
    sender.finish([first, second])
    later = {**first, "invoice_no": "2026/1", "due_date": in_days(1)}
    sender.finish([second, later], batch="april")
    asked_once(victor_sandbox, [first, second, later])


def test_a_new_key_of_the_payer_of_a_payment_that_waits_in_another_batch_is_a_question(
    sender, victor_sandbox
):
    """That batch has taken it over, and sends it: it makes no difference which one is faster."""
    first, second, third = of_payers(1, 2, 3)
    sender.store([first, second], batch="a")
    sender.store([first, third], batch="b")
    respelled = {**first, "invoice_no": "2026/1", "amount": "77.00"}
    assert sender(batch="a").send([respelled, second]).counts == {"created": 1, "to_decide": 1}
    sender(batch="b").resume()
    asked_once(victor_sandbox, [first, second, third])


def test_a_row_that_one_batch_asks_about_is_sent_by_no_copy_of_its_sheet(sender, victor_sandbox):
    """Nor once the sheet is corrected: the copy has the rewritten key still."""
    first, second = of_payers(1, 2)
    sender.finish([first, second])
    respelled = {**first, "invoice_no": "Jan-62", "due_date": in_days(1)}
    assert sender().send([respelled, second]).counts == {"created": 1, "to_decide": 1}
    copy = {"batch": "copy"}
    assert sender(**copy).send([respelled, second]).counts == {"created": 1, "to_decide": 1}
    sender.finish([first, second])
    assert sender(**copy).resume().counts == {"created": 1, "to_decide": 1}
    asked_once(victor_sandbox, [first, second])
    sender(**copy).ask_again(["Jan-62"], **WHO)
    assert sender(**copy).resume().counts == {"created": 2}
    asked_once(victor_sandbox, [first, second, respelled])


# The sheet of a batch


def test_a_named_batch_begins_another_list_once_nothing_of_the_last_one_waits(
    sender, victor_sandbox
):
    sender.store(of_payers(1, 2))
    with nothing_sent(victor_sandbox), refused("Resume that one first, or drop it"):
        sender().send(of_payers(3, 4))
    sender.finish()
    status = sender.finish(of_payers(3, 4))
    assert (status.counts, status.lacking) == ({"created": 2}, 0)
    asked_once(victor_sandbox, of_payers(1, 2, 3, 4))


def test_a_sheet_of_which_nothing_was_asked_is_no_other_list_once_its_keys_are_restored(
    sender, bulk, victor_sandbox
):
    """Any other list is still refused: the questions about the first one are open."""
    sent = of_payers(1, 2, 3)
    sender.finish(sent, batch="march")
    own = sender.of(batch=None)
    copied = [{**each, "invoice_no": f"2026/{n}"} for n, each in enumerate(sent)]
    assert own().send(bulk.write(copied)).counts == {"to_decide": 3}
    with nothing_sent(victor_sandbox), refused("No row of this sheet is in the one"):
        own().send(bulk.write(of_payers(7, 8)))
    assert own().send(bulk.write(sent)).counts == {"created": 3}


def test_the_next_list_of_a_named_batch_may_ask_the_same_payers(sender, victor_sandbox):
    sender.finish(of_payers(1, 2))
    due = in_days(1)
    after = [
        {**each, "invoice_no": f"{n}-B", "due_date": due} for n, each in enumerate(of_payers(1, 2))
    ]
    sender.finish(after)
    asked_once(victor_sandbox, [*of_payers(1, 2), *after])


def test_what_waits_and_the_next_sheet_lacks_or_spoils_is_pulled_back(sender, victor_sandbox):
    sender.store(rows(3))
    sender.store([row(1), row(2, amount="0")], skip_invalid=True)
    assert sender().resume().counts == {"created": 1, "refused": 1}
    asked_once(victor_sandbox, rows(1))


def test_dropping_a_batch_pulls_back_what_it_alone_asks_for(sender, victor_sandbox, tmp_path):
    sender.store(rows(2))
    sender.store([row(2), row(3)], batch="april")
    sender().drop()
    waiting = "count(*) FROM victor_bulk WHERE state = 'waiting'"
    assert in_state(tmp_path / "state.sqlite", waiting) == [2]
    sender.finish(batch="april")
    asked_once(victor_sandbox, [row(2), row(3)])


def test_a_batch_does_not_override_a_newer_sheet_of_another_one_when_it_is_resumed(
    sender, victor_sandbox
):
    newer = [row(1, amount="9.00"), row(2)]
    sender.store([row(1), row(3)])
    sender.store(newer, batch="april")
    status = sender().resume()
    assert status.counts == {"created": 1, "to_decide": 1}
    assert status.noticed == {"waits_otherwise": 1}
    sender.finish(batch="april")
    assert {result.asked["amount"] for result in sender().export()} == {"9.00", "4.23"}
    asked_once(victor_sandbox, [*newer, row(3)])


def test_a_sheet_whose_rows_were_forgotten_is_stored_anew_when_it_comes_again(sender, tmp_path):
    sheets = "count(*) FROM victor_bulk_sheets"
    for _ in range(2):
        sender.finish(rows(2))
    assert in_state(tmp_path / "state.sqlite", sheets) == [1]
    sender().forget(older_than=timedelta(0))
    sender.finish(rows(2))
    assert in_state(tmp_path / "state.sqlite", sheets) == [2]
    assert {*sender.results()} == {"INV-1", "INV-2"}


def test_a_decision_holds_for_the_values_that_it_was_made_for(sender, victor_sandbox):
    sender.finish(rows(1))
    victor_sandbox.move(sender.result().id, "declined")
    sender.ask_again("INV-1")
    with nothing_sent(victor_sandbox):
        status = sender().send([row(1, amount="99.00")])
    assert (status.counts, status.noticed) == ({"to_decide": 1}, {"other_values": 1})


# A restored state


def test_a_row_for_which_nothing_was_asked_before_a_hold_is_only_looked_up_when_it_is_corrected(
    sender, victor_sandbox
):
    """It may have been corrected and asked since the backup."""
    sender.finish(rows(1))
    assert sender(skip_invalid=True).send([row(1), row(2, amount="0")]).counts["refused"] == 1
    sender().hold()
    sender().release()
    with nothing_sent(victor_sandbox):
        status = sender().send(rows(2))
    assert status.noticed["asked_since"] == 1
    assert status.counts == {"created": 1, "unknown": 1}
