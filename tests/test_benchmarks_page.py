"""docs/benchmarks.md and its tables are made of recorded runs: nothing is typed, or left out."""

from copy import deepcopy

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


def test_the_recorded_run_is_within_its_limits(record):
    assert page.beyond_limits(record) == []


def test_a_run_of_half_the_speed_is_beyond_each_limit_of_time(record):
    limited = {
        name: measure
        for name, measure in MEASURES.items()
        if measure.limit is not None and measure.kind != "memory"
    }
    slower = deepcopy(record)
    for name in limited:
        for ours in ("victor", "victor_tls"):
            for own, _raw in slower["measures"][name].get(ours, []):
                own[1:] = [2 * seconds for seconds in own[1:]]
    complaints = page.beyond_limits(slower)
    assert len(complaints) == len(limited)
    for complaint, measure in zip(complaints, limited.values(), strict=True):
        assert complaint.startswith(measure.title)
