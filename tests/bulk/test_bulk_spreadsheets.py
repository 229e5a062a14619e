"""A file as a spreadsheet saves it is read as it says it is written, and else refused with its own
words; nothing is guessed.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.bulk.bulk_runs import (
    ACCOUNT,
    in_days,
    outbound,
    places,
    row,
)
from tests.cases import cases_beside
from tests.payments import GOOD, cells, payment, today
from victor_ext._tables.formats import UnreadableCell, read_amount, read_date
from victor_ext.bulk import RowFile

pytestmark = pytest.mark.slow
CASES = cases_beside(__file__)
COLUMNS = {
    "client_reference_id": "Rechnung",
    **{name: name for name in GOOD},
    "payee_account_number": "Konto",
    "payer_counterparty_id": "Zahler",
    "amount": "Betrag",
    "due_date": "Fällig am",
    "notes": "Notiz",
}
HEADING = ";".join(COLUMNS.values())
SPREADSHEET = {"columns": COLUMNS, "decimal": "comma", "date_format": "DMY"}


def german(day):
    return f"{day:%d.%m.%Y}"


def line(number="R-1", amount="1.234,50", note="", due=""):
    due = due or german(today())
    good = cells(payee_account_number=ACCOUNT, amount=amount, due_date=due)
    return ";".join([number, *good.values(), note])


def file_of(folder, lines, encoding="utf-8-sig"):
    path = folder / "rechnungen.csv"
    path.write_bytes("\r\n".join([*lines, ""]).encode(encoding))
    return path


@pytest.fixture
def sender_options():
    return {"key_column": "client_reference_id"}


@pytest.fixture
def checked(sender, tmp_path):
    """Check a file with these lines."""

    def check(lines, *, own=None, **options):
        file = RowFile(file_of(tmp_path, lines), **{**SPREADSHEET, **options})
        return sender(**(own or {})).check(file)

    return check


def test_decimal_commas_days_before_months_and_umlauts_of_a_german_file_are_sent_as_declared(
    sender, tmp_path, victor_sandbox
):
    tomorrow = german(today() + timedelta(days=1))
    blank_lines = [";;;;;;", " ;"]
    lines = [HEADING, line(note="Grüße"), line("R-2", "44,2", due=tomorrow), *blank_lines]
    path = file_of(tmp_path, lines, "windows-1252")
    file = RowFile(path, **SPREADSHEET, encoding="windows-1252")
    assert sender().check(file, expect_rows=2, expect_total="1278.70").problems == []
    sender.finish(file)
    names = ("client_reference_id", "amount", "due_date", "notes")
    sent = [[made.get(name) for name in names] for made in outbound(victor_sandbox)]
    first, second = sorted(sent)
    assert first == ["R-1", "1234.50", in_days(0), "Grüße"]
    assert second[:3] == ["R-2", "44.2", in_days(1)]


def read_all(field, read, cells):
    """Each cell is read as it is said, or is a problem of this field where nothing is."""
    for cell, expected in cells.items():
        result = read(cell)
        if expected is not None:
            assert result == expected, cell
            continue
        assert isinstance(result, UnreadableCell), cell
        assert result.problem.field == field
        assert result.problem.code == "format"
        assert repr(cell) in result.problem.message


@pytest.mark.parametrize(("decimal", "cells"), CASES["amounts"].items())
def test_an_amount_is_read_by_the_decimal_mark_that_was_given(decimal, cells):
    read_all("amount", lambda cell: read_amount("amount", cell, decimal), cells)
    assert read_amount("amount", "1.234,50", None) == "1.234,50"


@pytest.mark.parametrize(("date_format", "cells"), CASES["dates"].items())
def test_a_date_is_read_in_the_order_of_day_and_month_that_was_given(date_format, cells):
    read_all("due_date", lambda cell: read_date("due_date", cell, date_format), cells)
    assert read_date("due_date", "25.11.2026", None) == "25.11.2026"


@pytest.mark.parametrize("value", CASES["error values"])
@pytest.mark.parametrize("options", [SPREADSHEET, {"decimal": None, "date_format": None}])
def test_the_error_value_of_a_spreadsheet_is_no_key_and_no_value(checked, value, options):
    columns = ("client_reference_id", "amount", "due_date", "notes")
    problems = places(checked([HEADING, line(value, value, value, value)], **options))
    assert {*problems} == {(2, column, "error_value") for column in columns}
    lines = [f"Nummer;{HEADING}", f"{value};{line()}"]
    assert places(checked(lines, own={"key_column": "Nummer"})) == [(2, "Nummer", "error_value")]


@pytest.mark.parametrize(
    "stray",
    [
        [line(note='"Brett 5'), line("R-2", note='Rest 3"')],
        [line(note='"Brett 5'), line("R-2"), line("R-3", note='Rest 3"')],
        [line().replace("aHeq", '"aHeq'), line("R-2").replace("349838", '349838"')],
        [line('"R-1'), line('R-2"')],
    ],
    ids=["in the last column", "over three rows", "between others", "in the first column"],
)
def test_a_stray_quote_neither_joins_rows_nor_loses_a_row(checked, stray):
    check = checked([HEADING, line("R-0"), *stray, line("R-9")], own={"skip_invalid": True})
    assert places(check) == [(3, None, "quote")]
    assert check.broken


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("first", ["", "sep={}\n"])
def test_the_delimiter_is_known_whatever_the_headings_are(sender, tmp_path, delimiter, first):
    headings = HEADING.replace("Konto", '"Konto, IBAN"').split(";")
    path = tmp_path / "rechnungen.csv"
    path.write_text(first.format(delimiter) + delimiter.join(headings) + "\n", "utf-8")
    (problem,) = sender(key_column="Rechnung").check(path).problems
    shown = ", ".join(headings).replace('"', "")
    assert problem.line == (2 if first else 1)
    assert problem.message.startswith(f"the heading ({shown}) lacks payee_account_number, ")


def test_a_heading_that_lacks_columns_names_all_of_them(sender, tmp_path):
    path = tmp_path / "invoices.csv"
    path.write_text("Invoice;Payee Account Number;Amount;Due-Date\n", "utf-8")
    (problem,) = sender(key_column="invoice_no").check(path).problems
    begin, _, names = problem.message.partition(" lacks ")
    assert begin == "the heading (Invoice, Payee Account Number, Amount, Due-Date)"
    names, _, end = names.partition(". ")
    assert {*names.split(", ")} == {*payment()}
    assert end == "It has no column invoice_no to tell the rows apart, either."


OLD = ("--encoding", "windows-1252")
NAMED = (*OLD, "--columns", "columns.txt")
AS_WRITTEN = (*NAMED, "--decimal", "comma", "--date-format", "DMY")


@pytest.fixture
def office(bulk):
    """The command, for files that have their references as keys; and a file of columns."""
    columns = [f"{name}={heading}" for name, heading in COLUMNS.items()]
    mapping = "\r\n".join(["# our invoices", "", *columns])
    (bulk.folder / "columns.txt").write_text(mapping, "utf-8-sig")
    return replace(bulk, sends=())


def spreadsheet(bulk, *lines):
    return file_of(bulk.folder, [HEADING, *lines, ";;;;;;"], "windows-1252").name


def test_problems_are_said_by_cause_in_the_words_of_the_file(office):
    good = [line(f"R-{number}", f"{number},00") for number in range(30)]
    bad = [line("#NV"), line("R-31", "12.50"), line("R-1"), line("#NV"), "R-32"]
    file = spreadsheet(office, *good, *bad)
    ended = office.send(file, *NAMED)
    columns = f"has {len(COLUMNS)} columns"
    shown = ended.err.replace(repr(german(today())), "'TODAY'").replace(columns, "has N columns")
    assert shown.splitlines() == CASES["said at first"]
    ended = office.send(file, *AS_WRITTEN, "--dry-run")
    counts = "35 rows: 29 new (435,00 USD), 5 wrong, 1 with a repeated key. Nothing was sent.\n"
    assert (ended.status, ended.out) == (2, counts)
    assert ended.err.replace(columns, "has N columns").splitlines() == CASES["said at last"]
    causes = office.send(file, *AS_WRITTEN, "--json").error["causes"]
    assert [(cause["column"], cause["count"]) for cause in causes] == [
        ("amount", 1),
        ("client_reference_id", 2),
        ("amount", 1),
        ("client_reference_id", 1),
        (None, 1),
    ]


def test_the_export_has_the_headings_and_the_cells_of_the_file(office):
    wrong = [line("R-2", "abc"), line("R-3", "12.00"), line("R-4", "12,00", due="11/27/26")]
    wrong += [line("R-5", ""), line("R-6").replace(german(today()), "")]
    sent = office.send(spreadsheet(office, line("R-1"), *wrong), *AS_WRITTEN, "--skip-invalid")
    assert "line 6: Betrag is missing: write one, such as 1.234,56.\n" in sent.err
    assert (
        "line 7: Fällig am is missing and must be a date: write 25.11.2026, today or tomorrow.\n"
        in sent.err
    )
    records = office("export").table
    today_text = german(today())
    own_names = ("Rechnung", "Betrag", "Zahler", "Fällig am")
    assert [[record[name] for name in own_names] for record in records] == [
        ["R-1", "1.234,50", "aHeq349838", today_text],
        ["R-2", "abc", "aHeq349838", today_text],
        ["R-3", "12.00", "aHeq349838", today_text],
        ["R-4", "12,00", "aHeq349838", "11/27/26"],
        ["R-5", "", "aHeq349838", today_text],
        ["R-6", "1.234,50", "aHeq349838", ""],
    ]
    assert records[1]["error"].startswith("Betrag is 'abc' and must be digits")
    assert records[3]["error"].startswith("Fällig am is '11/27/26' and must be a date")
    # The message is stored in the form of the file, as the command has said it.
    missing_values = ["Betrag is missing: write one, such as 1.234,56."]
    missing_values += [
        "Fällig am is missing and must be a date: write 25.11.2026, today or tomorrow."
    ]
    assert [record["error"] for record in records[4:]] == missing_values
    first, second, *_ = office("export", "--json").json_lines
    assert (first["asked"], first["agreed"], first["cells"]["Betrag"]) == (
        "1234.50",
        None,
        "1.234,50",
    )
    assert (second["cells"]["Betrag"], second["asked"]) == ("abc", None)


def test_corrected_rows_are_counted_whatever_was_wrong_in_them(office):
    """A row that differs by its due date alone replaces the one before, too."""
    wrong = [line("R-1", "abc"), line("R-2", due="11/27/26"), line("R-3", "12.00")]
    office.send(spreadsheet(office, *wrong), *AS_WRITTEN, "--skip-invalid")
    corrected = spreadsheet(office, *map(line, ["R-1", "R-2", "R-3"]))
    checked = office.send(corrected, *AS_WRITTEN, "--dry-run")
    assert (checked.out, checked.err) == (
        "3 rows: 3 new (3.703,50 USD). Nothing was sent.\n",
        "",
    )
    sent = office.send(corrected, *AS_WRITTEN, "--expect-total", "3.703,50")
    assert "rechnungen.csv: 3 rows to send: 3.703,50 USD." in sent.err


def test_a_row_that_was_sent_with_other_values_is_counted_as_to_decide_everywhere(
    bulk, victor_sandbox
):
    october = [row(1, amount="10.00"), row(2, amount="1250.00"), row(4)]
    assert bulk.send(october, "--batch", "october").status == 0
    changed = [row(1, amount="12.00"), row(3, amount="1000.5"), row(4, amount="oops")]
    sent = bulk.send(changed, "--batch", "november")
    assert (sent.status, sent.out) == (1, "november: 3 rows: 1 created, 2 to decide\n")
    assert "Of 3 rows: 1 new (1,000.50 USD), 2 to decide about." in sent.err
    assert "with amount 5.23" in sent.err
    assert "amount is 'oops'" in sent.err
    counts = {"created": 1, "to_decide": 2}
    assert bulk("status", "--batch", "november", "--json").json["counts"] == counts
    made = {request["amount"]: request["id"] for request in outbound(victor_sandbox)}
    victor_sandbox.move(made["10.00"], "completed")
    refreshed = bulk("export", "--batch", "november", "--refresh")
    shown = bulk("status", "--batch", "november", "--refresh")
    assert shown.status == 1
    assert "  2 created\n  1 completed (paid)\n" in shown.out
    assert bulk("status", "--batch", "november", "--refresh", "--json").json["payments"] == {
        "created": 2,
        "completed": 1,
    }
    # The id and the amount are those of the payment that exists: `reconcile` compares them.
    first, second, _ = refreshed.table
    assert [first[name] for name in ("outcome", "id", "asked", "agreed", "status")] == [
        "to_decide",
        made["10.00"],
        "10.00",
        "10.00",
        "completed",
    ]
    assert (second["outcome"], second["id"]) == ("created", made["1000.5"])


@pytest.mark.parametrize(("words", "message"), CASES["misuse of columns"])
def test_a_misused_option_about_columns_is_refused_with_its_mistake(office, words, message):
    (office.folder / "wrong.txt").write_text("amount Betrag\n", "utf-8")
    (office.folder / "old.txt").write_bytes("amount=Betr\xe4ge".encode("latin-1"))
    ended = office.send(spreadsheet(office, line()), *OLD, *words.split())
    assert ended.status == 2
    assert ended.out == ""
    assert message in ended.err
