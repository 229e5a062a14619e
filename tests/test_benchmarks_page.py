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


def limited_rows(kinds):
    return [
        (name, row)
        for name, measure in MEASURES.items()
        for row in measure.limits
        if (measure.kind == "memory") is (kinds == "memory")
    ]


def test_a_run_of_half_the_speed_is_beyond_each_limit_of_time(record):
    slower = deepcopy(record)
    limited = limited_rows("timed")
    for name, row in limited:
        for own, _raw in slower["measures"][name][row]:
            own[1] = 2 * own[1]  # seconds: those of CPU have no limit
    assert_each_is_named(page.beyond_limits(slower), limited)


def test_a_run_of_twice_the_memory_is_beyond_each_limit_of_memory(record):
    larger = deepcopy(record)
    limited = limited_rows("memory")
    for name, row in limited:
        [figures] = larger["measures"][name][row]
        figures[0] = 2 * figures[0]
    assert_each_is_named(page.beyond_limits(larger), limited)


def test_memory_that_grows_is_beyond_its_limit(record):
    larger = deepcopy(record)
    [figures] = larger["measures"]["memory"]["victor"]
    figures[1] = figures[0] / 2
    [complaint] = page.beyond_limits(larger)
    assert "more growth" in complaint


def assert_each_is_named(complaints, limited):
    assert limited
    assert len(complaints) == len(limited)
    for complaint, (name, row) in zip(complaints, limited, strict=True):
        assert complaint.startswith(f"{MEASURES[name].title}, {row}: ")
