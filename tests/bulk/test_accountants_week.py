"""A week of an accountant, as the page `docs/spreadsheet.md` tells it: what she types, how it ends,
and what she is told to do next.
"""

from dataclasses import replace

import pytest

from tests.bulk.bulk_runs import asked_once, nothing_sent, today, velo_command
from tests.bulk.conftest import STORAGE_KEY
from tests.cli.victor_command import Command
from victor_ext import idempotency_key_for
from victor_ext.sandbox.velo import VeloSandbox, VeloSettings

pytestmark = pytest.mark.slow
INVOICES, PAYOUTS = "invoices.csv", "payouts.csv"


def invoice(number, **changes):
    good = {
        "client_reference_id": f"INV-{number}",
        "payee_account_number": "917364550218",
        "payer_counterparty_id": f"payer{number:06}",
        "amount": f"{number}0.00",
        "biller_type": "BUSINESS",
        "due_date": today().isoformat(),
    }
    return {**good, **changes}


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


@pytest.fixture
def velo():
    with VeloSandbox(VeloSettings(seed=1, validation=0.0, settlement=3600.0)) as running:
        running.add_source_account("USD account", "USD", 10**9)
        for number in range(1, 9):
            running.add_payee(f"payee-{number}")
        yield running


@pytest.fixture
def payouts(velo, bare_environment, tmp_path):
    """The command for payouts."""
    return velo_command(velo, {**bare_environment, "VICTOR_BULK_KEY": STORAGE_KEY}, tmp_path)


def test_from_monday_to_friday_each_invoice_is_asked_for_once(bulk, sender, victor_sandbox):
    sheet = invoices(1, 2, 3, 4, 5, 6, 7, 8)

    # Monday: she checks the file, and sends it. One row is wrong.
    totals = ("--expect-rows", "8", "--expect-total", "360.00")
    wrong = [invoice(4, amount="$40.00") if each == invoice(4) else each for each in sheet]
    bulk.write(wrong)
    line = "line 5: amount is '$40.00': write ASCII digits"
    ends(bulk.send(INVOICES, *totals, "--dry-run"), 2, line, "Nothing was sent.")
    refused = bulk.send(INVOICES, *totals[:2], "--by", "Ann", "--skip-invalid")
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
        ends(
            bulk.send(INVOICES),
            1,
            "Line 2: 2026/1 has the payer or payee of INV-1 (invoices.csv, ",
            "is it that payment in another spelling? Not sent. If it is, write INV-1 again.",
            "2 payments were asked for, and the latest sheet lacks them: INV-1, INV-8.",
        )
        ends(bulk("status"), 1, "2 rows need your decision. The export says why.")
        # A copy of another name has only keys that are respelled: its whole sheet is a question.
        copy = [
            {**each, "client_reference_id": f"2026/{number}"} for number, each in enumerate(sheet)
        ]
        bulk.write(copy, "copy.csv")
        ends(bulk.send("copy.csv"), 1, "8 to decide", "Line 2: 2026/0 asks what INV-1 asked")
        # The key column is restored, in both.
        for name in (INVOICES, "copy.csv"):
            bulk.write(sheet, name)
            ends(bulk.send(name), 0, f"{name}: 8 rows: 8 created")
    ends(bulk("drop", "--batch", "copy.csv"), 0, "0 rows dropped")

    # Wednesday: she deletes a row that was created. It stays asked for.
    rest = [each for each in sheet if each != invoice(7)]
    bulk.write(rest)
    lacking = "1 payment was asked for, and the latest sheet lacks it: INV-7."
    ends(bulk.send(INVOICES), 0, "7 rows: 7 created", f"{lacking} The export has it as row 0.")
    # Two rows wait when the machine is turned off. She deletes one of them.
    bulk.write([*rest, *invoices(9, 10)])
    sender.of(state=bulk.state, batch=None, key_column=None).store(bulk.folder / INVOICES)
    ends(bulk("status", INVOICES), 75, "7 created, 2 waiting", "resume --batch invoices.csv")
    bulk.write([*rest, invoice(9)])
    ends(
        bulk.send(INVOICES),
        0,
        "1 row of the batch had not left and is not in this file: it will not be sent.",
        "invoices.csv: 8 rows: 8 created",
        lacking,
    )

    # Friday: the export has all that was asked for, and both books agree.
    ends(bulk("export", "--batch", INVOICES, "--refresh", "-o", "results.csv"), 0, "9 rows written")
    table = bulk("export", "--batch", INVOICES).table
    assert [line["client_reference_id"] for line in table if line["row"] == "0"] == ["INV-7"]
    reconcile = Command(bulk.environment, bulk.folder)
    window = ("--start", "yesterday", "--end", "tomorrow")
    ends(reconcile("reconcile", "results.csv", *window), 0, "The books agree.")
    # Next week's list has the same name: she is told another one, which may be given each week.
    following = invoices(21, 22, 23)
    bulk.write(following)
    with nothing_sent(victor_sandbox):
        ends(
            bulk.send(INVOICES),
            2,
            "No row of this sheet is in the one that was sent as invoices.csv before.",
            "Is it another list? Then name it, such as --batch work-invoices. That name may be "
            "given each week, once nothing of it waits.",
        )
    for week in (following, invoices(31, 32)):
        bulk.write(week)
        shown = ends(bulk.send(INVOICES, "--batch", "work-invoices"), 0, "created")
        assert "lacks" not in shown
    asked_once_each(victor_sandbox, *range(1, 10), 21, 22, 23, 31, 32)
    ends(bulk("status"), 0)
