"""What files say is sent as it stands, or refused with line, column and reason; nothing is changed
on the way.
"""

import json
import re
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from itertools import product
from operator import itemgetter
from pathlib import Path
from string import Template
from typing import Any

import pytest

from tests.bulk.bulk_runs import (
    ACCOUNT,
    Checked,
    Senders,
    in_days,
    outbound,
    refused,
    row,
    rows,
    today,
    write_csv,
)
from tests.cases import cases_beside
from victor_ext import AsyncVictor, VictorOAuth
from victor_ext.bulk import Check, InvalidRows
from victor_ext.bulk.payment_requests import PaymentRequests
from victor_ext.sandbox import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.hours]
CASES = cases_beside(__file__)
HEADING = "invoice_no,payee_account_number,payer_counterparty_id,amount,biller_type,due_date,notes"
GOOD = f"INV-1,{ACCOUNT},aHeq349838,44.23,BUSINESS,{today()},"
FILE = f"{HEADING}\n{GOOD}\n"
SECOND = GOOD.replace("INV-1", "INV-2")
PARTS = {
    "HEADING": HEADING,
    "GOOD": GOOD,
    "FILE": FILE,
    "SECOND": SECOND,
    "OTHER": GOOD.replace("44.23", "1.00"),
    "UMLAUT": f"{FILE}{SECOND}Grüße\n",
    "UNDATED": FILE.replace(",due_date", "").replace(f",{today()}", ""),
    "LONG": "x" * (1 << 20),
    "RECORD": json.dumps(row(1)),
    "SECOND_RECORD": json.dumps(row(2)),
}
"""What the texts of `cases.yaml` are made of."""
FOUR = "\n".join(
    [
        "invoice_no,payee_account_number,payer_counterparty_id,biller_type,due_date,amount",
        f"INV-1,{ACCOUNT},aHeq349838,BUSINESS,{today()},44.23",
        f"INV-2,{ACCOUNT},aHeq349838,BUSINESS,{today()},30.23",
        f"INV-3,{ACCOUNT},aHeq349838,BUSINESS,{today()},1250",
        f"INV-4,{ACCOUNT},aHeq349838,BUSINESS,{today()},1238.00",
    ]
)
JSON = {"name": "invoices.jsonl"}


def replaced(text: str, changes: Mapping[str, str]) -> str:
    for old, new in changes.items():
        text = text.replace(old, new)
    return text


def check_case(checked: Checked, case: Mapping[str, Any]) -> Check:
    """Check the file of a case, whatever is wrong with it."""
    text = Template(case.get("text", "$FILE")).substitute(PARTS)
    content = replaced(text, case.get("replace", {})).encode(case.get("encode", "utf-8"))
    name = case.get("name", "invoices.csv")
    return checked(content, name, skip_invalid=True, **case.get("options", {}))


@pytest.fixture
def checked(sender: Senders, tmp_path: Path) -> Checked:
    """Check a file with this content."""

    def check(content: str | bytes, name: str = "invoices.csv", **options: Any) -> Check:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        expected = {word: options.pop(word) for word in [*options] if word.startswith("expect_")}
        result: Check = sender(**options).check(path, **expected)
        return result

    return check


def places(check: Check) -> list[tuple[int | None, str | None, str]]:
    """Line or row, column and code of each problem."""
    return [(each.line or each.row, each.column, each.code) for each in check.problems]


@pytest.mark.parametrize("case", CASES["files that are read"], ids=itemgetter("rule"))
def test_a_file_of_this_form_is_read_whole(checked: Checked, case: dict[str, Any]) -> None:
    check = check_case(checked, case)
    assert check.rows == case["rows"]
    assert check.new == case["rows"]
    assert check.problems == []


def test_a_date_may_stand_for_all_that_are_missing(checked: Checked) -> None:
    check = checked(PARTS["UNDATED"], due_date=today() + timedelta(days=1))
    assert check.new == 1
    assert check.problems == []


@pytest.mark.parametrize("case", CASES["files that are refused"], ids=itemgetter("rule"))
def test_what_is_refused_with_its_place(checked: Checked, case: dict[str, Any]) -> None:
    check = check_case(checked, case)
    assert places(check)[-1] == tuple(case["place"])
    assert case.get("says", "") in check.problems[-1].message


