"""What files say is sent as it stands, or refused with line, column and reason; nothing is changed
on the way.
"""

import codecs
import json
import re
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest

from tests.bulk.bulk_runs import ACCOUNT, Senders, outbound, row, rows, today, write_csv
from tests.cases import cases_beside
from victor_ext import AsyncVictor, ConfigurationError, VictorOAuth
from victor_ext.bulk import Check, InvalidRows
from victor_ext.bulk.payment_requests import PaymentRequests
from victor_ext.sandbox import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.hours]
CASES = cases_beside(__file__)
HEADING = "invoice_no,payee_account_number,payer_counterparty_id,amount,biller_type,due_date,notes"
GOOD = f"INV-1,{ACCOUNT},aHeq349838,44.23,BUSINESS,{today()},"


@pytest.fixture
def checked(sender: Senders, tmp_path: Path) -> Callable[..., Check]:
    """Check a file with this content."""

    def check(content: str | bytes, name: str = "invoices.csv", **options: Any) -> Check:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        expected = {word: options.pop(word) for word in [*options] if word.startswith("expect_")}
        return sender(**options).check(path, **expected)

    return check


def places(check: Check) -> list[tuple[int | None, str | None, str]]:
    return [(problem.line, problem.column, problem.code) for problem in check.problems]


FILE = f"{HEADING}\n{GOOD}\n"
TWO = [HEADING, GOOD, "", ",,,,,,", GOOD.replace("INV-1", "INV-2")]
KEYED = FILE.replace("invoice_no", "Schlüssel")
UMLAUT = f"{FILE}INV-2{GOOD[5:]}Grüße\n"
UNDATED = FILE.replace(",due_date", "").replace(f",{today()}", "")
JSON = {"name": "invoices.jsonl"}
FOUR = (
    "invoice_no,payee_account_number,payer_counterparty_id,biller_type,due_date,amount"
    + "".join(
        f"\nINV-{amount},{ACCOUNT},aHeq349838,BUSINESS,{today()},{amount}"
        for amount in (44.23, 30.23, 1250, "1238.00")
    )
)
READ: dict[str, tuple[str | bytes, dict[str, Any], int]] = {
    "empty lines": ("\n".join(TWO), {}, 2),
    "CRLF and a byte order mark": (codecs.BOM_UTF8 + "\r\n".join(TWO).encode(), {}, 2),
    "semicolons": (FILE.replace(",", ";"), {}, 1),
    "tabs": (FILE.replace(",", "\t"), {}, 1),
    "windows-1252, named": (UMLAUT.encode("windows-1252"), {"encoding": "windows-1252"}, 2),
    "UTF-8 with a mark, named": (codecs.BOM_UTF8 + UMLAUT.encode(), {"encoding": "UTF8"}, 2),
    "UTF-8 with a mark, named otherwise": (
        codecs.BOM_UTF8 + UMLAUT.encode(),
        {"encoding": "windows-1252"},
        2,
    ),
    "a column named in NFC": (
        normalize("NFD", KEYED),
        {"key_column": normalize("NFC", "Schlüssel")},
        1,
    ),
    "a column named in NFD": (
        normalize("NFC", KEYED),
        {"key_column": normalize("NFD", "Schlüssel")},
        1,
    ),
    "empty fields beyond the heading": (f"{HEADING}\n{GOOD},,\n", {}, 1),
    "JSON Lines with a mark and empty lines": (
        codecs.BOM_UTF8 + "\r\n\r\n".join(map(json.dumps, rows(2))).encode(),
        JSON,
        2,
    ),
    "no due dates, and a word for all": (UNDATED, {"due_date": "today"}, 1),
    "no due dates, and a date for all": (UNDATED, {"due_date": today() + timedelta(days=1)}, 1),
}
REFUSED: dict[str, tuple[str | bytes, dict[str, Any], tuple[int | None, str | None, str], str]] = {
    "a decimal comma": (
        FILE.replace(",", ";").replace("44.23", "44,23"),
        {},
        (2, "amount", "format"),
        "'44,23'",
    ),
    **{
        f"a shortened number {short}": (
            FILE.replace(",", ";").replace(ACCOUNT, short),
            {},
            (2, "payee_account_number", "shortened"),
            "format the column as text",
        )
        for short in ("4.3988E+10", "4,3988E+10", "4e10")
    },
    "windows-1252": (UMLAUT.encode("windows-1252"), {}, (3, None, "encoding"), "0xFC"),
    "sixteen bits": (FILE.encode("utf-16"), {}, (1, None, "encoding"), ""),
    "old line ends": (FILE.replace("\n", "\r"), {}, (1, None, "format"), "carriage return"),
    "a line break within quotes": (
        f'{HEADING}\n{GOOD}"two\nlines"\nINV-2,{ACCOUNT},aHeq349838,44.235,BUSINESS,{today()},\n',
        {},
        (4, "amount", "decimals"),
        "",
    ),
    "one field more": (f"{HEADING}\n{GOOD},x\n", {}, (2, None, "fields"), ""),
    "one field less": (f"{HEADING}\n{GOOD.rpartition(',')[0]}\n", {}, (2, None, "fields"), ""),
    "nothing": ("", {}, (1, None, "empty"), ""),
    "a heading alone": (f"{HEADING}\n", {}, (None, None, "empty"), ""),
    "a column twice": (f"{HEADING},amount\n{GOOD},\n", {}, (1, "amount", "repeated"), ""),
    "a column in two forms": (
        FILE.replace("notes", "\xfc,u\u0308"),
        {},
        (1, "\xfc", "repeated"),
        "",
    ),
    "a column is missing": (FILE.replace("amount", "sum"), {}, (1, "amount", "required"), ""),
    "no key column": (
        FILE.replace("invoice_no", "number"),
        {},
        (1, "invoice_no", "key_column"),
        "",
    ),
    "a column of keys": (
        f"{HEADING},idempotency_key\n{GOOD},x\n",
        {},
        (2, "idempotency_key", "column"),
        "",
    ),
    "a key twice": (
        "\n".join(
            [HEADING, GOOD, GOOD.replace("INV-1", "INV-2"), "", GOOD.replace("44.23", "1.00")]
        ),
        {},
        (5, "invoice_no", "repeated"),
        "line 2",
    ),
    "a quote that is not closed": (
        f'{HEADING}\n{GOOD}"never closed\n',
        {},
        (2, None, "format"),
        "",
    ),
    "text after a quote": (f'{HEADING}\n{GOOD}"a"b\n', {}, (2, None, "format"), ""),
    "a line without end": (f"{HEADING}\n{GOOD}{'x' * (1 << 20)}\n", {}, (2, None, "length"), ""),
    "no due dates": (UNDATED, {}, (1, "due_date", "required"), ""),
    "half of a character": (
        json.dumps({**row(1), "notes": "\ud83d", "region": "\ud83d"}),
        JSON,
        (1, "notes", "characters"),
        "",
    ),
    "an account that is a JSON number": (
        json.dumps(row(1)).replace(f'"{ACCOUNT}"', ACCOUNT),
        JSON,
        (1, "payee_account_number", "type"),
        "quotes",
    ),
    "a JSON array": (
        json.dumps(rows(2)),
        {"name": "invoices.json"},
        (1, None, "format"),
        "one object a line",
    ),
}


