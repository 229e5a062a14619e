"""What files say is sent as it stands, or refused with line, column and reason; nothing is changed
on the way.
"""

import json
import re
import traceback
from datetime import timedelta
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
)
from tests.cases import cases_beside
from tests.payments import cells, today
from victor_ext import AsyncVictor, VictorOAuth
from victor_ext.bulk import InvalidRows

pytestmark = pytest.mark.slow
CASES = cases_beside(__file__)
CELLS = cells(payee_account_number=ACCOUNT)
HEADING = ",".join(["invoice_no", *CELLS, "notes"])
GOOD = ",".join(["INV-1", *CELLS.values(), ""])
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
OTHERS = {name: cell for name, cell in CELLS.items() if name != "amount"}
FOUR = "\n".join(
    [
        ",".join(["invoice_no", *OTHERS, "amount"]),
        *(
            ",".join([f"INV-{number}", *OTHERS.values(), amount])
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


@pytest.mark.parametrize("is_first", [False, True])
@pytest.mark.parametrize("skip_invalid", [False, True])
def test_an_account_that_lost_its_zero_refuses_the_file(checked, is_first, skip_invalid):
    """Whichever row has it: the money would go to another account."""
    lines = [line.replace(ACCOUNT, "043987673645") for line in (GOOD, SECOND)]
    lost = GOOD.replace("INV-1", "INV-3").replace(ACCOUNT, "43987673645")
    rows = [lost, *lines] if is_first else [*lines, lost]
    check = checked("\n".join([HEADING, *rows]), skip_invalid=skip_invalid)
    assert check.is_refused(skip_invalid=skip_invalid)
    assert places(check) == [(3 if is_first else 4, "payee_account_number", "leading_zeros")]
    assert "but for leading zeros. Write it in all rows as it is" in check.problems[0].message


@pytest.mark.parametrize(
    ("heading", "values", "is_refused"),
    [
        ("Währung", ("EUR", "EUR"), True),
        ("Devise", ("USD", "EUR"), True),
        ("currency", ("USD", "Euro"), True),
        ("Währung", ("USD", "usd"), False),
        ("Region", ("ALL", "north"), False),
        ("currency_note", ("paid in euros", ""), False),
    ],
)
def test_a_column_of_currencies_is_known_by_its_values(checked, heading, values, is_refused):
    """It contradicts what would be sent: the file is refused, also if wrong rows are set aside."""
    lines = [f"{line},{value}" for line, value in zip((GOOD, SECOND), values, strict=True)]
    check = checked("\n".join([f"{HEADING},{heading}", *lines]), skip_invalid=True)
    assert check.is_refused(skip_invalid=True) == is_refused
    if is_refused:
        line = 2 if "USD" not in values else 3
        assert [problem[1:] for problem in places(check)] == [(heading, "currency")]
        assert f"line {line}, {heading}: {heading} is " in str(check.problems[0])


@pytest.mark.parametrize("key_column", ["invoice_no", "client_reference_id"])
def test_what_a_spreadsheet_makes_of_a_number_is_no_key_and_no_reference(sender, key_column):
    """Another day the same number is written out: it would be another key, and another payment."""
    numbers = ("2.0260E+13", "2,026e+13")
    dates = ("Jul-26", "7-Nov", "01-Aug", "Mrz 26", "07. Nov", "1-May-26")
    texts = (*numbers, *dates, "1E5", "2026-14", "Jul-1042", "RENT-Jul-26")
    records = [row(number, **{key_column: text}) for number, text in enumerate(texts, 1)]
    check = sender(key_column=key_column).check(records)
    assert places(check) == [(number, key_column, "shortened") for number in range(1, 9)]
    assert check.new == 4


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


def test_today_and_tomorrow_are_sent_as_dates_and_are_no_change_in_the_same_file(
    sender, victor_sandbox
):
    records = [row(1, due_date="today"), row(2, due_date="tomorrow")]
    sender.finish(records)
    asked = [request["due_date"] for request in outbound(victor_sandbox)]
    assert sorted(asked) == [in_days(0), in_days(1)]
    assert sender().check(records).unchanged == 2


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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *CASES["refused options"],
        ({"key_column": ""}, "key_column='' must be the name of a column"),
        ({"workers": None}, "workers=None must be a whole number, at least 1 and at most 100."),
        ({"keys_kept": timedelta(seconds=2)}, "keys_kept=2.0"),
        ({"state": "postgresql://u:s3cret\ud800@host/db"}, "invisible characters"),
        ({"state": "postgresql://u@host/db?autocommit=true"}, "the option autocommit"),
        ({"state": "sqlite:///s3cret\0"}, "invisible characters"),
        (
            {"victor": AsyncVictor(VictorOAuth("client", "secret"))},
            "with blocking calls, not AsyncVictor",
        ),
        (
            {"storage_key": b"s3cret of sixteen characters"},
            "must be text, not bytes",
        ),
    ],
)
def test_an_impossible_setting_is_refused_by_name_without_showing_a_secret(
    sender, options, message
):
    with refused(message) as caught:
        sender(**options)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
