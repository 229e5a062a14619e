"""Where a list ends: at its first empty page, or where the provider says so."""

from __future__ import annotations

from collections.abc import Sequence

from victor_ext.runtime.paging import PageReader, Pages

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


def test_it_ends_where_the_provider_says_without_asking_for_more() -> None:
    asked: list[tuple[int, int]] = []

    def fetch(reader: PageReader[str]) -> Sequence[str]:
        asked.append((reader.number, reader.taken))
        reader.is_last = reader.number == 3
        return PAGES[reader.number]

    assert list(Pages(fetch, reader)) == ["a", "b", "c", "d"]
    assert asked == [(1, 0), (2, 2), (3, 4)]
