"""A file as a spreadsheet saves it is read as it says it is written, and else refused with its own
words; nothing is guessed.
"""

import csv
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.bulk.bulk_runs import (
    ACCOUNT,
    in_days,
    outbound,
    places,
    row,
    today,
    write_csv,
)
from tests.cases import cases_beside
from tests.cli.victor_command import Command, Ran
from victor_ext import ConfigurationError
from victor_ext._tables.formats import UnreadableCell, read_amount, read_date
from victor_ext._tables.texts import is_error_value
from victor_ext.bulk import RowFile

pytestmark = pytest.mark.slow
CASES = cases_beside(__file__)
COLUMNS = {
    "client_reference_id": "Rechnung",
    "payee_account_number": "Konto",
    "payer_counterparty_id": "Zahler",
    "amount": "Betrag",
    "biller_type": "Art",
    "due_date": "Fällig am",
    "notes": "Notiz",
}
HEADING = ";".join(COLUMNS.values())
SPREADSHEET = {"columns": COLUMNS, "decimal": "comma", "date_format": "DMY"}


def german(day):
    return f"{day:%d.%m.%Y}"


def line(number="R-1", amount="1.234,50", note="", due=""):
    return f"{number};{ACCOUNT};aHeq349838;{amount};BUSINESS;{due or german(today())};{note}"


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


def test_no_decimal_mark_and_no_date_order_is_guessed_without_an_option(checked):
    check = checked([HEADING, line()], decimal=None, date_format=None)
    assert places(check) == [(2, "amount", "format"), (2, "due_date", "type")]


@pytest.mark.parametrize("value", CASES["error values"])
@pytest.mark.parametrize("options", [SPREADSHEET, {"decimal": None, "date_format": None}])
def test_the_error_value_of_a_spreadsheet_is_no_key_and_no_value(checked, value, options):
    cells = ";".join([value, ACCOUNT, "aHeq349838", value, "BUSINESS", value, value])
    columns = ("client_reference_id", "amount", "due_date", "notes")
    problems = places(checked([HEADING, cells], **options))
    assert {*problems} == {(2, column, "error_value") for column in columns}
    lines = [f"Nummer;{HEADING}", f"{value};{line()}"]
    assert places(checked(lines, own={"key_column": "Nummer"})) == [(2, "Nummer", "error_value")]


@pytest.mark.parametrize("value", CASES["no error values"])
def test_a_number_sign_alone_makes_no_error_value(value):
    assert not is_error_value(value)


@pytest.mark.parametrize("amount", [";12,00", "1;234,00"])
def test_a_semicolon_too_many_is_told_where_the_values_are_as_the_file_writes_them(checked, amount):
    shifted = line("R-2", amount).removesuffix(";")
    (problem,) = checked([HEADING, line("R-0"), shifted]).problems
    assert (problem.line, problem.code) == (3, "shifted")
    assert re.search("from (Betrag|Art) on: .*If not: (Betrag|Art) is ", problem.message)


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
    count = len(stray)
    assert places(check) == [(number, None, "quote") for number in range(3, 3 + count)]
    assert (check.rows, check.new, check.invalid) == (2 + count, 2, count)


@pytest.mark.parametrize(
    "note",
    ["two\r\nlines", "three; or\r\nfour; lines; here", 'a ""quoted""\r\nword', "a;b;c;d;e;f"],
)
def test_a_quoted_value_may_have_several_lines_if_none_looks_like_a_row(checked, note):
    check = checked([HEADING, line(note=f'"{note}"'), line("R-2")])
    assert [one for one in check.problems if one.column != "notes"] == []
    assert check.rows == 2


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


def test_a_heading_that_lacks_columns_names_all_of_them_and_the_near_ones(sender, tmp_path):
    path = tmp_path / "invoices.csv"
    path.write_text("Invoice;Payee Account Number;Amount;Due-Date\n", "utf-8")
    (problem,) = sender(key_column="invoice_no").check(path).problems
    assert problem.message == (
        "the heading (Invoice, Payee Account Number, Amount, Due-Date) lacks payee_account_number, "
        "payer_counterparty_id, amount, biller_type, due_date. It has no column invoice_no to tell "
        "the rows apart, either. Near them: Payee Account Number for payee_account_number, Amount "
        "for amount, Due-Date for due_date, Invoice for invoice_no."
    )


