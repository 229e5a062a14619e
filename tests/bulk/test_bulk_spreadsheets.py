"""A file as a spreadsheet saves it is read as it says it is written, and else refused with its own
words; nothing is guessed.
"""

import json
import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.bulk.bulk_runs import ACCOUNT, KEY, Bulk, Senders, outbound, row, today, write_csv
from tests.cases import cases_beside
from tests.cli.victor_command import Command, Ran
from victor_ext import ConfigurationError, Problem
from victor_ext.bulk import Check, RowFile
from victor_ext.sandbox import Sandbox
from victor_ext.tables.formats import UnreadableCell, read_amount, read_date
from victor_ext.tables.texts import is_error_value

pytestmark = [pytest.mark.slow, pytest.mark.hours]
CASES = cases_beside(__file__)
COLUMNS: dict[str, str | None] = {
    "client_reference_id": "Rechnung",
    "payee_account_number": "Konto",
    "payer_counterparty_id": "Zahler",
    "amount": "Betrag",
    "biller_type": "Art",
    "due_date": "Fällig am",
    "notes": "Notiz",
}
HEADING = ";".join(str(heading) for heading in COLUMNS.values())
SPREADSHEET: dict[str, Any] = {"columns": COLUMNS, "decimal": "comma", "date_format": "DMY"}


def german(day: date) -> str:
    return f"{day:%d.%m.%Y}"


def line(number: str = "R-1", amount: str = "1.234,50", note: str = "", due: str = "") -> str:
    return f"{number};{ACCOUNT};aHeq349838;{amount};BUSINESS;{due or german(today())};{note}"


Checked = Callable[..., Check]


@pytest.fixture
def checked(sender: Senders, tmp_path: Path) -> Checked:
    """Check a file with these lines."""

    def check(lines: Sequence[str], *, sender_options: Any = None, **options: Any) -> Check:
        path = tmp_path / "rechnungen.csv"
        path.write_bytes("\r\n".join([*lines, ""]).encode("utf-8-sig"))
        own: dict[str, Any] = {"key_column": "client_reference_id", **(sender_options or {})}
        return sender(**own).check(RowFile(path, **{**SPREADSHEET, **options}))

    return check


def places(check: Check) -> list[tuple[int | None, str | None, str]]:
    return [(problem.line, problem.column, problem.code) for problem in check.problems]


def test_a_german_spreadsheet_is_sent_as_it_is_meant(
    sender: Senders, tmp_path: Path, victor_sandbox: Sandbox
) -> None:
    tomorrow = today() + timedelta(days=1)
    lines = [HEADING, line(note="Grüße"), line("R-2", "44,2", due=german(tomorrow)), ";;;;;;", " ;"]
    path = tmp_path / "rechnungen.csv"
    path.write_bytes("\r\n".join(lines).encode("windows-1252"))
    file = RowFile(path, **SPREADSHEET, encoding="windows-1252")
    options = {"key_column": "client_reference_id"}
    assert sender(**options).check(file, expect_rows=2, expect_total="1278.70").problems == []
    assert sender(**options).send(file).exit_status == 0
    asked = {request["client_reference_id"]: request for request in outbound(victor_sandbox)}
    assert asked.keys() == {"R-1", "R-2"}
    assert [Decimal(asked[name]["amount"]) for name in ("R-1", "R-2")] == [
        Decimal("1234.50"),
        Decimal("44.20"),
    ]
    assert (asked["R-1"]["due_date"], asked["R-2"]["due_date"]) == (str(today()), str(tomorrow))
    assert asked["R-1"]["notes"] == "Grüße"


@pytest.mark.parametrize(("decimal", "cells"), CASES["amounts"].items())
def test_an_amount_is_read_by_the_mark_that_was_named(
    decimal: str, cells: dict[str, str | None]
) -> None:
    for cell, expected in cells.items():
        read = read_amount("amount", cell, decimal)
        if expected is None:
            assert isinstance(read, UnreadableCell), cell
            assert (read.problem.field, read.problem.code) == ("amount", "format")
            assert repr(cell) in read.problem.message
        else:
            assert read == expected, cell
    assert read_amount("amount", "1.234,50", None) == "1.234,50"


@pytest.mark.parametrize(("date_format", "cells"), CASES["dates"].items())
def test_a_date_is_read_in_the_order_that_was_named(
    date_format: str, cells: dict[str, str | None]
) -> None:
    for cell, expected in cells.items():
        read = read_date("due_date", cell, date_format)
        if expected is None:
            assert isinstance(read, UnreadableCell), cell
            assert (read.problem.field, read.problem.code) == ("due_date", "format")
        else:
            assert read == expected, cell
    assert read_date("due_date", "25.11.2026", None) == "25.11.2026"