@pytest.mark.parametrize("what", READ)
def test_a_file_of_this_form_is_read_whole(checked: Callable[..., Check], what: str) -> None:
    content, options, count = READ[what]
    check = checked(content, **options)
    assert (check.rows, check.new, check.problems) == (count, count, [])


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_with_its_place(checked: Callable[..., Check], what: str) -> None:
    content, options, place, words = REFUSED[what]
    check = checked(content, skip_invalid=True, **options)
    assert places(check)[-1] == place
    assert words in check.problems[-1].message


@pytest.mark.parametrize(
    ("content", "message", "options"),
    [
        *(
            (FILE, "encoding", {"encoding": name})
            for name in ("base64", "rot13", "utf-16-le", "utf-32", "cp037", "x")
        ),
        (b"PK\x03\x04rest", ".xlsx", {}),
        (b"\xd0\xcf\x11\xe0rest", ".xls", {}),
    ],
)
def test_what_has_no_lines_that_can_be_told_apart_is_named(
    checked: Callable[..., Check], content: str | bytes, message: str, options: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        checked(content, **options)


@pytest.mark.parametrize("key_column", ["invoice_no", "client_reference_id"])
@pytest.mark.parametrize("shortened", ["2.0260E+13", "2,026e+13"])
def test_a_shortened_number_is_no_key_and_no_reference(
    sender: Senders, key_column: str, shortened: str
) -> None:
    # Another day the same number is written out: it would be another key, and another payment.
    check = sender(key_column=key_column).check(
        [row(1, **{key_column: shortened}), row(2, **{key_column: "1E5"})]
    )
    assert [(problem.row, problem.column, problem.code) for problem in check.problems] == [
        (1, key_column, "shortened")
    ]
    assert check.new == 1


@pytest.mark.parametrize(
    ("key_column", "column"),
    [
        ("invoice_no", "client_reference_id"),
        ("client_reference_id", "client_reference_id"),
        ("invoice_no", "payer_counterparty_id"),
    ],
)
def test_what_cannot_be_seen_is_named_where_it_makes_another_value(
    sender: Senders, key_column: str, column: str
) -> None:
    odd = ["INV-\u200b7", "INV\u00a07", "\ufeffINV-7", "INV-7\u202e", "INV-7 "]
    check = sender(key_column=key_column).check(
        [row(n, **{column: text}) for n, text in enumerate(odd, 1)]
    )
    assert [(problem.row, problem.column, problem.code) for problem in check.problems] == [
        (number, column, "characters") for number in range(1, 6)
    ]
    shown = ["'INV-<U+200B>7'", "'INV<U+00A0>7'", "'<U+FEFF>INV-7'", "'INV-7<U+202E>'", "'INV-7 '"]
    assert [problem.message.rsplit(": ", 1)[1] for problem in check.problems] == [
        f"{text}." for text in shown
    ]


@pytest.mark.parametrize(
    ("changes", "column", "code"),
    [
        *CASES["bad values"],
        ({"due_date": (today() - timedelta(days=3)).isoformat()}, "due_date", "past"),
        ({"due_date": (today() + timedelta(days=4)).isoformat()}, "due_date", "range"),
        ({"invoice_no": "x" * 201}, "invoice_no", "length"),
    ],
)
def test_bad_values_are_named_by_row_and_column(
    sender: Senders, changes: dict[str, str], column: str, code: str
) -> None:
    check = sender().check([row(1), row(2, **changes)])
    assert (check.new, check.invalid) == (1, 1)
    assert [(problem.row, problem.column, problem.code) for problem in check.problems] == [
        (2, column, code)
    ]


def test_all_that_is_wrong_with_a_row_is_said_at_once_without_its_account_number(
    sender: Senders,
) -> None:
    for number in ("98765432109876543210987", "98765432x"):
        check = sender().check([row(1, amount="-1", notes="x" * 151, payee_account_number=number)])
        assert {problem.column for problem in check.problems} == {
            "amount",
            "notes",
            "payee_account_number",
        }
        assert not any("98765" in str(problem) + repr(problem) for problem in check.problems)


@pytest.mark.parametrize("name", ["invoices.csv", "invoices.jsonl"])
@pytest.mark.parametrize(("changes", "message"), CASES["in a file"])
def test_of_a_file_nothing_is_said_in_python(
    checked: Callable[..., Check], tmp_path: Path, name: str, changes: dict[str, str], message: str
) -> None:
    record = row(1, **changes)
    content = (
        write_csv(tmp_path / "written", [record]).read_text("utf-8")
        if "csv" in name
        else json.dumps(record)
    )
    assert [problem.message for problem in checked(content, name).problems] == [message]


def test_no_value_of_a_json_document_is_answered_in_python(checked: Callable[..., Check]) -> None:
    values = ("1.5", "7", "true", "[]", "{}", '"x"', '"\\ud83d"', "null")
    columns = [
        (column, value)
        for column in (*sorted(PaymentRequests.columns), "invoice_no")
        for value in values
    ]
    records = [
        json.dumps({**row(number), column: "here"}).replace('"here"', value)
        for number, (column, value) in enumerate(columns, start=100)
    ]
    problems = checked("\n".join(records), **JSON).problems
    assert {problem.column for problem in problems} == {*PaymentRequests.columns, "invoice_no"}
    python = re.compile(
        r"Decimal|\bdate\(|\bstr\b|\bTrue\b|\bNone\b|\bdict\b|\blist\b|_type=|\bbool\b"
    )
    assert [problem.message for problem in problems if python.search(problem.message)] == []


def test_words_for_days_stand_for_dates_and_do_not_change_with_them(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    records = [row(1, due_date="today"), row(2, due_date="tomorrow")]
    assert sender().send(records).exit_status == 0
    asked = [request["due_date"] for request in outbound(victor_sandbox)]
    assert sorted(asked) == [today().isoformat(), (today() + timedelta(days=1)).isoformat()]
    assert sender().check(records).unchanged == 2


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("44.23", None),
        ("44", None),
        ("44.230000000000004", "decimals"),
        ("4.423e1", "format"),
        ("-1", "range"),
    ],
)
def test_an_amount_that_is_a_json_number_is_read_by_its_digits(
    checked: Callable[..., Check], number: str, code: str | None
) -> None:
    record = json.dumps(row(1)).replace('"2.23"', number)
    assert number in record
    assert places(checked(record, **JSON)) == ([] if code is None else [(1, "amount", code)])