def test_a_file_without_a_heading_shows_no_account_number(sender, tmp_path):
    (problem,) = sender().check(file_of(tmp_path, [line()])).problems
    assert ACCOUNT not in problem.message
    assert f"(R-1, {'*' * (len(ACCOUNT) - 4)}{ACCOUNT[-4:]}, " in problem.message


def test_a_key_column_named_by_its_heading_is_refused_with_the_name_that_it_is_read_as(checked):
    check = checked([HEADING, line()], own={"key_column": "Rechnung"})
    assert places(check) == [(1, "Rechnung", "key_column")]
    assert "is read as client_reference_id" in check.problems[0].message


def test_a_column_is_read_once_and_by_the_name_that_was_given(sender, tmp_path, victor_sandbox):
    record = row(1, notes="for nobody else", amount="5.00", total="7.00")
    path = write_csv(tmp_path / "invoices.csv", [record])
    file = RowFile(path, columns={"amount": "total", "notes": None})
    assert sender.finish(file, key_column="invoice_no").check.columns == ["invoice_no", "region"]
    (request,) = outbound(victor_sandbox)
    assert (request["amount"], request.get("notes")) == ("7.00", None)


def test_a_column_that_is_named_as_the_currency_is_compared(bulk):
    bulk.write([{**row(1), "Whg": "EUR"}, {**row(2), "Whg": "USD"}])
    (bulk.folder / "columns.txt").write_text("currency=Whg")
    for words in [("--column", "currency=Whg"), ("--columns", "columns.txt")]:
        ended = bulk.send("invoices.csv", *words, "--dry-run")
        counts = "2 rows: 1 new (3.23 USD), 1 wrong. Nothing was sent.\n"
        assert (ended.status, ended.out) == (2, counts)
        assert "Whg is 'EUR', and these rows are asked in USD alone" in ended.err


@pytest.mark.parametrize(("options", "field"), CASES["wrong options"])
def test_an_option_that_cannot_describe_a_file_is_refused_by_its_name(checked, options, field):
    with pytest.raises(ConfigurationError) as caught:
        checked([HEADING, line()], **options)
    assert [problem.field for problem in caught.value.problems] == [field]


OLD = ("--encoding", "windows-1252")
NAMED = (*OLD, "--columns", "columns.txt")
AS_WRITTEN = (*NAMED, "--decimal", "comma", "--date-format", "DMY")


@pytest.fixture
def office(bulk):
    """The command, for files that have their references as keys; and a file of columns."""
    columns = [f"{name}={heading}" for name, heading in COLUMNS.items()]
    # A file of columns is for reconciliation, too, which has fields of its own.
    mapping = "\r\n".join(["# our invoices", "", *columns, "reference = Rechnung"])
    (bulk.folder / "columns.txt").write_text(mapping, "utf-8-sig")
    return replace(bulk, sends=())


def spreadsheet(bulk, *lines):
    return file_of(bulk.folder, [HEADING, *lines, ";;;;;;"], "windows-1252").name


def test_problems_are_said_by_cause_in_the_words_of_the_file(office):
    good = [line(f"R-{number}", f"{number},00") for number in range(30)]
    bad = [line("#NV"), line("R-31", "12.50"), line("R-1"), line("#NV"), "R-32"]
    file = spreadsheet(office, *good, *bad)
    ended = office.send(file, *NAMED)
    shown = ended.err.replace(repr(german(today())), "'TODAY'")
    assert shown.splitlines() == CASES["said at first"]
    ended = office.send(file, *AS_WRITTEN, "--dry-run")
    counts = "35 rows: 29 new (435,00 USD), 5 wrong, 1 with a repeated key. Nothing was sent.\n"
    assert (ended.status, ended.out) == (2, counts)
    assert ended.err.splitlines() == CASES["said at last"]
    causes = office.send(file, *AS_WRITTEN, "--json").error["causes"]
    assert [(cause["column"], cause["count"]) for cause in causes] == [
        ("amount", 1),
        ("client_reference_id", 2),
        ("amount", 1),
        ("client_reference_id", 1),
        (None, 1),
    ]


