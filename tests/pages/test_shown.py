"""What the pages show and quote is what is printed."""

import ast
import re
import runpy
from functools import cache

import pytest

from tests.pages.page import ROOT
from tests.pages.shell import PICTURES, RECORD, normalised, recorded
from victor_ext.bulk import BatchStatus, RowOutcome
from victor_ext.bulk._payment_requests import PaymentRequests
from victor_ext.bulk._results import COLUMNS
from victor_ext.cli._bulk_output import show_status

pytestmark = pytest.mark.pull_request
SCRIPT = runpy.run_path(str(RECORD))


def test_the_page_of_bulk_sending_shows_the_status_that_the_command_prints(capsys):
    """Its statuses are those of a kill -9 and of some days later."""
    page = (ROOT / "docs" / "bulk.md").read_text(encoding="utf-8")
    paid = {"completed": 187, "pending": 9, "declined": 4}
    killed = {RowOutcome.CREATED: 96, RowOutcome.WAITING: 88, RowOutcome.UNKNOWN: 16}
    created = {RowOutcome.CREATED: 200}
    for counts, payments in ((killed, None), (created, None), (created, paid)):
        over = counts is created
        under_way = 0 if over else 16
        status = BatchStatus(
            "invoices.csv", 200, counts, over=over, payments=payments, under_way=under_way
        )
        show_status(status, "victor bulk {} --batch invoices.csv".format, as_json=False)
        printed = capsys.readouterr()
        shown = re.escape(printed.out + printed.err)
        assert re.search(rf"^\$ victor bulk (status|resume).*\n{shown}", page, re.MULTILINE)
    assert f"\n{','.join([*COLUMNS, 'invoice_no', *PaymentRequests.exported])}\n" in page


@pytest.mark.parametrize("name", sorted(SCRIPT["RECORDED"].keys() - {"demo"}))
def test_a_picture_shows_what_is_printed_now(name):
    """`tests/test_demo.py` runs the demonstration."""
    picture = SCRIPT["RECORDED"][name]
    assert recorded(PICTURES / f"{name}.svg") == normalised(picture.printed())


PAGE = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
OF_LIBRARIES = {
    "Missing Authority Key Identifier",
    "Name or service not known",
    "certificate verify failed",
}
"""What the system and its libraries say. The package passes it on."""
TABLES = re.findall(r"^\| you see .+\n\|---.+\n((?:\|.+\n)+)", PAGE, re.MULTILINE)
CODE = {
    code
    for table in TABLES
    for seen in re.findall(r"^\| (.+?) \| ", table, re.MULTILINE)
    for code in re.findall(r"`([^`]+)`", seen)
} - OF_LIBRARIES
QUOTES = [
    quote.strip()
    for code in sorted(CODE)
    for quote in re.sub(r" \([A-Z].*\)$", "", code).split("...")
    if quote.strip().count(" ") >= 2
]
VALUE = "\0"


@cache
def texts():
    """The sentences of the package, with `VALUE` for each value of an f-string."""
    found = set()
    for path in (ROOT / "victor_ext").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr | ast.Constant):
                parts = node.values if isinstance(node, ast.JoinedStr) else [node]
                found.add(
                    "".join(
                        str(part.value) if isinstance(part, ast.Constant) else VALUE
                        for part in parts
                    )
                )
    return {text for text in found if " " in text and "\n" not in text}


def is_in(quote, text):
    """Whether a text has the words of a quote, or values in place of fewer than half of them."""
    words = [rf"(?:{re.escape(word)}|\S*{VALUE}\S*)" for word in quote.split()]
    found = re.search(" ".join(words), text)
    return found is not None and sum(VALUE in word for word in found[0].split()) < len(words) / 2


@pytest.mark.parametrize("quote", QUOTES)
def test_the_package_has_what_the_page_quotes(quote):
    assert any(is_in(quote, text) for text in texts())