@pytest.mark.parametrize(("encoding", "says"), CASES["other encodings"])
def test_an_encoding_that_has_no_lines_that_can_be_told_apart_is_named(
    checked: Checked, encoding: str, says: str
) -> None:
    with refused(f"encoding={encoding!r} {says}"):
        checked(FILE, encoding=encoding)


@pytest.mark.parametrize(
    ("content", "name"), [(b"PK\x03\x04rest", ".xlsx"), (b"\xd0\xcf\x11\xe0rest", ".xls")]
)
def test_a_workbook_is_named(checked: Checked, content: bytes, name: str) -> None:
    with refused(name):
        checked(content)


@pytest.mark.parametrize("key_column", ["invoice_no", "client_reference_id"])
@pytest.mark.parametrize("shortened", ["2.0260E+13", "2,026e+13"])
def test_a_shortened_number_is_no_key_and_no_reference(
    sender: Senders, key_column: str, shortened: str
) -> None:
    """Another day the same number is written out: it would be another key, and another payment."""
    records = [row(1, **{key_column: shortened}), row(2, **{key_column: "1E5"})]
    check = sender(key_column=key_column).check(records)
    assert places(check) == [(1, key_column, "shortened")]
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
    shown = {
        "INV-\u200b7": "'INV-<U+200B>7'.",
        "INV\u00a07": "'INV<U+00A0>7'.",
        "\ufeffINV-7": "'<U+FEFF>INV-7'.",
        "INV-7\u202e": "'INV-7<U+202E>'.",
        "INV-7 ": "'INV-7 '.",
    }
    records = [row(number, **{column: text}) for number, text in enumerate(shown, 1)]
    check = sender(key_column=key_column).check(records)
    assert places(check) == [(number, column, "characters") for number in range(1, 6)]
    messages = [problem.message.rpartition(": ")[2] for problem in check.problems]
    assert messages == [*shown.values()]


@pytest.mark.parametrize(
    ("changes", "column", "code"),
    [
        *CASES["bad values"],
        ({"due_date": in_days(-3)}, "due_date", "past"),
        ({"due_date": in_days(4)}, "due_date", "range"),
        ({"invoice_no": "x" * 201}, "invoice_no", "length"),
    ],
)
def test_bad_values_are_named_by_row_and_column(
    sender: Senders, changes: dict[str, str], column: str, code: str
) -> None:
    check = sender().check([row(1), row(2, **changes)])
    assert check.new == 1
    assert check.invalid == 1
    assert places(check) == [(2, column, code)]


@pytest.mark.parametrize("number", ["98765432109876543210987", "98765432x"])
def test_all_that_is_wrong_with_a_row_is_said_at_once_without_its_account_number(
    sender: Senders, number: str
) -> None:
    check = sender().check([row(1, amount="-1", notes="x" * 151, payee_account_number=number)])
    columns = {problem.column for problem in check.problems}
    assert columns == {"amount", "notes", "payee_account_number"}
    assert not any("98765" in str(problem) + repr(problem) for problem in check.problems)


@pytest.mark.parametrize("name", ["invoices.csv", "invoices.jsonl"])
@pytest.mark.parametrize(("changes", "message"), CASES["in a file"])
def test_of_a_file_nothing_is_said_in_python(
    checked: Checked, tmp_path: Path, name: str, changes: dict[str, str], message: str
) -> None:
    record = row(1, **changes)
    content = json.dumps(record)
    if name == "invoices.csv":
        content = write_csv(tmp_path / "written", [record]).read_text("utf-8")
    assert [problem.message for problem in checked(content, name).problems] == [message]


def test_no_value_of_a_json_document_is_answered_in_python(checked: Checked) -> None:
    columns = {*PaymentRequests.columns, "invoice_no"}
    values = ("1.5", "7", "true", "[]", "{}", '"x"', '"\\ud83d"', "null")
    records = [
        json.dumps(row(number, **{column: "here"})).replace('"here"', value)
        for number, (column, value) in enumerate(product(sorted(columns), values), start=100)
    ]
    problems = checked("\n".join(records), **JSON).problems
    assert {problem.column for problem in problems} == columns
    python = r"Decimal|\bdate\(|\b(str|True|None|dict|list|bool)\b|_type="
    assert [each.message for each in problems if re.search(python, each.message)] == []


