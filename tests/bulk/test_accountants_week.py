"""A week of an accountant, as the page `docs/spreadsheet.md` tells it: what she types, how it ends,
and what she is told to do next.
"""

from dataclasses import replace

import pytest

from tests.bulk.bulk_runs import asked_once, nothing_sent
from tests.cli.victor_command import Command
from tests.payments import cells
from victor_ext import idempotency_key_for

pytestmark = pytest.mark.slow
INVOICES = "invoices.csv"


def invoice(number, **changes):
    own = {"payer_counterparty_id": f"payer{number:06}", "amount": f"{number}0.00"}
    return {"client_reference_id": f"INV-{number}", **cells(**own), **changes}


def invoices(*numbers):
    return [invoice(number) for number in numbers]


def ends(ran, status, *sentences):
    """A command ends with this status, and she sees these sentences."""
    shown = ran.out + ran.err
    assert ran.status == status, shown
    for sentence in sentences:
        assert sentence in shown, shown
    return shown


def asked_once_each(sandbox, *numbers):
    """One request was made for each of these invoices, and no other one."""
    asked_once(sandbox, [], *(idempotency_key_for("invoice", f"INV-{each}") for each in numbers))


@pytest.fixture
def bulk(bulk):
    """The key column is the reference, as on the page."""
    return replace(bulk, sends=())


def test_from_monday_to_friday_each_invoice_is_asked_for_once(bulk, sender, victor_sandbox):
    sheet = invoices(1, 2, 3, 4, 5, 6, 7, 8)

    # Monday: she checks the file, and sends it. One row is wrong.
    totals = ("--expect-rows", "8", "--expect-total", "360.00")
    wrong = [invoice(4, amount="$40.00") if each == invoice(4) else each for each in sheet]
    bulk.write(wrong)
    line = "line 5: amount is '$40.00': write ASCII digits"
    ends(bulk.send(INVOICES, *totals, "--dry-run"), 2, line, "Nothing was sent.")
    refused = bulk.send(INVOICES, *totals[:2], "--skip-invalid")
    ends(
        refused,
        1,
        "invoices.csv: 8 rows: 7 created, 1 refused",
        "Correct or delete them in the sheet, and send the whole sheet again.",
        "victor bulk export --batch invoices.csv",
    )
    # She corrects it, and sends the whole sheet.
    bulk.write(sheet)
    ends(bulk.send(INVOICES, *totals, "--dry-run"), 0, "8 rows: 1 new (40.00 USD), 7 stored before")
    ends(bulk.send(INVOICES, *totals), 0, "invoices.csv: 8 rows: 8 created")
    asked_once_each(victor_sandbox, *range(1, 9))

    # Tuesday: a program has respelled two keys when the sheet was saved again.
    respelled = [invoice(1, client_reference_id="2026/1"), *sheet[1:7]]
    respelled.append(invoice(8, client_reference_id="8-INV"))
    bulk.write(respelled)
    with nothing_sent(victor_sandbox):
        lacks = "invoices.csv has asked for INV-1, INV-8, and this sheet lacks what was asked for."
        ends(bulk.send(INVOICES), 2, lacks, "put these rows back, with the keys that they had")
        # A copy of another name has only keys that are respelled.
        copy = [
            {**each, "client_reference_id": f"2026/{number}"} for number, each in enumerate(sheet)
        ]
        bulk.write(copy, "copy.csv")
        ends(bulk.send("copy.csv"), 2, "8 of 8 new rows have all values", "line 2 those of INV-1")
        # The key column is restored, in both.
        for name in (INVOICES, "copy.csv"):
            bulk.write(sheet, name)
            ends(bulk.send(name), 0, f"{name}: 8 rows: 8 created")
    ends(bulk("drop", "--batch", "copy.csv"), 0, "0 rows dropped")

    # Wednesday: two rows wait when the machine is turned off. She deletes one of them.
    bulk.write([*sheet, *invoices(9, 10)])
    sender.of(state=bulk.state, batch=None, key_column=None).store(bulk.folder / INVOICES)
    ends(
        bulk("status", "--batch", INVOICES),
        75,
        "8 created, 2 waiting",
        "resume --batch invoices.csv",
    )
    bulk.write([*sheet, invoice(9)])
    ends(
        bulk.send(INVOICES),
        0,
        "Not sent any more: 1 row of the batch that had not left, and that this file lacks.",
        "invoices.csv: 9 rows: 9 created",
    )

    # Friday: the export has all that was asked for, and both books agree.
    ends(bulk("export", "--batch", INVOICES, "--refresh", "-o", "results.csv"), 0, "9 rows written")
    reconcile = Command(bulk.environment, bulk.folder)
    window = ("--start", "yesterday", "--end", "tomorrow")
    ends(reconcile("reconcile", "results.csv", *window), 0, "The books agree.")
    # Next week's list has the same name: she is told another one.
    bulk.write(invoices(21, 22, 23))
    with nothing_sent(victor_sandbox):
        ends(bulk.send(INVOICES), 2, "Is it another list? Then give it a name of its own")
    ends(bulk.send(INVOICES, "--batch", "week 49"), 0, "3 created")
    asked_once_each(victor_sandbox, *range(1, 10), 21, 22, 23)
    ends(bulk("status"), 0)
