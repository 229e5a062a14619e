"""Reading a list to its end, page by page, whatever the provider does with it meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from .errors import PaginationError
from .outcome import Outcome

T = TypeVar("T")

REMEMBERED_PAGES = 16
"""Pages whose ids are remembered, so that items which moved between pages are not yielded twice."""

STALE_PAGES = 3
"""So many pages in a row without anything new mean that the provider repeats itself."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page: its number as the provider counts, and its items that no earlier page had."""

    number: int
    items: Sequence[T]


class PageReader(Generic[T]):
    """Decides what to do with each page that came. It holds the ids of a few pages, and no items.

    Args:
        identify: The id of an item, or None when it has none (such an item is never dropped).
        content: What tells an item without an id from others; such items too can come again for ever.
        what: What the list is of, for a message.

    Attributes:
        number: The page to ask for next.
        taken: How many items came so far, those that came twice included.
        is_last: To be set by whoever has read a page, where the provider says that it is the last one.
        last_was_short: Whether the last page had fewer items than one before it.
        done: Whether the list has ended.
    """

    def __init__(
        self,
        identify: Callable[[T], str | None],
        *,
        content: Callable[[T], str] = repr,
        first: int = 0,
        what: str = "list",
    ) -> None:
        self._identify = identify
        self._content = content
        self._what = what
        self.number = first
        self.taken = 0
        self.is_last = False
        self.last_was_short = False
        self._longest = 0
        self._recent: deque[frozenset[str]] = deque(maxlen=REMEMBERED_PAGES)
        self._seen: set[str] = set()
        self._stale = 0
        self._pages = 0
        self._landmark: tuple[int, frozenset[str | int]] | None = None
        self._landmark_met = 0
        self.done = False

    def accept(self, items: Sequence[T]) -> Page[T]:
        """Take the page that was asked for by `number`; sets `number` to the next, or `done`.

        Raises:
            PaginationError: The provider repeats its pages, so that the list would never end.
        """
        number = self.number
        self.last_was_short = len(items) < self._longest
        self._longest = max(self._longest, len(items))
        self.taken += len(items)
        self.done = self.is_last
        if not items:
            self.done = True
            return Page(number, ())
        identify, seen = self._identify, self._seen
        fresh: list[T] = []
        ids: set[str] = set()
        for item in items:
            name = identify(item)
            if name is not None:
                if name in seen or name in ids:
                    continue
                ids.add(name)
            fresh.append(item)
        self._remember(frozenset(ids))
        self._check_progress(fresh, items)
        self.number += 1
        return Page(number, fresh)

    def _remember(self, ids: frozenset[str]) -> None:
        if len(self._recent) == REMEMBERED_PAGES:
            self._seen -= self._recent[0]
        self._recent.append(ids)
        self._seen |= ids

    def _check_progress(self, fresh: Sequence[T], items: Sequence[T]) -> None:
        self._pages += 1
        self._stale = 0 if fresh else self._stale + 1
        if self._stale >= STALE_PAGES or self._goes_in_circles(items):
            raise PaginationError(
                f"The {self._what} does not end: page {self.number} and those before it bring nothing new. "
                "What was yielded so far is complete as far as it goes; narrow the filters, or read by time windows.",
                outcome=Outcome.ACCEPTED,
            )

    def _goes_in_circles(self, items: Sequence[T]) -> bool:
        """A circle longer than the memory: compare with one page, at powers of two (Brent's algorithm)."""
        marks = frozenset(map(self._mark, items[:8]))
        if self._landmark is not None and marks == self._landmark[1]:
            self._landmark_met += 1
        if self._landmark is None or self._pages >= 2 * self._landmark[0]:
            self._landmark = (self._pages, marks)
            self._landmark_met = 0
        return self._landmark_met >= STALE_PAGES

    def _mark(self, item: T) -> str | int:
        name = self._identify(item)
        return hash(self._content(item)) if name is None else name


class Pages(Generic[T]):
    """A list that is read as it is walked: `for item in ...`, or `for page in ....pages()`."""

    def __init__(self, fetch: Callable[[PageReader[T]], Sequence[T]], reader: Callable[[], PageReader[T]]) -> None:
        self._fetch = fetch
        self._reader = reader

    def pages(self) -> Iterator[Page[T]]:
        """Page by page. Each walk reads from the first page anew."""
        reader = self._reader()
        while not reader.done:
            page = reader.accept(self._fetch(reader))
            if page.items:
                yield page

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.items


class AsyncPages(Generic[T]):
    """The same, with `async for`."""

    def __init__(
        self, fetch: Callable[[PageReader[T]], Awaitable[Sequence[T]]], reader: Callable[[], PageReader[T]]
    ) -> None:
        self._fetch = fetch
        self._reader = reader

    async def pages(self) -> AsyncIterator[Page[T]]:
        """Page by page. Each walk reads from the first page anew."""
        reader = self._reader()
        while not reader.done:
            page = reader.accept(await self._fetch(reader))
            if page.items:
                yield page

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.items:
                yield item