def test_what_is_right_by_another_rule_is_wrong_in_its_file(checked: Checked) -> None:
    check = checked([HEADING, line(amount="12.50"), line("R-2", due="11/25/2026")])
    assert places(check) == [(2, "amount", "format"), (3, "due_date", "format")]
    assert check.new == 0


def test_nothing_is_guessed_without_a_word(checked: Checked) -> None:
    check = checked([HEADING, line()], decimal=None, date_format=None)
    assert places(check) == [(2, "amount", "format"), (2, "due_date", "type")]


@pytest.mark.parametrize("value", CASES["error values"])
@pytest.mark.parametrize("options", [SPREADSHEET, {"decimal": None, "date_format": None}])
def test_the_error_value_of_a_spreadsheet_is_no_key_and_no_value(
    checked: Checked, value: str, options: dict[str, Any]
) -> None:
    assert is_error_value(value)
    cells = ";".join([value, ACCOUNT, "aHeq349838", value, "BUSINESS", value, value])
    check = checked([HEADING, cells], **options)
    assert {(problem.column, problem.code) for problem in check.problems} == {
        (name, "error_value") for name in ("client_reference_id", "amount", "due_date", "notes")
    }
    check = checked(
        [f"Nummer;{HEADING}", f"{value};{line()}"], sender_options={"key_column": "Nummer"}
    )
    assert places(check) == [(2, "Nummer", "error_value")]


@pytest.mark.parametrize("value", CASES["no error values"])
def test_a_number_sign_alone_makes_no_error_value(value: str) -> None:
    assert not is_error_value(value)


STRAY: dict[str, list[str]] = {
    "in the last column": [line(note='"Brett 5'), line("R-2", note='Rest 3"')],
    "over three rows": [line(note='"Brett 5'), line("R-2"), line("R-3", note='Rest 3"')],
    "in a column between others": [
        line().replace("aHeq", '"aHeq'),
        line("R-2").replace("349838", '349838"'),
    ],
    "in the first column": [line('"R-1'), line('R-2"')],
}


@pytest.mark.parametrize("where", STRAY)
@pytest.mark.parametrize("skip_invalid", [False, True])
def test_a_stray_quote_makes_no_row_of_several_and_loses_none(
    checked: Checked, where: str, skip_invalid: bool
) -> None:
    lines = [HEADING, line("R-0"), *STRAY[where], line("R-9")]
    check = checked(lines, sender_options={"skip_invalid": skip_invalid})
    count = len(STRAY[where])
    assert places(check) == [(number, None, "quote") for number in range(3, 3 + count)]
    assert (check.rows, check.new, check.invalid) == (2 + count, 2, count)


@pytest.mark.parametrize(
    "note",
    ["two\r\nlines", "three; or\r\nfour; lines; here", 'a ""quoted""\r\nword', "a;b;c;d;e;f"],
)
def test_a_quoted_value_that_holds_no_row_may_have_lines(checked: Checked, note: str) -> None:
    check = checked([HEADING, line(note=f'"{note}"'), line("R-2")])
    assert [one for one in check.problems if one.column != "notes"] == []
    assert (check.rows, check.invalid + check.new) == (2, 2)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("first", ["", "sep={}\n"])
def test_the_delimiter_is_known_whatever_the_headings_are(
    sender: Senders, tmp_path: Path, delimiter: str, first: str
) -> None:
    headings = [
        heading if heading != "Konto" else '"Konto, IBAN"' for heading in HEADING.split(";")
    ]
    path = tmp_path / "rechnungen.csv"
    path.write_text(first.format(delimiter) + delimiter.join(headings) + "\n", "utf-8")
    check = sender(key_column="Rechnung").check(path)
    (problem,) = check.problems
    shown = ", ".join(headings).replace('"', "")
    begins = f"the heading ({shown}) lacks payee_account_number, "
    assert (problem.line, problem.code) == (2 if first else 1, "required")
    assert problem.message.startswith(begins)


def test_a_heading_that_lacks_columns_names_all_of_them_and_the_near_ones(
    sender: Senders, tmp_path: Path
) -> None:
    path = tmp_path / "invoices.csv"
    path.write_text("Invoice;Payee Account Number;Amount;Due-Date\n", "utf-8")
    (problem,) = sender(key_column="invoice_no").check(path).problems
    assert problem.message == (
        "the heading (Invoice, Payee Account Number, Amount, Due-Date) lacks payee_account_number, "
        "payer_counterparty_id, amount, biller_type, due_date. It has no column invoice_no to tell "
        "the rows apart, either. Near them: Payee Account Number for payee_account_number, Amount "
        "for amount, Due-Date for due_date, Invoice for invoice_no."
    )