@pytest.mark.parametrize(
    "record", ["[1]", "{", '{"a": 1, "a": 2}', '{"a": NaN}', "[" * 100_000, '"text"']
)
def test_json_that_is_no_record(checked: Callable[..., Check], record: str) -> None:
    check = checked(f"{json.dumps(row(1))}\n{record}\n", **JSON)
    assert (check.new, check.invalid) == (1, 1)
    assert places(check) == [(2, None, "format")]


def test_rows_from_python_keep_their_types(sender: Senders) -> None:
    good = {
        **row(1),
        "amount": Decimal("44.23"),
        "due_date": today(),
        "amount_modification_allowed": True,
    }
    assert sender().check([good]).new == 1
    assert sender().check([row(1, invoice_no="1042"), {**row(2), "invoice_no": 1042}]).repeated == 1
    wrong: list[Any] = [
        {**row(2), "amount": 44.23},
        {**row(3), "payee_account_number": 917364550218},
        {**row(4), "due_date": datetime.now(UTC)},
        {**row(4), "invoice_no": "other", "due_date": ["today"]},
        {**row(5), "invoice_no": 1.5},
        {1: 2},
        "no mapping",
    ]
    check = sender().check(wrong)
    assert (check.rows, check.invalid, check.new) == (7, 7, 0)
    assert [problem.code for problem in check.problems] == ["float", *["type"] * 6]


