"""Where a moment lies: the window, its edges, and what is around it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from victor_ext import InvalidRequest
from victor_ext.books import Window, Zone

pytestmark = pytest.mark.slow
START = datetime(2026, 3, 4, tzinfo=UTC)
END = START + timedelta(days=1)
WINDOW = Window(START, END, timedelta(minutes=10))


@pytest.mark.parametrize(
    ("minutes", "zone"),
    [
        (-11, Zone.OUTSIDE), (-10, Zone.AROUND), (-1, Zone.AROUND), (0, Zone.EDGE), (9, Zone.EDGE), (10, Zone.INSIDE),
        (1429, Zone.INSIDE), (1430, Zone.EDGE), (1439, Zone.EDGE), (1440, Zone.AROUND), (1450, Zone.AROUND),
        (1451, Zone.OUTSIDE),
    ],
)  # fmt: skip
def test_zones(minutes: int, zone: Zone) -> None:
    assert WINDOW.zone(START + timedelta(minutes=minutes)) is zone


def test_without_a_margin_there_are_no_edges() -> None:
    window = Window(START, END, timedelta(0))
    zones = [window.zone(moment) for moment in (START, END - timedelta(microseconds=1), END)]
    assert zones == [Zone.INSIDE, Zone.INSIDE, Zone.AROUND]
    assert window.zone(None) is Zone.INSIDE


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"start": datetime(2026, 3, 4)}, ["start"]),  # noqa: DTZ001 - what is refused
        ({"start": "2026-03-04", "end": None}, ["start", "end"]),
        ({"end": START}, ["end"]),
        ({"margin": timedelta(-1)}, ["margin"]),
        ({"margin": 600}, ["margin"]),
        ({"start": datetime(1, 1, 2, tzinfo=UTC)}, ["margin"]),
        ({"end": datetime(9999, 12, 31, tzinfo=UTC)}, ["margin"]),
        ({"margin": timedelta.max}, ["margin"]),
    ],
)
def test_what_is_no_window(changes: dict[str, Any], fields: list[str]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Window(**{"start": START, "end": END, **changes})
    assert [problem.field for problem in caught.value.problems] == fields
