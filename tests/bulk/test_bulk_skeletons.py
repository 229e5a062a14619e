"""Texts that a spreadsheet, a copy or a keyboard makes of one key are one payment until a person
says otherwise, whatever else the rows say; texts that no tool makes of each other are never one.
"""

from itertools import product

import pytest

from tests.bulk.bulk_runs import (
    ACCOUNT,
    asked_once,
    in_days,
    nothing_sent,
    outbound,
    respond_to_creates,
    row,
    write_csv,
)
from tests.cases import cases_beside
from tests.tiers import borders
from victor_ext._ids import skeleton_of
from victor_ext._tables.texts import text_of_cell
from victor_ext.reconciliation._entries import EntryReader

pytestmark = pytest.mark.slow
KEYS = cases_beside(__file__, "keys")
SPELLINGS, OTHERS, ALIKE = KEYS["spellings"], KEYS["others"], KEYS["alike"]
RESPELLED = [(key, text) for key, texts in SPELLINGS.items() for text in texts]


@pytest.mark.parametrize(("key", "text"), [*RESPELLED, *product(["INV 1-42/b"], KEYS["unseen"])])
def test_a_key_that_a_tool_has_respelled_has_the_same_skeleton(key, text):
    assert skeleton_of(text) == skeleton_of(key)


def test_keys_that_no_tool_makes_of_each_other_have_different_skeletons():
    assert len({*map(skeleton_of, OTHERS)}) == len(OTHERS)


# As an operator meets it


def test_a_row_with_a_respelled_key_is_not_sent_again_whatever_its_values(sender, victor_sandbox):
    """Amounts are corrected in a sheet that has dropped the zeros of the numbers."""
    first = [row(number, invoice_no=key) for number, key in enumerate(SPELLINGS)]
    sender.finish(first)
    texts = [(key, text_of_cell(text)) for key, text in RESPELLED if text != '="1042"']
    records = [row(1, invoice_no=text, amount="12.00", due_date=in_days(1)) for _, text in texts]
    for batch in ("march", "april"):
        status = sender(batch=batch).send(records)
        assert status.noticed == {"looks_like": len(records)}
        for (key, text), notice in zip(texts, status.notices, strict=True):
            assert notice.message.startswith(f"{text} is {key} (march, ")
            advice = f"If they are one payment, keep {key}. If both are to be paid: ask-again."
            assert notice.message.endswith(f"Not sent. {advice}")
    asked_once(victor_sandbox, first)


@pytest.mark.parametrize("column", ["invoice_no", "client_reference_id"])
@pytest.mark.parametrize("keys", borders(ALIKE, *ALIKE[:2]))
def test_a_key_with_other_zeros_is_a_question_in_another_file_if_all_else_is_equal(
    sender, victor_sandbox, column, keys
):
    """Until a person allows both."""
    one, other = keys
    first, second = (row(7, **{"invoice_no": key, column: key}) for key in (one, other))
    sender = sender.of(key_column=column)
    sender.finish([first], batch="march")
    (notice,) = sender(batch="april").send([second]).notices
    assert notice.message.startswith(f"{other} asks what {one} asked (march, ")
    assert notice.message.endswith(f"write {one} again. If both are to be paid: ask-again.")
    asked_once(victor_sandbox, [first])
    sender.ask_again(other, batch="april")
    sender.finish(batch="april")
    asked_once(victor_sandbox, [first, second])


def test_only_the_first_of_two_spellings_of_a_key_is_sent_until_a_person_allows_the_other(
    sender, victor_sandbox
):
    first = row(1, invoice_no="01042", amount="10.00")
    second = row(2, invoice_no="1042", amount="12.00")
    for place in ("row 1", "march, "):
        check = sender().send([first, row(3), second]).check
        (notice,) = (each for each in check.notices if each.code == "looks_like")
        assert f"1042 is 01042 ({place}" in notice.message
        assert "1042 is 01042 (march, " in sender.results()["1042"].error
        asked_once(victor_sandbox, [first, row(3)])
    sender.ask_again("1042")
    sender.finish()
    asked_once(victor_sandbox, [first, row(3), second])


