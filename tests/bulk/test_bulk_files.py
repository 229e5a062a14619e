"""What files say is sent as it stands, or refused with line, column and reason; nothing is changed
on the way.
"""

import json
import re
import traceback
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from operator import itemgetter
from string import Template

import pytest

from tests.bulk.bulk_runs import (
    ACCOUNT,
    in_days,
    outbound,
    places,
    refused,
    row,
    rows,
    today,
    write_csv,
)
from tests.cases import cases_beside
from victor_ext import AsyncVictor, VictorOAuth
from victor_ext.bulk import InvalidRows

pytestmark = pytest.mark.slow
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
        *(
            f"INV-{number},{ACCOUNT},aHeq349838,BUSINESS,{today()},{amount}"
            for number, amount in enumerate(("44.23", "30.23", "1250", "1238.00"), 1)
        ),
    ]
)


def check_case(checked, case):
    """Check the file of a case, whatever is wrong with it."""
    text = Template(case.get("text", "$FILE")).substitute(PARTS)
    for old, new in case.get("replace", {}).items():
        text = text.replace(old, new)
    content = text.encode(case.get("encode", "utf-8"))
    name = case.get("name", "invoices.csv")
    return checked(content, name, skip_invalid=True, **case.get("options", {}))


@pytest.fixture
def checked(sender, tmp_path):
    """Check a file with this content."""

    def check(content, name="invoices.csv", **options):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        expected = {word: options.pop(word) for word in [*options] if word.startswith("expect_")}
        return sender(**options).check(path, **expected)

    return check


@pytest.mark.parametrize("case", CASES["files that are read"], ids=itemgetter("rule"))
def test_a_file_of_this_form_is_read_whole(checked, case):
    check = check_case(checked, case)
    assert check.rows == case["rows"]
    assert check.new == case["rows"]
    assert check.problems == []


@pytest.mark.parametrize("case", CASES["files that are refused"], ids=itemgetter("rule"))
def test_a_mistake_in_a_file_is_refused_with_its_line_and_column(checked, case):
    check = check_case(checked, case)
    assert places(check)[-1] == tuple(case["place"])
    assert case.get("says", "") in check.problems[-1].message


def checked_row(checked, cells, delimiter=","):
    """Check a good row, and one with these cells."""
    text = f"{FILE}{re.sub('A(?=,)', ACCOUNT, cells).replace('D', str(today()))}\n"
    return checked(text.replace(",", delimiter), skip_invalid=True)


@pytest.mark.parametrize(("cells", "code", "says"), CASES["misplaced cells"])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_row_with_a_comma_too_many_or_too_few_is_told_as_that(
    checked, cells, code, says, delimiter
):
    """Also if it has as many cells as the heading, because its last ones are empty."""
    check = checked_row(checked, cells, delimiter)
    assert places(check) == [(3, None, code)]
    mark = {",": "comma", ";": "semicolon"}[delimiter]
    assert says.replace("comma", mark) in check.problems[0].message


@pytest.mark.parametrize(("cells", "says"), CASES["own cells"])
def test_a_row_with_wrong_values_is_not_told_as_one_with_a_comma_too_many(checked, cells, says):
    assert checked_row(checked, cells).problems[0].message.startswith(says)


@pytest.mark.parametrize(("encoding", "says"), CASES["other encodings"])
def test_an_encoding_that_cannot_be_read_line_by_line_is_refused_with_its_name(
    checked, encoding, says
):
    with refused(f"encoding={encoding!r} {says}"):
        checked(FILE, encoding=encoding)


@pytest.mark.parametrize(
    ("content", "name"), [(b"PK\x03\x04rest", ".xlsx"), (b"\xd0\xcf\x11\xe0rest", ".xls")]
)
def test_a_workbook_in_place_of_a_csv_file_is_refused_with_its_kind(checked, content, name):
    with refused(name):
        checked(content)


@pytest.mark.parametrize("key_column", ["invoice_no", "client_reference_id"])
def test_a_shortened_number_is_no_key_and_no_reference(sender, key_column):
    """Another day the same number is written out: it would be another key, and another payment."""
    texts = ("2.0260E+13", "2,026e+13", "1E5")
    records = [row(number, **{key_column: text}) for number, text in enumerate(texts, 1)]
    check = sender(key_column=key_column).check(records)
    assert places(check) == [(number, key_column, "shortened") for number in (1, 2)]
    assert check.new == 1


@pytest.mark.parametrize(
    ("key_column", "column"),
    [
        ("invoice_no", "client_reference_id"),
        ("client_reference_id", "client_reference_id"),
        ("invoice_no", "payer_counterparty_id"),
    ],
)
def test_an_invisible_character_that_changes_a_value_is_shown_in_the_message(
    sender, key_column, column
):
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
def test_a_bad_value_is_reported_with_its_row_and_column(sender, changes, column, code):
    check = sender().check([row(1), row(2, **changes)])
    assert (check.new, check.invalid) == (1, 1)
    assert places(check) == [(2, column, code)]


