"""The page of `victor reconcile --html` in a real browser: on a screen, a phone and paper, with
hostile text in it.
"""

import re

import pytest

from tests.chromium import CONTRAST, browser, launch
from victor_ext.cli import _reconcile

pytestmark = pytest.mark.slow
__all__ = ["browser", "launch"]
HOSTILE = "<script>document.title='taken'</script><b>&\u202e"


@pytest.fixture
def odd_books(books, planted):
    """Books that differ; one of our references wants to be more than text."""
    rows = [*planted.rows, {"client_reference_id": HOSTILE, "amount": "7", "currency": "USD"}]
    books.ours = planted.write(books.folder / "ours & <theirs>.csv", rows)
    return books


@pytest.fixture
def page(odd_books):
    report = odd_books.folder / "report.html"
    ran = odd_books("--html", report)
    assert (ran.status, ran.err) == (1, f"The report is in {report}.\n")
    assert report.stat().st_mode & 0o077 == 0, "only its owner can read it"
    return report


@pytest.fixture
def opened(browser, page):
    shown = browser.new_page()
    shown.goto(page.as_uri())
    yield shown
    shown.close()


def section(opened, kind):
    return opened.locator("section", has=opened.locator(f"h2 .{kind}"))


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (375, "dark")])
def test_the_page_fits_the_width_of_a_screen_and_has_enough_contrast(opened, width, scheme):
    opened.set_viewport_size({"width": width, "height": 800})
    opened.emulate_media(color_scheme=scheme)
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.evaluate(CONTRAST) == []
    assert not section(opened, "missing").locator("thead .title").is_visible()


def test_the_report_page_has_each_differing_row_with_what_to_do(planted, opened):
    expected = dict(planted.expected) | {"missing": planted.expected["missing"] + 1}
    del expected["matched"], expected["modified"]
    assert {
        kind: section(opened, kind).locator("tbody tr").count() for kind in expected
    } == expected
    assert opened.locator("section").count() == len(expected) + 2
    for kind in expected:
        row = opened.locator("tbody tr", has=opened.locator(f"th.{kind}")).inner_text()
        assert _reconcile.KINDS[kind].meaning in row.split("\t")
    twice = section(opened, "duplicate").locator("tbody tr").first.inner_text()
    other = r"44.23 USD\tpending\tthe other payment is \w+"
    assert re.fullmatch(rf"\d+\tTWICE-0\t44.23 USD\t\w+ \(TWICE-0\)\t{other}", twice)


def test_a_section_has_a_sum_and_no_empty_column(opened):
    missing = section(opened, "missing")
    assert missing.locator("thead tr").last.inner_text() == "Line\tOurs\tOur amount"
    assert missing.locator("tfoot tr").inner_text() == "\tSum\t228.15 USD"
    sums = section(opened, "differs").locator("tfoot tr").inner_text()
    assert sums == "\tSum\t221.15 EUR\n+ 221.20 USD\tSum\t442.30 USD\t\t"
