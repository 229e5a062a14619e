"""Where a list ends: at its first empty page, or where the provider says so."""

import asyncio
import weakref

import pytest

from tests.runtime.fakes import BOTH
from victor_ext._runtime.client.paging import (
    REMEMBERED_PAGES,
    AsyncPages,
    PageReader,
    Pages,
)
from victor_ext.errors import PaginationError


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


def test_a_page_without_items_that_says_that_others_follow_is_not_the_end():
    """Taken for the end, it would hide the items behind it."""
    some = reader()
    assert some.accept(["a"]).items == ["a"]
    some.goes_on = True
    with pytest.raises(PaginationError, match="page 2 does not say how: it has no items"):
        some.accept([])


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
