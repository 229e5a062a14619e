"""Where a list ends: at its first empty page, or where the provider says so."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from victor_ext.errors import PaginationError
from victor_ext.runtime.client.paging import REMEMBERED_PAGES, PageReader, Pages

PAGES: dict[int, list[str]] = {1: ["a", "b"], 2: ["b", "c"], 3: ["d"]}


def reader() -> PageReader[str]:
    return PageReader(lambda name: name, first=1)


def test_it_ends_at_the_first_empty_page() -> None:
    asked: list[int] = []

    def fetch(reader: PageReader[str]) -> Sequence[str]:
        asked.append(reader.number)
        return PAGES.get(reader.number, [])

    assert list(Pages(fetch, reader)) == ["a", "b", "c", "d"]
    assert asked == [1, 2, 3, 4]


def test_a_circle_that_is_longer_than_what_is_remembered_is_seen() -> None:
    """Each page is new to a memory of 16 pages; and they come round again and again."""
    length = REMEMBERED_PAGES + 5
    asked: list[int] = []

    def fetch(reader: PageReader[str]) -> Sequence[str]:
        asked.append(reader.number)
        assert len(asked) < 1000, "it does not end"
        return [f"{reader.number % length}-{item}" for item in range(3)]

    with pytest.raises(PaginationError, match="does not end"):
        list(Pages(fetch, reader))
    assert len(asked) < 10 * length


def test_a_long_list_without_repeats_is_no_circle() -> None:
    def fetch(reader: PageReader[str]) -> Sequence[str]:
        return [f"{reader.number}-{item}" for item in range(3)] if reader.number <= 500 else []

    assert len(list(Pages(fetch, reader))) == 1500


def test_it_ends_where_the_provider_says_without_asking_for_more() -> None:
    asked: list[tuple[int, int]] = []

    def fetch(reader: PageReader[str]) -> Sequence[str]:
        asked.append((reader.number, reader.taken))
        reader.is_last = reader.number == 3
        return PAGES[reader.number]

    assert list(Pages(fetch, reader)) == ["a", "b", "c", "d"]
    assert asked == [(1, 0), (2, 2), (3, 4)]