def test_a_waiting_row_is_not_sent_beside_another_spelling_of_its_key_in_the_next_file(
    sender, victor_sandbox
):
    waiting = row(2, invoice_no="1042", amount="12.00")
    first = row(1, invoice_no="01042", amount="10.00")
    sender.store([waiting])
    status = sender().send([first, waiting])
    assert status.exit_status == 1
    asked_once(victor_sandbox, [first])


@pytest.mark.pull_request
def test_a_restored_state_sends_no_other_spelling_of_a_rejected_key(sender, victor_sandbox, backup):
    """It was rejected, and then corrected and asked; the backup knows only of the rejection."""
    respond_to_creates(victor_sandbox, 400, 1)
    first = row(1, invoice_no="01042", amount="10.00")
    assert sender().send([first]).counts == {"rejected": 1}
    backup.make()
    sender.finish([{**first, "amount": "11.00"}])
    backup.restore()
    sender().hold()
    sender().release()
    with nothing_sent(victor_sandbox):
        status = sender(batch="april").send([row(1, invoice_no="1042", amount="12.00")])
    assert status.noticed == {"looks_like": 1}


def test_a_restored_state_sends_no_other_spelling_of_a_key_of_its_sheet_that_was_refused(
    sender, victor_sandbox
):
    """It may have been corrected and asked since the backup."""
    sender = sender.of(skip_invalid=True)
    sender().send([row(1, invoice_no="01042", amount="0"), row(2)])
    sender().hold()
    sender().release()
    with nothing_sent(victor_sandbox):
        status = sender().send([row(1, invoice_no="1042", amount="12.00"), row(2)])
    assert status.noticed["looks_like"] == 1


def test_keys_of_another_kind_are_other_payments_in_any_spelling(sender, victor_sandbox):
    sender.finish([row(1, invoice_no="T-17")], key_kind="rent-2026-10")
    november = {"batch": "november", "key_kind": "rent-2026-11"}
    sender.finish([row(1, invoice_no="t-17", due_date=in_days(1), amount="9.00")], **november)
    assert [*victor_sandbox.work_done_by_key().values()] == [1, 1]


# What a cell stands for


def test_a_cell_that_a_tool_has_marked_as_text_is_read_as_the_text_in_it(
    sender, victor_sandbox, tmp_path
):
    """In keys, references and accounts: as our own export writes it, and as others keep zeros."""
    sent = {"invoice_no": "-01042", "client_reference_id": "-7", "payee_account_number": ACCOUNT}
    formulas = {name: f'="{text}"' for name, text in sent.items()}
    quoted = {"invoice_no": "'-01042", "client_reference_id": "'-7"}
    for number, cells in enumerate([formulas, quoted, {}]):
        file = write_csv(tmp_path / f"{number}.csv", [row(1, **{**sent, **cells})])
        status = sender.finish(file, batch=str(number))
        assert status.noticed == ({"created_before": 1} if number else {})
    asked_once(victor_sandbox, [row(1, **sent)])
    assert outbound(victor_sandbox)[0]["client_reference_id"] == "-7"


def test_a_row_is_named_as_the_export_writes_its_key(sender, victor_sandbox):
    records = [row(1, invoice_no="-7"), row(2, invoice_no="-007", amount="2.00")]
    assert sender().send(records).exit_status == 1
    sender.ask_again("'-007")
    sender.finish()
    asked_once(victor_sandbox, records)


@pytest.mark.parametrize("cell", ["'-1042", '="-1042"', "-1042", '\'="-1042"'])
def test_reconcile_reads_a_cell_that_a_tool_has_marked_as_text_as_the_text_in_it(tmp_path, cell):
    record = {"client_reference_id": cell, "id": cell, "key": cell}
    record |= {"amount": "44.23", "currency": "USD"}
    (entry,) = EntryReader().read(write_csv(tmp_path / "ours.csv", [record]))
    assert (entry.reference, entry.id, entry.key) == ("-1042", "-1042", "-1042")