def test_the_export_has_the_names_and_the_cells_of_the_file(office):
    wrong = [line("R-2", "abc"), line("R-3", "12.00"), line("R-4", "12,00", due="11/27/26")]
    wrong += [line("R-5", ""), line("R-6").replace(german(today()), "")]
    sent = office.send(spreadsheet(office, line("R-1"), *wrong), *AS_WRITTEN, "--skip-invalid")
    assert "line 6: Betrag is missing: write one, such as 1.234,56.\n" in sent.err
    assert "line 7: Fällig am is missing: write 25.11.2026, today or tomorrow.\n" in sent.err
    records = office("export").table
    today_text = german(today())
    own_names = ("Rechnung", "Betrag", "Zahler", "Fällig am")
    assert [[record[name] for name in own_names] for record in records] == [
        ["R-1", "1234,50", "aHeq349838", today_text],
        ["R-2", "abc", "aHeq349838", today_text],
        ["R-3", "12.00", "aHeq349838", today_text],
        ["R-4", "12,00", "aHeq349838", "11/27/26"],
        ["R-5", "", "aHeq349838", today_text],
        ["R-6", "1234,50", "aHeq349838", ""],
    ]
    assert records[1]["error"].startswith("Betrag is 'abc' and must be digits")
    assert records[3]["error"].startswith("Fällig am is '11/27/26' and must be a date")
    # The message is stored in the form of the file, as the command has said it.
    missing_values = ["Betrag is missing: write one, such as 1.234,56."]
    missing_values += ["Fällig am is missing: write 25.11.2026, today or tomorrow."]
    assert [record["error"] for record in records[4:]] == missing_values
    first, second, *_ = office("export", "--json").json_lines
    assert first["asked"]["amount"] == "1234.50"
    assert (second["columns"]["amount"], second["asked"]) == ("abc", {})


def test_reconcile_reads_the_file_and_its_export_by_the_same_options(office):
    file = spreadsheet(office, line("R-1"), line("R-2", "44,23"))
    sent = office.send(file, *AS_WRITTEN, "--expect-total", "1.278,73")
    announced = "rechnungen.csv: 2 rows to send: 1.278,73 USD.\n"
    assert sent == Ran(0, "rechnungen.csv: 2 rows: 2 created\n", announced)
    assert office("export", "-o", "results.csv").status == 0
    window = ("--start", "yesterday", "--end", "tomorrow")
    form = ("--columns", "columns.txt", "--decimal", "comma", "--date-format", "DMY")
    for name, own in (("results.csv", ()), (file, OLD)):
        agreed = Command.__call__(office, "reconcile", name, *window, *form, *own)
        assert agreed.status == 0, agreed
        assert "matched     2  1.278,73 USD  1.278,73 USD  in both books" in agreed.out


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


def test_totals_are_written_as_the_file_writes_amounts(office):
    file = spreadsheet(office, line("R-1"), line("R-2", "12.50"))
    refused = office.send(file, *AS_WRITTEN, "--expect-total", "1.247,00", "--dry-run")
    assert refused.err.startswith(
        "rechnungen.csv: 1 row has no valid amount; the amounts of the others are 1.234,50, and "
        "1.247,00 is expected: nothing was stored.\n"
    )
    advice = "Or leave out --expect-total, and add --skip-invalid.\n"
    assert advice in refused.err
    whole = office.send(file, *AS_WRITTEN, "--expect-total", "1.234,50")
    assert "are 1.234,50, as expected of all: nothing was stored.\n" in whole.err
    assert advice in whole.err
    assert advice not in office.send(file, *AS_WRITTEN, "--expect-rows", "3").err
    again = office.send(file, *AS_WRITTEN, "--expect-total", "1247,0x", "--dry-run")
    assert "write '1250,00'" in again.err


