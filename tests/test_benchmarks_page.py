"""docs/benchmarks.md is made of the recorded run: nothing in it is typed, left out or improved."""

import json

import pytest

from benchmarks import decoding, page, scale
from benchmarks.chart import svg
from benchmarks.measures import MEASURES

AGAIN = "Make it again: make bench-page (or, for a new run, make bench)."


@pytest.fixture(scope="module")
def record():
    return json.loads(page.RECORD.read_text(encoding="utf-8"))


def test_the_page_and_its_chart_are_those_of_the_record(record):
    assert page.PAGE.read_text(encoding="utf-8") == page.markdown(record), AGAIN
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


def test_what_orjson_would_save_is_what_was_recorded():
    record = decoding.recorded()
    assert decoding.note(record) in page.PAGE.read_text(encoding="utf-8")
    assert {len(rounds) for rounds in record["rounds"].values()} == {decoding.ROUNDS}


def test_a_long_integer_is_not_rounded_where_orjson_is_measured():
    pytest.importorskip("orjson", reason="only the benchmark uses it")
    for digits in ("18446744073709551616", "-9999999999999999999", "12"):
        assert decoding.checked(b'{"amount": %b}' % digits.encode()) == {"amount": int(digits)}


def test_the_page_is_made_of_the_record_and_of_nothing_else() -> None:
    record, bulk = (
        json.loads(path.read_text("utf-8")) for path in (scale.RECORD, scale.BULK_RECORD)
    )
    page = scale.PAGE.read_text("utf-8")
    assert scale.markdown(record, bulk) == page
