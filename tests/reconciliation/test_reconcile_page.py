"""The page of `victor reconcile --html` in a real browser: on a screen, a phone and paper, with
hostile text in it.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.chromium import CONTRAST, browser, launch
from tests.reconciliation.conftest import Books
from tests.reconciliation.planted import Planted
from victor_ext.cli import reconcile

pytestmark = pytest.mark.slow
__all__ = ["browser", "launch"]
HOSTILE = "<script>document.title='taken'</script><b>&\u202e"


@pytest.fixture
def odd_books(books: Books, planted: Planted) -> Books:
    """Books that differ; one of our references wants to be more than text."""
    rows = [*planted.rows, {"client_reference_id": HOSTILE, "amount": "7", "currency": "USD"}]
    books.ours = planted.write(books.folder / "ours & <theirs>.csv", rows)
    return books


@pytest.fixture
def page(odd_books: Books) -> Path:
    report = odd_books.folder / "report.html"
    ran = odd_books("--html", report)
    assert ran.status == 1
    assert ran.err == f"The report is in {report}.\n"
    assert report.stat().st_mode & 0o077 == 0, "only its owner can read it"
    return report


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (375, "light"), (375, "dark")]
)
def test_it_fits_and_can_be_read_and_printed(
    browser: Any, page: Path, width: int, scheme: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    opened, loaded, said = context.new_page(), list[str](), list[str]()
    opened.on("request", lambda request: loaded.append(request.url))
    opened.on("console", lambda message: said.append(message.text))
    opened.goto(page.as_uri())
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.evaluate(CONTRAST) == []
    assert len(loaded) == 1
    assert said == []
    assert opened.title() == "Reconciliation: ours & <theirs>.csv"
    assert opened.locator("script, img, link, b").count() == 0
    opened.emulate_media(media="print")
    style = "(of) => getComputedStyle(document.querySelector(of))"
    assert opened.evaluate(f"({style})('html').colorScheme") == "light", "paper is white"
    assert opened.evaluate(f"({style})('.rows thead').display") == "table-header-group", (
        "pages repeat it"
    )
    context.close()


def test_it_says_what_the_text_says_and_what_to_do(
    browser: Any, odd_books: Books, planted: Planted, page: Path
) -> None:
    opened = browser.new_page()
    opened.goto(page.as_uri())
    text = opened.inner_text("body")
    shown = odd_books().out.splitlines()
    verdict, notes = shown[-1], shown[shown.index("", shown.index("") + 1) + 2 : -1]
    assert verdict in text
    assert [note for note in notes if note not in text] == []
    sections = opened.locator("section").all()[1:-1]
    counts = {
        one.locator("h2 span").get_attribute("class"): one.locator("tbody tr").count()
        for one in sections
    }
    expected = dict(planted.expected) | {"missing": planted.expected["missing"] + 1}
    assert counts == {
        kind: count for kind, count in expected.items() if kind not in ("matched", "modified")
    }
    for kind in expected:
        *_, meaning, advice = (
            opened.locator("tbody tr", has=opened.locator(f"th.{kind}")).inner_text().split("\t")
        )
        assert meaning == reconcile.KINDS[kind].meaning
        assert advice[-1] == "."
    twice = opened.locator("section", has=opened.locator("h2 .duplicate")).locator("tbody tr").first
    other = r"44.23 USD\tpending\tthe other payment is \w+"
    assert re.fullmatch(rf"\d+\tTWICE-0\t44.23 USD\t\w+ \(TWICE-0\)\t{other}", twice.inner_text())
    assert HOSTILE.replace("\u202e", "<U+202E>") in text
    opened.close()


def test_a_section_has_a_sum_and_no_empty_column(browser: Any, page: Path) -> None:
    opened = browser.new_page()
    opened.goto(page.as_uri())
    missing = opened.locator("section", has=opened.locator("h2 .missing"))
    assert missing.locator("thead tr").last.inner_text() == "Line\tOurs\tOur amount"
    assert missing.locator("tfoot tr").inner_text() == "\tSum\t228.15 USD"
    differs = opened.locator("section", has=opened.locator("h2 .differs"))
    sums = differs.locator("tfoot tr").inner_text()
    assert sums == "\tSum\t221.15 EUR\n+ 442.35 USD\tSum\t663.45 USD\t\t"
    opened.close()


def test_each_printed_page_of_a_section_has_its_title(browser: Any, page: Path) -> None:
    opened = browser.new_page()
    opened.goto(page.as_uri())
    title = opened.locator("section", has=opened.locator("h2 .missing")).locator("thead .title")
    assert not title.is_visible()
    opened.emulate_media(media="print")
    assert title.inner_text() == "Reconciliation of ours & <theirs>.csv: missing, 6 rows"
    opened.close()


def test_a_page_stops_where_a_browser_would_be_slow(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "_PAGE_ROWS", 2)
    html = books.folder / "report.html"
    books("--html", html)
    text = html.read_text("utf-8")
    assert (
        "the first 2 of 5 rows; the sum is that of all. "
        "<code>victor reconcile --out report.csv</code> writes all of them" in text
    )
    assert text.count(">MISSING-") == 2
    assert text.count(">UNKNOWN-") + text.count("(UNKNOWN-") == 2, "the next kind is whole"