def test_a_row_that_was_sent_with_other_values_is_counted_as_to_decide_everywhere(
    bulk, victor_sandbox
):
    october = [row(1, amount="10.00"), row(2, amount="1250.00"), row(4)]
    assert bulk.send(october, "--batch", "october").status == 0
    changed = [row(1, amount="12.00"), row(3, amount="1000.5"), row(4, amount="oops")]
    sent = bulk.send(changed, "--batch", "november")
    assert (sent.status, sent.out) == (1, "november: 3 rows: 1 created, 2 to decide\n")
    assert "Of 3 rows: 1 new (1,000.50 USD), 2 to decide about." in sent.err
    assert "a value that is not valid. Not sent. Correct the row, or leave it out." in sent.err
    assert bulk("status", "november", "--json").json["counts"] == {"created": 1, "to_decide": 2}
    made = {request["amount"]: request["id"] for request in outbound(victor_sandbox)}
    victor_sandbox.move(made["10.00"], "completed")
    refreshed = bulk("export", "november", "--refresh")
    assert refreshed.err == "The provider says now: 1 completed (paid), 2 created.\n"
    shown = bulk("status", "november", "--refresh")
    assert shown.status == 1
    assert "  2 created\n  1 completed (paid)\n" in shown.out
    assert bulk("status", "november", "--refresh", "--json").json["payments"] == {
        "created": 2,
        "completed": 1,
    }
    # The id and the amount are those of the payment that exists: `reconcile` compares them.
    first, second, _ = refreshed.table
    assert [first[name] for name in ("outcome", "id", "amount", "status")] == [
        "to_decide",
        made["10.00"],
        "10.00",
        "completed",
    ]
    assert (second["outcome"], second["id"]) == ("created", made["1000.5"])


@pytest.fixture
def trial(bulk):
    """The two commands with which the page tries it: to send, and to export. Their files are
    there, as the page describes them.
    """
    page = (Path(__file__).parents[2] / "docs" / "spreadsheet.md").read_text(encoding="utf-8")
    (columns,) = re.findall(r"```text\n(client_reference_id=.*?)```", page, re.DOTALL)
    (bulk.folder / "columns.txt").write_text(columns, "utf-8")
    heading = HEADING.replace("Notiz", "notes")
    file_of(bulk.folder, [heading, line("R-1").replace("aHeq349838", "acceptsRfp"), line("R-2")])
    section = page.split("## Try it without customers\n")[1].split("\n## ")[0]
    send, export = re.findall(r"^victor bulk (.+)$", section, re.MULTILINE)
    return send.split(), export.split()


def test_the_trial_of_the_bulk_page_is_sent_to_the_sandbox_with_a_separate_state(
    bulk, trial, victor_sandbox
):
    send, _ = trial
    assert bulk(*send).status == 0
    made = {request["client_reference_id"] for request in outbound(victor_sandbox)}
    assert made == {"R-1", "R-2"}
    assert not (bulk.folder / "victor-bulk.sqlite").exists()


def test_the_trial_of_the_page_exports_what_became_of_its_rows(bulk, trial, victor_sandbox):
    send, export = trial
    bulk(*send)
    (first,) = (
        request for request in outbound(victor_sandbox) if request["client_reference_id"] == "R-1"
    )
    victor_sandbox.move(first["id"], "completed")
    assert bulk(*export).status == 0
    assert not (bulk.folder / "victor-bulk.sqlite").exists()
    with (bulk.folder / "trial.csv").open(encoding="utf-8") as file:
        assert [record["status"] for record in csv.DictReader(file)] == ["completed", "created"]


def test_a_file_without_references_is_warned_of_once_and_sent(bulk):
    bulk.write([row(1), row(2, client_reference_id="")])
    (warning,) = bulk.send("invoices.csv", "--dry-run", "--json").json["warnings"]
    assert warning.startswith("Warning: no row has a client_reference_id.")
    assert warning.endswith("with --column client_reference_id=invoice_no.")
    assert bulk.send("invoices.csv", "--dry-run").err.splitlines() == [warning]
    sent = bulk.send("invoices.csv")
    assert sent.err.splitlines() == ["invoices.csv: 2 rows to send: 5.46 USD.", warning]
    referenced = [row(1), row(2), row(4, client_reference_id="R-4")]
    assert "Warning" not in bulk.send(referenced, "--dry-run").err


@pytest.mark.parametrize(("words", "message"), CASES["misuse of columns"])
def test_a_misused_option_about_columns_is_refused_with_its_mistake(office, words, message):
    (office.folder / "wrong.txt").write_text("amount Betrag\n", "utf-8")
    (office.folder / "old.txt").write_bytes("amount=Betr\xe4ge".encode("latin-1"))
    ended = office.send(spreadsheet(office, line()), *OLD, *words.split())
    assert ended.status == 2
    assert ended.out == ""
    assert message in ended.err
