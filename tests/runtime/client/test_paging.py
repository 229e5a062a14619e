"""Where a list ends: at its first empty page, or where the provider says so."""

import asyncio
import weakref

import pytest

from tests.runtime.fakes import BOTH
from victor_ext._flows import adrive, drive
from victor_ext._runtime.client.paging import STALE_PAGES, AsyncPages, PageReader, Pages
from victor_ext._runtime.client.resources import Walk
from victor_ext.errors import PaginationError


def pages_of(fetch, begin, pages=Pages, run=drive):
    """A list whose pages `fetch` reads."""

    def read(reader):
        yield from ()
        return fetch(reader)

    def start():
        reader = begin()
        return lambda: run(Walk(begin, read).next_page(reader), None)

    return pages(start)


@pytest.mark.parametrize("has_ids", [True, False])
@pytest.mark.parametrize("length", [1, 21])
def test_a_list_whose_pages_come_round_again_ends_in_an_error(length, has_ids):
    asked = []

    def fetch(reader):
        asked.append(reader.number)
        assert len(asked) < 1000, "it does not end"
        return [f"{reader.number % length}-{item}" for item in range(3)]

    with pytest.raises(PaginationError, match=r"does not end with page .*pages are repeated"):
        list(pages_of(fetch, lambda: PageReader(lambda name: name if has_ids else None)))
    assert len(asked) == length + STALE_PAGES


def test_a_page_without_items_that_says_that_others_follow_is_not_the_end():
    """Taken for the end, it would hide the items behind it."""

    def read(pages):
        def fetch(reader):
            reader.more = reader.number + 1 < len(pages)
            return pages[reader.number]

        return [*pages_of(fetch, lambda: PageReader(str))]

    assert read(["a", "", "b"]) == ["a", "b"]
    with pytest.raises(PaginationError, match=f"does not end with page {STALE_PAGES + 1}: .*empty"):
        read(["a"] + [""] * (STALE_PAGES + 1))


class Item:
    """Something that can be freed."""

    def __init__(self, name):
        self.name = name


@pytest.mark.parametrize("mode", BOTH)
def test_a_page_is_freed_before_the_next_one_is_read(mode):
    """But for the item that its user still has."""
    left = weakref.WeakSet()
    alive = []

    def fetch(reader):
        alive.append(len(left))
        items = [
            Item(f"{reader.number}-{number}") for number in range(4 if reader.number < 2 else 0)
        ]
        left.update(items)
        return items

    async def read():
        async for _ in pages_of(fetch, begin, AsyncPages, adrive):
            pass

    def begin():
        return PageReader(lambda item: item.name)

    if mode == "async":
        asyncio.run(read())
    else:
        for _ in pages_of(fetch, begin):
            pass
    assert alive == [0, 1, 1]