def test_a_column_that_is_named_and_not_there_is_named_with_the_near_one(checked: Checked) -> None:
    check = checked([HEADING, line()], columns={**COLUMNS, "amount": "betrag "})
    assert places(check) == [(1, "betrag", "column")]
    assert check.problems[0].message.endswith(
        " has no column betrag (named for amount). Near it: Betrag."
    )


def test_a_file_without_a_heading_shows_no_account_number(sender: Senders, tmp_path: Path) -> None:
    path = tmp_path / "rechnungen.csv"
    path.write_text(line(), "utf-8")
    (problem,) = sender(key_column="client_reference_id").check(path).problems
    assert ACCOUNT not in problem.message
    assert f"(R-1, {'*' * (len(ACCOUNT) - 4)}{ACCOUNT[-4:]}, " in problem.message


def test_a_key_column_that_is_read_by_another_name_is_told(checked: Checked) -> None:
    check = checked([HEADING, line()], sender_options={"key_column": "Rechnung"})
    assert places(check) == [(1, "Rechnung", "key_column")]
    assert "is read as client_reference_id" in check.problems[0].message


def test_a_column_is_read_once_and_by_the_name_that_was_given(
    sender: Senders, tmp_path: Path, victor_sandbox: Sandbox
) -> None:
    record = row(1, notes="for nobody else", amount="5.00", total="7.00")
    path = write_csv(tmp_path / "invoices.csv", [record])
    own = sender(key_column="invoice_no")
    status = own.send(RowFile(path, columns={"amount": "total", "notes": None}))
    assert (status.exit_status, status.check.columns) == (0, ["invoice_no", "region"])
    (request,) = outbound(victor_sandbox)
    assert (Decimal(request["amount"]), request.get("notes")) == (Decimal(7), None)


def test_json_lines_have_their_own_names_too(sender: Senders, tmp_path: Path) -> None:
    path = tmp_path / "rechnungen.jsonl"
    path.write_text(
        f'{{"Rechnung": "R-1", "Konto": "{ACCOUNT}", "Zahler": "aHeq349838", "Betrag": "1.234,50", '
        f'"Art": "BUSINESS", "Fällig am": "{german(today())}"}}\n',
        "utf-8",
    )
    check = sender(key_column="client_reference_id").check(RowFile(path, **SPREADSHEET))
    assert (check.new, check.problems) == (1, [])


