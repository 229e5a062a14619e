"""Reading a list page by page, also while it changes at the provider."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from victor_ext.errors import Outcome, PaginationError

from .records import Page, T, content_of

STALE_PAGES = 10  # consecutive pages without an item that is new to the pass: the list is endless
QUIET_PASSES = 3  # consecutive passes without a new item after which a list that changes ends
MOST_PASSES = 32  # over one list

Marks = dict[int, None]  # of items; a set would take three times the memory


@dataclass
class PageReader(Generic[T]):
    """The state of reading one list. It keeps no items, and a number for each.

    Items may leave a list while it is read. Later ones then move forward, and one that moves to a
    page that was read is missed. Such a list is read from the first page again, until a pass shows
    what the pass before it has shown, or `QUIET_PASSES` in a row have nothing new.

    Attributes:
        identify: The id of an item. Items without one are known again by their content, and two in
            one pass are yielded both: equal ones may be two.
        first: The number of the first page.
        what: The name of the list in messages.
        may_be_left: Whether an item may leave the list while it is read.
        number: The page to read next.
        shown: The marks of the items of this pass.
        more: Set with each page: whether the provider says that another one follows. None: it does
            not say, and the first page without items is the last one.
        done: Whether there is no page to read.
    """

    identify: Callable[[T], str | None]
    first: int = 0
    what: str = "list"
    may_be_left: bool = False

    more: bool | None = None
    done = False
    _stale = _quiet = _passes = 0

    def __post_init__(self) -> None:
        self._seen = Marks()
        self._shown_before = Marks()
        self.number = self.first
        self.shown = Marks()

    def accept(self, items: Sequence[T]) -> Page[T]:
        """Take the items of page `number`, and return what is new of them. Then `number` is the
        next page, or the list is `done`.

        Raises:
            PaginationError: The list does not end.
        """
        fresh: list[T] = []
        repeats = 0
        for item in items:
            name = self.identify(item)
            mark = hash(name or content_of(item))
            if mark in self.shown:
                repeats += 1
                if name:
                    continue
            self.shown[mark] = None
            if mark not in self._seen:
                fresh.append(item)
        page = Page(self.number, fresh, repeats)
        self.number += 1
        self._stale = self._stale + 1 if repeats == len(items) else 0
        if self._stale == STALE_PAGES or self._passes == MOST_PASSES:
            raise self.contradiction(
                "pages are repeated or empty, or it changes faster than it is read"
            )
        if self.more is False or not (items or self.more):
            self._end_pass()
        return page

    def _end_pass(self) -> None:
        self._quiet = self._quiet + 1 if self.shown.keys() <= self._seen.keys() else 0
        self.done = (
            not self.may_be_left or self._quiet == QUIET_PASSES or self.shown == self._shown_before
        )
        self._seen |= self.shown
        self._shown_before = self.shown
        self.shown = Marks()
        self.number = self.first
        self._passes += 1

    def contradiction(self, why: str) -> PaginationError:
        """The error of a page that cannot be believed: taken for the end, it would hide items."""
        return PaginationError(
            f"The {self.what} does not end with page {self.number}: {why}. More may be missing "
            "than was yielded: read by time windows, or without a filter that items leave.",
            outcome=Outcome.ACCEPTED,
        )


@dataclass
class _List(Generic[T]):
    _begin: Callable[[], Any]  # makes what reads page after page, and then None

    def __repr__(self) -> str:
        """What it is, in words: whoever prints a list has not read it."""
        return "<a list that is read while you iterate over it, or over its pages()>"


class Pages(_List[T]):
    """An iterable of items that reads each page when it is needed. `pages()` iterates over pages.

    The memory of a page is free before the next one is read.
    """

    def pages(self) -> Iterator[Page[T]]:
        """Iterate over pages. Each iteration begins at the first page."""
        return iter(self._begin(), None)

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.items
            del page


class AsyncPages(_List[T]):
    """An iterable for `async for` that reads each page when it is needed. `pages()` iterates over
    pages.
    """

    async def pages(self) -> AsyncIterator[Page[T]]:
        read = self._begin()
        while page := await read():
            yield page
            del page

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.items:
                yield item
            del page