@pytest.mark.parametrize(
    ("content", "expected", "message"),
    [
        (
            FOUR[:-5],
            {"expect_total": "2562.46"},
            r"are 1336\.46 in all, and 2562\.46 is expected: nothing was stored",
        ),
        (
            FOUR,
            {"expect_total": Decimal("2562.4")},
            r"are 2562\.46 in all, and 2562\.40 is expected: nothing",
        ),
        (
            FOUR,
            {"expect_total": 2562, "expect_rows": 5},
            "the number of rows is 4, and 5 is expected: nothing was s",
        ),
        (
            FOUR.replace("44.23", "44:23"),
            {"expect_total": "2518.23"},
            r"2518\.23 in all \(1 of the rows have no valid",
        ),
    ],
)
def test_a_source_with_other_control_totals_is_refused_as_a_whole(
    checked: Callable[..., Check],
    sender: Senders,
    content: str,
    expected: dict[str, Any],
    message: str,
) -> None:
    """Such as one that was cut inside its last amount, which is an amount itself."""
    check = checked(content, skip_invalid=True, **expected)
    assert check.is_refused(skip_invalid=True)
    assert re.search(message, check.problems[0].message)
    assert sender().batches() == []


def test_control_totals_are_of_all_rows_of_the_source(sender: Senders, tmp_path: Path) -> None:
    file = tmp_path / "invoices.csv"
    file.write_text(FOUR, "utf-8")
    with localcontext(prec=2):
        for wrong in ({"expect_rows": 3}, {"expect_total": "2562.47"}):
            with pytest.raises(InvalidRows, match="nothing was stored"):
                sender(skip_invalid=True).send(file, **wrong)
        assert sender().send(file, expect_rows=4, expect_total=Decimal("2562.46")).exit_status == 0
        # Also of those that are stored already, and of one that is wrong in another way.
        file.write_text(f"{FOUR}\nINV-5,{ACCOUNT},aHeq349838,BUSINESS,yesterday,0.04\n", "utf-8")
        check = sender(skip_invalid=True).send(file, expect_rows=5, expect_total="2562.50").check
    assert (check.unchanged, check.set_aside) == (4, 1)
    for wrong in (
        {"expect_rows": 0},
        {"expect_rows": 4.0},
        {"expect_total": 2562.46},
        {"expect_total": "2,562.46"},
    ):
        with pytest.raises(ConfigurationError, match=next(iter(wrong))):
            sender().check(file, **wrong)


def test_a_file_that_is_not_there_and_rows_without_a_name(sender: Senders, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        sender().check(tmp_path / "nothing.csv")
    with pytest.raises(ConfigurationError, match="directory"):
        sender().check(tmp_path)
    with pytest.raises(ConfigurationError, match="The batch needs a name"):
        sender(batch=None).check(rows(1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *CASES["refused options"],
        ({"key_retention": timedelta(seconds=2)}, "key_retention=2.0"),
        ({"state": "postgresql://u:s3cret\ud800@host/db"}, "invisible characters"),
        ({"state": "postgresql://u@host/db?autocommit=true"}, "the option autocommit"),
        ({"state": "sqlite:///s3cret\0"}, "invisible characters"),
        (
            {"victor": AsyncVictor(VictorOAuth("client", "secret"))},
            "with blocking calls, not AsyncVictor",
        ),
        ({"storage_key": b"s3cret of sixteen characters"}, "storage_key must be text, not bytes"),
    ],
)
def test_settings_that_cannot_be(sender: Senders, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        sender(**options)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
