"""docs/benchmarks.md and its tables are made of recorded runs: nothing is typed, or left out."""

import pytest

from benchmarks import page
from benchmarks.chart import svg
from benchmarks.measures import MEASURES

AGAIN = "Make it again: make bench-page (or, for a new run, make bench)."


@pytest.fixture(scope="module")
def record():
    return page.recorded()


def test_the_pages_and_the_chart_are_those_of_the_record(record):
    assert page.PAGE.read_text(encoding="utf-8") == page.markdown(record), AGAIN
    assert page.TABLES.read_text(encoding="utf-8") == page.tables_page(record), AGAIN
    assert page.CHART.read_text(encoding="utf-8") == svg(record), AGAIN


def test_the_record_has_each_contender_of_each_measure(record):
    """With as many rounds as are defined, so it is no quick run; whoever adds a client has to
    measure it.
    """
    assert list(record["measures"]) == list(MEASURES)
    for name, measure in MEASURES.items():
        rows = record["measures"][name]
        assert tuple(rows) == measure.rows, name
        assert {len(rounds) for rounds in rows.values()} == {measure.rounds}, name
