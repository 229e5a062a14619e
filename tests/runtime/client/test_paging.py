"""Where a list ends: at its first empty page, or where the provider says so."""

import asyncio
import weakref
from functools import partial
from types import SimpleNamespace

import pytest

from tests.runtime.fakes import BOTH
from victor_ext._runtime.client.paging import (
    REMEMBERED_PAGES,
    STALE_PAGES,
    AsyncPages,
    PageReader,
    Pages,
)
from victor_ext.errors import PaginationError

PAGES = {1: ["a", "b"], 2: ["b", "c"], 3: ["d"]}


def reader():
    return PageReader(lambda name: name, first=1)


def test_a_list_that_repeats_more_pages_than_are_remembered_ends_in_an_error():
    """Each page is new to a memory of 16 pages; and they come round again and again."""
    length = REMEMBERED_PAGES + 5
    asked = []

    def fetch(reader):
        asked.append(reader.number)
        assert len(asked) < 1000, "it does not end"
        return [f"{reader.number % length}-{item}" for item in range(3)]

    with pytest.raises(PaginationError, match="does not end"):
        list(Pages(fetch, reader))
    assert len(asked) < 10 * length


class Entry:
    """A model of a document with a property `raw`, which is the same for all items."""

    raw = SimpleNamespace(to_dict=dict)

    def __init__(self, name):
        self.to_dict = partial(dict, name=name)


@pytest.mark.parametrize(
    ("kind", "names"), [(str, str), (str, lambda _item: None), (Entry, lambda _item: None)]
)
def test_a_long_list_without_repeats_is_no_circle(kind, names):
    def fetch(reader):
        return (
            [kind(f"{reader.number}-{item}") for item in range(3)] if reader.number <= 500 else []
        )

    assert len(list(Pages(fetch, lambda: PageReader(names, first=1)))) == 1500


def test_a_list_ends_at_the_page_that_the_provider_calls_the_last():
    asked = []

    def fetch(reader):
        asked.append((reader.number, reader.taken))
        reader.is_last = reader.number == 3
        return PAGES[reader.number]

    assert list(Pages(fetch, reader)) == ["a", "b", "c", "d"]
    assert asked == [(1, 0), (2, 2), (3, 4)]


def test_a_page_without_items_that_says_that_others_follow_is_not_the_end():
    """Taken for the end, it would hide the items behind it."""
    some = reader()
    assert some.accept(["a"]).items == ["a"]
    some.goes_on = True
    with pytest.raises(PaginationError, match="page 2 does not say how: it has no items"):
        some.accept([])


def test_a_list_ends_in_an_error_after_several_pages_in_a_row_without_a_new_item():
    some = reader()
    for name in ("a", "b", "c"):
        assert some.accept([name]).items == [name]
        for _ in range(STALE_PAGES - 1):
            assert some.accept([name]).items == []
    with pytest.raises(
        PaginationError, match=f"page {3 * STALE_PAGES + 1} and those before it bring nothing new"
    ):
        some.accept(["c"])


def test_the_items_of_the_last_pages_are_remembered_and_older_ones_are_not():
    some = reader()
    for page in range(REMEMBERED_PAGES + 1):
        assert some.accept([f"item {page}"]).items == [f"item {page}"]
    again = [f"item {page}" for page in (0, 1, 2, REMEMBERED_PAGES - 1, REMEMBERED_PAGES)]
    assert some.accept(again).items == ["item 0"]


class Item:
    """Something that can be freed."""

    def __init__(self, name):
        self.name = name


@pytest.mark.parametrize("mode", BOTH)
def test_an_item_is_freed_as_soon_as_its_user_has_done_with_it(mode):
    """So the next page takes the memory of this one, and the collector never walks a page that was
    read.
    """
    left = weakref.WeakSet()
    alive = []

    def note():
        alive.append(len(left))

    def fetch(reader):
        note()
        items = [
            Item(f"{reader.number}-{number}") for number in range(4 if reader.number < 2 else 0)
        ]
        left.update(items)
        return items

    async def afetch(reader):
        return fetch(reader)

    async def read():
        async for _ in AsyncPages(afetch, begin):
            note()

    def begin():
        return PageReader(lambda item: item.name)

    if mode == "async":
        asyncio.run(read())
    else:
        for _ in Pages(fetch, begin):
            note()
    assert alive == [0, 4, 3, 2, 1, 1, 4, 3, 2, 1, 1]
