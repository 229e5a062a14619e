"""Texts that a spreadsheet, a copy or a keyboard makes of one key are one payment until a person
says otherwise, whatever else the rows say; texts that no tool makes of each other are never one.
"""

from itertools import product

import pytest

from tests.bulk.bulk_runs import (
    ACCOUNT,
    asked_once,
    outbound,
    row,
    write_csv,
)
from tests.cases import cases_beside
from victor_ext._values.ids import skeleton_of
from victor_ext.reconciliation._entries import EntryReader

pytestmark = pytest.mark.slow
KEYS = cases_beside(__file__, "keys")
SPELLINGS, OTHERS = KEYS["spellings"], KEYS["others"]
RESPELLED = [(key, text) for key, texts in SPELLINGS.items() for text in texts]


@pytest.mark.parametrize(("key", "text"), [*RESPELLED, *product(["INV 1-42/b"], KEYS["unseen"])])
def test_a_key_that_a_tool_has_respelled_has_the_same_skeleton(key, text):
    assert skeleton_of(text) == skeleton_of(key)


def test_keys_that_no_tool_makes_of_each_other_have_different_skeletons():
    assert len({*map(skeleton_of, OTHERS)}) == len(OTHERS)


# As an operator meets it


def test_a_cell_that_a_tool_has_marked_as_text_is_read_as_the_text_in_it(
    sender, victor_sandbox, tmp_path
):
    """In keys, references and accounts: as our own export writes it, and as others keep zeros."""
    sent = {"invoice_no": "-01042", "client_reference_id": "-7", "payee_account_number": ACCOUNT}
    formulas = {name: f'="{text}"' for name, text in sent.items()}
    quoted = {"invoice_no": "'-01042", "client_reference_id": "'-7"}
    for number, cells in enumerate([formulas, quoted, {}]):
        file = write_csv(tmp_path / f"{number}.csv", [row(1, **{**sent, **cells})])
        assert sender.finish(file, batch=str(number)).check.unchanged == (1 if number else 0)
    asked_once(victor_sandbox, [row(1, **sent)])
    assert outbound(victor_sandbox)[0]["client_reference_id"] == "-7"


@pytest.mark.parametrize("cell", ["'-1042", '="-1042"', "-1042", '\'="-1042"'])
def test_reconcile_reads_a_cell_that_a_tool_has_marked_as_text_as_the_text_in_it(tmp_path, cell):
    record = {"client_reference_id": cell, "id": cell, "key": cell}
    record |= {"amount": "44.23", "currency": "USD"}
    (entry,) = EntryReader().read(write_csv(tmp_path / "ours.csv", [record]))
    assert (entry.reference, entry.id, entry.key) == ("-1042", "-1042", "-1042")