@pytest.mark.parametrize("number", ["98765432109876543210987", "98765432x"])
def test_all_mistakes_of_a_row_are_reported_at_once_without_its_account_number(sender, number):
    check = sender().check([row(1, amount="-1", notes="x" * 151, payee_account_number=number)])
    columns = {problem.column for problem in check.problems}
    assert columns == {"amount", "notes", "payee_account_number"}
    assert not any("98765" in str(problem) + repr(problem) for problem in check.problems)


@pytest.mark.parametrize("name", ["invoices.csv", "invoices.jsonl"])
@pytest.mark.parametrize(("changes", "message"), CASES["in a file"])
def test_a_wrong_value_is_refused_with_the_same_sentence_in_csv_and_in_json_lines(
    checked, tmp_path, name, changes, message
):
    record = row(1, **changes)
    content = json.dumps(record)
    if name == "invoices.csv":
        content = write_csv(tmp_path / "written", [record]).read_text("utf-8")
    assert [problem.message for problem in checked(content, name).problems] == [message]


def test_today_and_tomorrow_are_sent_as_dates_and_are_no_change_in_the_same_file(
    sender, victor_sandbox
):
    records = [row(1, due_date="today"), row(2, due_date="tomorrow")]
    sender.finish(records)
    asked = [request["due_date"] for request in outbound(victor_sandbox)]
    assert sorted(asked) == [in_days(0), in_days(1)]
    assert sender().check(records).unchanged == 2


def test_a_row_from_python_may_have_decimals_dates_and_booleans(sender):
    types = {"amount": Decimal("44.23"), "due_date": today(), "amount_modification_allowed": True}
    assert sender().check([{**row(1), **types}]).new == 1


def test_a_number_and_its_digits_are_one_key(sender):
    assert sender().check([row(1, invoice_no="1042"), {**row(2), "invoice_no": 1042}]).repeated == 1


class NoTime:
    """As pandas' NaT."""

    def __str__(self):
        return "NaT"


@pytest.mark.parametrize("empty", [NoTime(), float("nan"), Decimal("NaN")])
def test_an_empty_cell_of_a_data_frame_is_told_with_its_row_and_column(sender, empty):
    columns = ("invoice_no", "payee_account_number", "amount", "due_date", "biller_type")
    records = [{**row(number), column: empty} for number, column in enumerate(columns, 1)]
    optional = {**row(9), "notes": empty, "region": empty, "client_reference_id": empty}
    check = sender().check([*records, optional])
    expected = [(number, column, "required") for number, column in enumerate(columns, 1)]
    assert (check.new, places(check)) == (1, expected)
    for problem in check.problems:
        assert f"{problem.column} is empty ({empty})" in problem.message
    dated = sender(due_date="today").check([{**row(4), "due_date": empty}])
    assert dated.new == 1


def test_a_row_from_python_with_a_value_of_another_type_is_refused(sender):
    wrong = [
        {**row(2), "amount": 44.23},
        {**row(3), "payee_account_number": 917364550218},
        {**row(4), "due_date": datetime.now(UTC)},
        {**row(6), "invoice_no": 1.5},
        {1: 2},
        "no mapping",
    ]
    check = sender().check(wrong)
    assert (check.rows, check.invalid) == (6, 6)
    assert [problem.code for problem in check.problems] == ["float", *["type"] * 5]


@pytest.mark.parametrize(("changes", "expected", "message"), CASES["control totals"])
def test_a_source_with_other_control_totals_is_refused_as_a_whole(
    checked, sender, tmp_path, changes, expected, message
):
    """Such as one that was cut inside its last amount, which is an amount itself."""
    text = FOUR
    for old, new in changes.items():
        text = text.replace(old, new)
    check = checked(text, skip_invalid=True, **expected)
    assert check.is_refused(skip_invalid=True)
    assert re.search(message, check.problems[0].message)
    with pytest.raises(InvalidRows, match=message):
        sender(skip_invalid=True).send(tmp_path / "invoices.csv", **expected)
    assert sender().batches() == []


def test_control_totals_are_of_all_rows_of_the_source(sender, tmp_path):
    skipping = sender(skip_invalid=True)
    file = tmp_path / "invoices.csv"
    file.write_text(FOUR, "utf-8")
    with localcontext(prec=2):
        with pytest.raises(InvalidRows, match="nothing was stored"):
            skipping.send(file, expect_total="2562.47")
        sent = sender().send(file, expect_rows=4, expect_total=Decimal("2562.46"))
        assert sent.exit_status == 0
        # Also of those that are stored already, and of one that is wrong in another way.
        file.write_text(f"{FOUR}\nINV-5,{ACCOUNT},aHeq349838,BUSINESS,yesterday,0.04\n", "utf-8")
        check = skipping.send(file, expect_rows=5, expect_total="2562.50").check
    assert (check.unchanged, check.set_aside) == (4, 1)


@pytest.mark.parametrize(("name", "value"), [("expect_rows", 0), ("expect_total", 2562.46)])
def test_no_rows_and_a_float_are_refused_as_control_totals(checked, name, value):
    with refused(name):
        checked(FOUR, **{name: value})


def test_a_file_that_is_not_there_and_rows_without_a_name_are_refused(sender, tmp_path):
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
def test_an_impossible_setting_is_refused_by_name_without_showing_a_secret(
    sender, options, message
):
    with refused(message) as caught:
        sender(**options)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
