"""Reading a list to its end, page by page, whatever the provider does with it meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from victor_ext.errors import Outcome, PaginationError

T = TypeVar("T")

REMEMBERED_PAGES = 16
"""Pages whose ids are remembered, so that items which moved between pages are not yielded twice."""

STALE_PAGES = 3
"""So many pages in a row without anything new mean that the provider repeats itself."""

QUIET_PASSES = 3
"""Passes in a row without news that end the reading of a list whose items never stop coming and going."""

MOST_REREADINGS = 10
"""Times that one page is read again in one pass, at most, because each time it brought something new."""

MOST_PASSES = 32
"""Passes over one list, at most. When each pass takes away what it read, 32 read any list there is."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page: its number as the provider counts, and its items that no earlier page had.

    Where items may leave, a page may come several times in one reading: one that brought something new is read again.

    Attributes:
        number: The page's number.
        items: Its items, without those that were yielded before.
        reading: In which pass over the list it was read, from 1. A list that items may leave is read again from the
            first page (see `RepeatedPageReader`).
    """

    number: int
    items: Sequence[T]
    reading: int = 1


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
        self._first = first
        self._longest = 0
        self._begin()

    def _begin(self) -> None:
        """Begin at the first page. How long a page can be is known from any pass."""
        self.number = self._first
        self.taken = 0
        self.is_last = False
        self.last_was_short = False
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


class RepeatedPageReader(PageReader[T]):
    """Reads a list that items may leave, over and over, until a pass has missed nothing, or nothing is to be gained.

    An item that leaves moves all that follow it forward, and one of those then crosses from a page that is yet to be
    read to one that has been. So everything is read again from the first page. A pass has missed nothing when it met
    no item twice, and the pass after it meets every item that it met: whatever crossed a boundary did so because an
    item before it left, and that one was met and is gone, or it had entered behind the reader and moved another item
    into the reader's way a second time. An empty first page ends the reading, too.

    Whoever takes items off the list as they are yielded moves the rest himself. So from the second pass on a page that
    brought something new is read again at once, after it was yielded, until it brings nothing new (`MOST_REREADINGS`);
    what its last reading held is what the pass met. Between that reading and the next page nothing has been yielded.

    A list that others keep changing may never come to that proof. `QUIET_PASSES` passes in a row end it, in which all
    that was new had only just `arrived`. Then an item may have been missed that crossed in each of these passes.

    A list at rest is read twice. It holds the id of every item, for each is yielded once.

    Args:
        arrived: Whether an item came into being only after the reading began. Such items are yielded, and are no
            reason to read once more.

    Otherwise as `PageReader`; an item without an id is told from others by its content.
    """

    def __init__(
        self,
        identify: Callable[[T], str | None],
        *,
        content: Callable[[T], str] = repr,
        first: int = 0,
        what: str = "list",
        arrived: Callable[[T], bool] = lambda _item: False,
    ) -> None:
        super().__init__(identify, content=content, first=first, what=what)
        self._arrived = arrived
        self._met_in: dict[str | int, int] = {}
        self._pass = 1
        self._rereadings = 0
        self._quiet = 0
        self._before = _Pass()
        self._now = _Pass()

    def accept(self, items: Sequence[T]) -> Page[T]:
        """Take the page that was asked for by `number`; sets `number` to the next or leaves it, or sets `done`.

        Raises:
            PaginationError: The provider repeats its pages; or `MOST_PASSES` passes all brought something new.
        """
        if self._pass > MOST_PASSES:
            raise PaginationError(
                f"The {self._what} changes faster than it can be read: each of {MOST_PASSES} readings brought "
                "something new. What was yielded is right, and something may be missing. Leave out the filter that "
                "items come and go by, and look at each item instead; or narrow the others.",
                outcome=Outcome.ACCEPTED,
            )
        if self._pass > 1 and self._rereadings < MOST_REREADINGS:
            unmet = self._unmet(items)
            if unmet:
                self._rereadings += 1
                return Page(self.number, unmet, self._pass)
        self._rereadings = 0
        page = super().accept(items)
        if len(page.items) < len(items):
            self._now.repeats = True
        fresh = [item for item in page.items if self._is_new(item)]
        reading = self._pass
        if self.done and not self._is_complete():
            self._before, self._now = self._now, _Pass()
            self._pass += 1
            self._begin()
        return Page(page.number, fresh, reading)

    def _unmet(self, items: Sequence[T]) -> Sequence[T]:
        """The items that no pass has met yet; known from now on, and not yet met in this one."""
        unmet: list[T] = []
        for item in items:
            name = self._mark(item)
            if name not in self._met_in:
                self._met_in[name] = 0
                self._note_news(item)
                unmet.append(item)
        return unmet

    def _note_news(self, item: T) -> None:
        if not self._arrived(item):
            self._now.news = True

    def _is_new(self, item: T) -> bool:
        name = self._mark(item)
        met = self._met_in.get(name)
        self._met_in[name] = self._pass
        if met == self._pass:
            self._now.repeats = True
            # Two items without an id may be two, and may be one that moved: neither is lost.
            return self._pass == 1 and self._identify(item) is None
        self._now.items += 1
        self._now.met_again += met == self._pass - 1
        if met is None:
            self._note_news(item)
        return met is None

    def _is_complete(self) -> bool:
        """Whether the reading may end with the pass that has just ended."""
        now, before = self._now, self._before
        if now.items == 0:
            return True
        self._quiet = 0 if now.news else self._quiet + 1
        nothing_left = self._pass > 1 and not before.repeats and now.met_again == before.items
        return nothing_left or self._quiet >= QUIET_PASSES


@dataclass(slots=True)
class _Pass:
    """What one pass over a list met."""

    items: int = 0
    met_again: int = 0  # of those that the pass before it met
    repeats: bool = False
    news: bool = False


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