def test_words_for_days_stand_for_dates_and_do_not_change_with_them(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    records = [row(1, due_date="today"), row(2, due_date="tomorrow")]
    sender.finish(records)
    asked = [request["due_date"] for request in outbound(victor_sandbox)]
    assert sorted(asked) == [in_days(0), in_days(1)]
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
    checked: Checked, number: str, code: str | None
) -> None:
    record = PARTS["RECORD"].replace('"2.23"', number)
    assert number in record
    assert places(checked(record, **JSON)) == ([] if code is None else [(1, "amount", code)])


@pytest.mark.parametrize(
    "record", ["[1]", "{", '{"a": 1, "a": 2}', '{"a": NaN}', "[" * 100_000, '"text"']
)
def test_json_that_is_no_record(checked: Checked, record: str) -> None:
    check = checked(f"{PARTS['RECORD']}\n{record}\n", **JSON)
    assert check.new == 1
    assert check.invalid == 1
    assert places(check) == [(2, None, "format")]


def test_rows_from_python_keep_their_types(sender: Senders) -> None:
    types = {"amount": Decimal("44.23"), "due_date": today(), "amount_modification_allowed": True}
    assert sender().check([{**row(1), **types}]).new == 1
    assert sender().check([row(1, invoice_no="1042"), {**row(2), "invoice_no": 1042}]).repeated == 1
    wrong: list[Any] = [
        {**row(2), "amount": 44.23},
        {**row(3), "payee_account_number": 917364550218},
        {**row(4), "due_date": datetime.now(UTC)},
        {**row(5), "due_date": ["today"]},
        {**row(6), "invoice_no": 1.5},
        {1: 2},
        "no mapping",
    ]
    check = sender().check(wrong)
    assert check.rows == 7
    assert check.invalid == 7
    assert check.new == 0
    assert [problem.code for problem in check.problems] == ["float", *["type"] * 6]


@pytest.mark.parametrize(("changes", "expected", "message"), CASES["control totals"])
def test_a_source_with_other_control_totals_is_refused_as_a_whole(
    checked: Checked,
    sender: Senders,
    changes: dict[str, str],
    expected: dict[str, Any],
    message: str,
) -> None:
    """Such as one that was cut inside its last amount, which is an amount itself."""
    check = checked(replaced(FOUR, changes), skip_invalid=True, **expected)
    assert check.is_refused(skip_invalid=True)
    assert re.search(message, check.problems[0].message)
    assert sender().batches() == []


def test_control_totals_are_of_all_rows_of_the_source(sender: Senders, tmp_path: Path) -> None:
    skipping = sender(skip_invalid=True)
    file = tmp_path / "invoices.csv"
    file.write_text(FOUR, "utf-8")
    with localcontext(prec=2):
        for wrong in ({"expect_rows": 3}, {"expect_total": "2562.47"}):
            with pytest.raises(InvalidRows, match="nothing was stored"):
                skipping.send(file, **wrong)
        sent = sender().send(file, expect_rows=4, expect_total=Decimal("2562.46"))
        assert sent.exit_status == 0
        # Also of those that are stored already, and of one that is wrong in another way.
        file.write_text(f"{FOUR}\nINV-5,{ACCOUNT},aHeq349838,BUSINESS,yesterday,0.04\n", "utf-8")
        check = skipping.send(file, expect_rows=5, expect_total="2562.50").check
    assert check.unchanged == 4
    assert check.set_aside == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("expect_rows", 0),
        ("expect_rows", 4.0),
        ("expect_total", 2562.46),
        ("expect_total", "2.562,46"),
    ],
)
def test_a_control_total_that_is_none_is_refused(checked: Checked, name: str, value: Any) -> None:
    with refused(name):
        checked(FOUR, **{name: value})


def test_a_file_that_is_not_there_and_rows_without_a_name(sender: Senders, tmp_path: Path) -> None:
    with refused("No such file"):
        sender().check(tmp_path / "nothing.csv")
    with refused("directory"):
        sender().check(tmp_path)
    with refused("The batch needs a name"):
        sender(batch=None).check(rows(1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *CASES["refused options"],
        ({"key_column": ""}, "key_column='' must be the name of a column."),
        ({"workers": None}, "workers=None must be a whole number from 1 to 100."),
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
    with refused(message) as caught:
        sender(**options)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
