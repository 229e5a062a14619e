"""Which tests run where: what each tier leaves out, and which cases of a product it takes."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import TypeVar

import pytest

TIERS = {
    "quick": frozenset({"slow", "pull_request", "nightly"}),
    "test": frozenset({"pull_request", "nightly"}),
    "pull-request": frozenset({"nightly"}),
    "all": frozenset[str](),
}
"""By tier: the marks of the tests that it leaves out.

`pull-request` leaves out whatever `test` runs, too: the workflow runs both.
"""
MARKS = {
    "slow": "starts a process, waits, or searches for examples; in `make test`",
    "pull_request": "needs programs of others, or is one more look at what another test shows; in "
    "the workflow on each pull request",
    "nightly": "takes minutes, or tests tests; in `make test-all`",
}

Row = tuple[int, str]
"""Which table of a test, and which row of it."""
Tests = TypeVar("Tests", bound=pytest.Item)


def marks_of(test: pytest.Item) -> set[str]:
    """Those of its marks that say where it runs."""
    return {mark.name for mark in test.iter_markers()} & {"slow", "pull_request", "nightly"}


def left_out(tests: Iterable[Tests], tier: str) -> list[Tests]:
    """The tests that a tier does not run; the same in every process and every run."""
    every = list(tests)
    marks = {test: marks_of(test) for test in every}
    unmarked = [test for test in every if not marks[test] & TIERS[tier]]
    if tier == "all":
        return []
    if tier == "pull-request":
        elsewhere = {*every} - {*left_out(every, "test")}
        return [test for test in every if marks[test] & TIERS[tier] or test in elsewhere]
    slow = [test for test in unmarked if "slow" in marks[test]]
    quick = [test for test in unmarked if "slow" not in marks[test]]
    runs = {*_sample(slow, together=1), *_sample(quick, together=2)}
    return [test for test in every if test not in runs]


def covering(cases: Iterable[Tests], together: int) -> Iterator[Tests]:
    """Take cases of one test until all rows of its tables have met that can meet.

    Args:
        cases: All cases of one test.
        together: How many rows meet: 1 takes each row of each table, 2 each pair of them. So a test
            with one table keeps all of its cases.
    """
    met = set[tuple[Row, ...]]()
    for case in sorted(cases, key=lambda case: zlib.crc32(case.nodeid.encode())):
        rows = _rows_of(case)
        meetings = set(combinations(rows, min(together, len(rows))))
        if not meetings <= met:
            met |= meetings
            yield case


def borders(rows: Iterable[object], *named: object) -> list[object]:
    """The rows of a table, for `parametrize`: `make test` runs those that are named here, and the
    workflow all others.
    """
    table = list(rows)
    assert all(row in table for row in named), f"no rows of this table: {named}"
    others = pytest.mark.pull_request
    return [row if row in named else pytest.param(row, marks=others) for row in table]


def shard_of(name: str, count: int) -> int:
    """The part, from 1 on, of so many parts that a test belongs to."""
    return zlib.crc32(name.encode()) % count + 1


def function_of(test: pytest.Item) -> str:
    """The test that a case is one of."""
    return test.nodeid.partition("[")[0]


def _rows_of(case: pytest.Item) -> tuple[Row, ...]:
    callspec = getattr(case, "callspec", None)
    # pytest has no public name for it: the id of a row in each of the tables
    return tuple(enumerate(callspec._idlist)) if callspec else ()


def _sample(tests: Iterable[Tests], *, together: int) -> Iterator[Tests]:
    cases = dict[str, list[Tests]]()
    for test in tests:
        cases.setdefault(function_of(test), []).append(test)
    for group in cases.values():
        yield from covering(group, together)
