"""Output on the pages of what is not run there, against what prints it; and how runs are compared at all.

`make pictures` records the terminals again.
"""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from tests.pages.page import ROOT
from tests.pages.shell import PICTURES, RECORD, normalised, recorded, steady
from victor_ext.bulk import BatchStatus, RowOutcome
from victor_ext.bulk.payment_requests import PaymentRequests
from victor_ext.bulk.results import COLUMNS
from victor_ext.cli.bulk_output import show_status

pytestmark = pytest.mark.slow
SCRIPT: dict[str, Any] = runpy.run_path(str(RECORD))


@pytest.mark.parametrize("made", ["I9PSZYM724", "IAPSZYMBCD", "1234567890"])
def test_any_id_is_steady(made: str) -> None:
    assert steady(f"{made},created") == "ID,created"


def test_the_page_of_bulk_shows_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Its statuses are those of a kill -9 and of some days later."""
    page = (ROOT / "docs" / "bulk.md").read_text(encoding="utf-8")
    paid = {"completed": 187, "pending": 9, "declined": 4}
    killed, created = {RowOutcome.WAITING: 40, RowOutcome.UNKNOWN: 160}, {RowOutcome.CREATED: 200}
    for counts, payments in ((killed, None), (created, None), (created, paid)):
        over = counts is created
        status = BatchStatus("invoices.csv", 200, counts, complete=True, over=over, payments=payments)
        show_status(status, "victor bulk resume --batch invoices.csv", as_json=False)
        printed = capsys.readouterr()
        shown = re.escape(printed.out + printed.err)
        assert re.search(rf"^\$ victor bulk (status|resume).*\n{shown}", page, re.MULTILINE)
    assert f"\n{','.join([*COLUMNS, 'invoice_no', *PaymentRequests.asked])}\n" in page


@pytest.mark.parametrize("name", SCRIPT["SESSIONS"])
def test_a_picture_shows_what_is_printed_now(name: str) -> None:
    assert recorded(PICTURES / f"{name}.svg") == normalised(SCRIPT["SESSIONS"][name]())


@pytest.mark.parametrize("path", [*PICTURES.glob("*.svg")], ids=lambda path: path.stem)
def test_a_picture_is_on_a_page_and_loads_nothing(path: Path) -> None:
    svg = path.read_text(encoding="utf-8")
    assert re.findall(r"url\((?!#)|href=|src=|@import", svg) == []
    assert any(f"](pictures/{path.name})" in page.read_text("utf-8") for page in PICTURES.parent.glob("*.md"))
