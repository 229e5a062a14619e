"""The hot paths make no more calls than were accepted: a guard that no busy machine disturbs."""

from __future__ import annotations

import sys

import pytest

from benchmarks import hot_paths

HOW = "Make it fewer again, or accept it: make hot-paths"


@pytest.fixture(scope="module")
def found() -> dict[str, hot_paths.Counts]:
    return hot_paths.count()


@pytest.fixture(scope="module")
def recorded() -> dict[str, hot_paths.Counts]:
    if sys.platform != "linux":
        pytest.skip("The counts are those of Linux: elsewhere Python waits for sockets by other functions.")
    accepted = hot_paths.recorded()
    if hot_paths.PYTHON not in accepted:
        pytest.skip(f"No counts are recorded for Python {hot_paths.PYTHON}; `make hot-paths` with it records them.")
    return accepted[hot_paths.PYTHON]


def test_no_hot_path_makes_more_calls_than_were_accepted(found, recorded):
    assert set(found) == set(recorded)
    texts = hot_paths.complaints(recorded, found)
    assert not texts, "\n".join([*texts, HOW])


def test_a_function_that_is_called_more_often_is_named(found):
    """Of a path with so many calls, 3 % more are noticed, and 1 % more are not."""
    path, counts = "get", found["get"]
    total, name = sum(counts.values()), next(iter(counts))
    grown = {**found, path: {**counts, name: counts[name] + total * 3 // 100, "new.py:added": 1}}
    (text,) = hot_paths.complaints(found, grown)
    assert text.startswith("get: ")
    assert f"+{total * 3 // 100} {name} ({counts[name]} before)" in text
    assert "+1 new.py:added (0 before)" in text
    assert hot_paths.complaints(found, {**found, path: {**counts, name: counts[name] + total // 100}}) == []
    # Far fewer calls are to be accepted: otherwise they could come back unnoticed.
    fewer = {name: count - count // 5 for name, count in found["page"].items()}
    (text,) = hot_paths.complaints(found, {**found, "page": fewer})
    assert text.startswith("page: ")
    assert "  -" in text


def test_calls_below_victor_ext_count_too(found):
    for counts in found.values():
        assert {name.split("/")[0] for name in counts} >= {"victor_ext", "generated", "httpx", "python"}