@pytest.mark.parametrize(("options", "field"), CASES["wrong options"])
def test_what_says_nothing_of_a_file_is_refused(
    checked: Checked, options: dict[str, Any], field: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        checked([HEADING, line()], **options)
    problems: Sequence[Problem] = caught.value.problems
    assert [problem.field for problem in problems] == [field]


AS_WRITTEN = ("--encoding", "windows-1252", "--decimal", "comma", "--date-format", "DMY")


def spreadsheet(bulk: Bulk, lines: Sequence[str]) -> None:
    text = "\r\n".join([HEADING, *lines, ";;;;;;", ""])
    (bulk.folder / "rechnungen.csv").write_bytes(text.encode("windows-1252"))
    columns = [f"{name}={heading}" for name, heading in COLUMNS.items()]
    # A file of columns is for reconciliation, too, which has fields of its own.
    mapping = "\r\n".join(["# our invoices", "", *columns, "reference = Rechnung"])
    (bulk.folder / "columns.txt").write_text(mapping, "utf-8-sig")


def test_problems_are_said_by_cause_in_the_words_of_the_file(bulk: Bulk) -> None:
    good = [line(f"R-{number}", f"{number},00") for number in range(30)]
    spreadsheet(bulk, [*good, line("#NV"), line("R-31", "12.50"), line("R-1"), line("#NV"), "R-32"])
    ended = bulk("send", "rechnungen.csv", "--columns", "columns.txt", "--encoding", "windows-1252")
    assert (ended.status, ended.out) == (2, "")
    said = ended.err.replace(repr(german(today())), "'TODAY'").splitlines()
    assert said == CASES["said at first"]
    ended = bulk("send", "rechnungen.csv", "--columns", "columns.txt", *AS_WRITTEN, "--dry-run")
    assert (ended.status, ended.out) == (
        2,
        "35 rows: 29 new (435.00 USD), 5 wrong, 1 with a repeated key. Nothing was sent.\n",
    )
    assert ended.err.splitlines() == CASES["said at last"]
    ended = bulk("send", "rechnungen.csv", "--columns", "columns.txt", *AS_WRITTEN, "--json")
    causes = json.loads(ended.err)["error"]["causes"]
    assert [(cause["column"], cause["code"], cause["count"]) for cause in causes] == [
        ("amount", "range", 1),
        ("client_reference_id", "error_value", 2),
        ("amount", "format", 1),
        ("client_reference_id", "repeated", 1),
        (None, "fields", 1),
    ]


def test_a_corrected_spreadsheet_is_sent_and_its_key_column_has_its_own_name(
    bulk: Bulk, victor_sandbox: Sandbox
) -> None:
    spreadsheet(bulk, [line("R-1"), line("R-2", "44,23")])
    words = ("--columns", "columns.txt", *AS_WRITTEN, "--key-column", "Rechnung")
    sent = bulk("send", "rechnungen.csv", *words, "--column", "notes=", "--expect-total", "1278.73")
    assert (sent.status, sent.out, sent.err) == (
        0,
        "rechnungen.csv: 2 rows: 2 created\n",
        "rechnungen.csv: 2 rows to send: 1,278.73 USD.\n",
    )
    assert {request["client_reference_id"] for request in outbound(victor_sandbox)} == {
        "R-1",
        "R-2",
    }


def test_a_file_without_references_is_warned_of_once_and_sent(bulk: Bulk) -> None:
    bulk.write([row(1), row(2, client_reference_id="")])
    dry = bulk("send", "invoices.csv", *KEY, "--dry-run", "--json")
    (warning,) = json.loads(dry.out)["warnings"]
    assert warning.startswith("Warning: no row has a client_reference_id.")
    assert warning.endswith("with --column client_reference_id=invoice_no.")
    assert dry.err == ""
    assert bulk("send", "invoices.csv", *KEY, "--dry-run").err.splitlines() == [warning]
    sent = bulk("send", "invoices.csv", *KEY)
    announced = "invoices.csv: 2 rows to send: 5.46 USD."
    assert (sent.status, sent.err.splitlines()) == (0, [announced, warning])
    bulk.write([row(3), row(4, client_reference_id="R-4")], "others.csv")
    assert bulk("send", "others.csv", *KEY, "--dry-run").err == ""


@pytest.mark.parametrize(("words", "message"), CASES["misuse of columns"])
def test_columns_that_are_misused_are_named(bulk: Bulk, words: str, message: str) -> None:
    spreadsheet(bulk, [line()])
    (bulk.folder / "wrong.txt").write_text("amount Betrag\n", "utf-8")
    (bulk.folder / "old.txt").write_bytes("amount=Betr\xe4ge".encode("latin-1"))
    ended = bulk("send", "rechnungen.csv", "--encoding", "windows-1252", *words.split())
    assert (ended.status, ended.out) == (2, "")
    assert message in ended.err


def reconcile(bulk: Bulk, name: str, *words: str) -> Ran:
    """Compare with what was made just now, which is far from both ends of the window."""
    two_days = timedelta(days=2)
    window = ("--start", str(today() - two_days), "--end", str(today() + two_days))
    return Command(bulk.environment)("reconcile", str(bulk.folder / name), *window, *words)


def test_the_file_that_was_sent_is_compared_as_it_is(bulk: Bulk) -> None:
    spreadsheet(bulk, [line("R-1"), line("R-2", "44,23")])
    columns = str(bulk.folder / "columns.txt")
    words = ("--columns", columns, "--encoding", "windows-1252", "--decimal", "comma")
    assert bulk("send", "rechnungen.csv", *words, "--date-format", "DMY").status == 0
    ran = reconcile(bulk, "rechnungen.csv", *words)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.endswith("\nThe books agree.\n")


def test_where_theirs_have_no_references_that_is_said_in_place_of_differences(bulk: Bulk) -> None:
    bulk.write([row(1), row(2)])
    assert bulk("send", "invoices.csv", *KEY).status == 0
    words = ("--column", "reference=invoice_no")
    ran = reconcile(bulk, "invoices.csv", *words)
    assert ran.status == 1
    assert "Theirs have no references: rows of ours that have no id either cannot be" in ran.out
    assert ran.out.endswith("Nothing shows whether the books agree: 4 rows cannot be compared.\n")
    assert re.findall(r"^(missing|unknown|unchecked) +(\d+)", ran.out, re.MULTILINE) == [
        ("unchecked", "4")
    ]
    assert bulk("export", "-o", "results.csv").status == 0
    assert reconcile(bulk, "results.csv").status == 0
