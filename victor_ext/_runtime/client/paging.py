"""Reading a list page by page, also while it changes at the provider."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from victor_ext._response_info import ResponseInfo
from victor_ext._runtime.core.json_values import (
    is_object,
    json_text,
    lenient_flag_of,
    object_or_empty,
    whole_of,
)
from victor_ext.errors import Outcome, PaginationError

from .records import Record, sent_by

T = TypeVar("T")

REMEMBERED_PAGES = 16  # recent pages whose ids are kept, to drop items that moved between pages
STALE_PAGES = 3  # consecutive pages without a new item after which the list is considered endless
QUIET_PASSES = 3  # consecutive passes without news after which a list that keeps changing ends
MOST_REREADINGS = 10  # times that one page is read again in one pass because it had new items
MOST_PASSES = 32  # over one list


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, perhaps not for the first time.

    Attributes:
        number: The provider's number of the page.
        items: The items of the page that were not yielded before.
        repeats: The number of items of the page that an earlier page of this pass had: the list
            changed while it was read. A page with nothing else has no `items`.
        info: The response of the page, where its items do not have it; read `response_info`.
    """

    number: int
    items: Sequence[T]
    repeats: int = 0
    info: ResponseInfo | None = field(default=None, compare=False, repr=False)

    @property
    def response_info(self) -> ResponseInfo | None:
        """The response with this page: its status, headers, request id and attempts."""
        if self.info is not None or not self.items:
            return self.info
        info: ResponseInfo | None = getattr(self.items[0], "response_info", None)
        return info


class PageReader(Generic[T]):
    """The state of reading one list. It keeps the ids of the last `REMEMBERED_PAGES` pages and no
    items.

    Items that `identify` has no id for are never dropped: one that moves to a later page while the
    list is read is yielded twice.
    """

    def __init__(
        self, identify: Callable[[T], str | None], *, first: int = 0, what: str = "list"
    ) -> None:
        self.identify = identify
        self.first = first
        self.what = what  # its name in messages
        self._longest = 0
        # By how much the number of page 0 was ahead of what was asked for (True), and that of
        # others (False), for who compares them. It has nothing until such a page has a number.
        self.ahead = dict[bool, int]()
        self._begin()

    def _begin(self) -> None:
        """Reset the state to the first page. The longest page length is kept."""
        self.number = self.first  # the page to request next
        self.taken = 0  # items received in this pass, including duplicates
        # set by the caller before `accept` if the provider reports that the page is the last one
        self.is_last = False
        # set by the caller before `accept` if the page says that others follow, and no way leads
        # on if it has no items
        self.goes_on = False
        self.last_was_short = False  # with fewer items than an earlier page
        self._recent: deque[set[str]] = deque(maxlen=REMEMBERED_PAGES)
        self._seen: set[str] = set()
        self._stale = 0
        self._pages = 0
        self._landmark: tuple[int, frozenset[str | int]] | None = None
        self._landmark_hits = 0
        self.done = False

    def repeated(self) -> RepeatedPageReader[T]:
        """A reader of the same list that reads it repeatedly."""
        return RepeatedPageReader(self.identify, first=self.first, what=self.what)

    def accept(self, items: Sequence[T]) -> Page[T]:
        """Process the items of page `number`, then set `number` to the next page or set `done`.

        Raises:
            PaginationError: The provider repeats pages, or an empty page says that others follow.
        """
        number = self.number
        if self.goes_on and not items:
            raise self.contradiction("it has no items, and says that others follow")
        self.goes_on = False
        self.last_was_short = len(items) < self._longest
        self._longest = max(self._longest, len(items))
        self.taken += len(items)
        self.done = self.is_last
        if not items:
            self.done = True
            return Page(number, ())
        names = list(map(self.identify, items))
        ids = {name for name in names if name is not None}
        fresh = items
        if len(ids) < len(items) or not ids.isdisjoint(self._seen):
            fresh = self._without_repeats(items, names)
            ids -= self._seen
        if len(self._recent) == REMEMBERED_PAGES:
            self._seen -= self._recent[0]
        self._recent.append(ids)
        self._seen |= ids
        self._check_progress(fresh, items)
        self.number += 1
        return Page(number, fresh, repeats=len(items) - len(fresh))

    def _without_repeats(self, items: Sequence[T], names: Sequence[str | None]) -> list[T]:
        """The items whose ids are new. Those without an id stay."""
        known = set(self._seen)
        fresh: list[T] = []
        for item, name in zip(items, names, strict=True):
            if name in known:
                continue
            if name is not None:
                known.add(name)
            fresh.append(item)
        return fresh

    def contradiction(
        self, why: str, advice: str = "Read the list again, or by time windows."
    ) -> PaginationError:
        """The error of a page that cannot be believed: taken for the end, it would hide items."""
        return PaginationError(
            f"The {self.what} may go on, and page {self.number} does not say how: {why}. What was "
            f"yielded so far is complete as far as it goes. {advice}",
            outcome=Outcome.ACCEPTED,
        )

    def _check_progress(self, fresh: Sequence[T], items: Sequence[T]) -> None:
        self._pages += 1
        self._stale = 0 if fresh else self._stale + 1
        if self._stale >= STALE_PAGES or self._goes_in_circles(items):
            raise PaginationError(
                f"The {self.what} does not end: page {self.number} and those before it bring "
                "nothing new. The items so far are complete up to that page. Narrow the filters, "
                "or read by time windows.",
                outcome=Outcome.ACCEPTED,
            )

    def _goes_in_circles(self, items: Sequence[T]) -> bool:
        """Detect cycles longer than `REMEMBERED_PAGES` pages (Brent's algorithm)."""
        marks = frozenset(map(self._mark, items[:8]))
        if self._landmark is not None and marks == self._landmark[1]:
            self._landmark_hits += 1
        if self._landmark is None or self._pages >= 2 * self._landmark[0]:
            self._landmark = (self._pages, marks)
            self._landmark_hits = 0
        return self._landmark_hits >= STALE_PAGES

    def _mark(self, item: T) -> str | int:
        name = self.identify(item)
        return hash(content_of(item)) if name is None else name


_GOES_ON = frozenset({"hasmore", "hasnext", "hasnextpage", "morepages", "moreresults"})
_IN_PAGE = frozenset({"meta", "metadata", "page", "pageinfo", "pagination", "paging"})


_PAGES = frozenset({"numberofpages", "pagecount", "pagestotal", "totalpages"})


def says_that_others_follow(body: object, place: int | None = None) -> bool:
    """Whether a page says, in one of the usual members, that another one follows: a flag such as
    `has_more`, or a `total_pages` above the `place` of this page (the first page has 1; None: it is
    not known). They are at the top or in an object such as `meta`.
    """
    if not is_object(body):
        return False
    inside = [value for name, value in body.items() if _bare(name) in _IN_PAGE]
    for holder in (body, *inside):
        for name, value in object_or_empty(holder).items():
            if _says_more(_bare(name), value, place):
                return True
    return False


def _says_more(name: str, value: object, place: int | None) -> bool:
    if name in _GOES_ON:
        return lenient_flag_of(value) is True
    count = whole_of(value)
    return name in _PAGES and place is not None and count is not None and count > place


def _bare(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def content_of(item: Any) -> str:
    """All that was sent of an item, as text; empty when it is nested too deeply to be written."""
    try:
        if isinstance(item, Record):
            sent = sent_by(item)
            # Of an item that was no object nothing is known: it is like no other.
            return json_text(sent, is_sorted=True) if sent else ""
        return json_text(item.to_dict()) if hasattr(item, "to_dict") else repr(item)
    except RecursionError:
        return ""


class RepeatedPageReader(PageReader[T]):
    """Reads a list repeatedly, because items can leave it during a pass.

    When an item leaves, later items move forward, and a pass misses an item that moves to a page it
    has already read. The list is read again from the first page until one of these conditions
    holds:

    - The previous pass was complete: it had no item twice, and this pass had all of its items
      again. (An item is only missed if another item left, or if an item entered and moved a third
      one, which then occurred twice.)
    - The first page is empty.
    - `QUIET_PASSES` passes in a row had no new items except items that `arrived`. An item can still
      be missed.

    The caller may remove items as they are yielded. Therefore, from the second pass on, a page with
    new items is read again at once (at most `MOST_REREADINGS` times), and only its last reading
    counts for the pass. All ids are kept, and each item is yielded once; one without an id is
    identified by its content.

    Attributes:
        arrived: Whether an item was created after the reading began. Such items require no further
            pass.
    """

    def __init__(
        self,
        identify: Callable[[T], str | None],
        *,
        first: int = 0,
        what: str = "list",
        arrived: Callable[[T], bool] = lambda _item: False,
    ) -> None:
        super().__init__(identify, first=first, what=what)
        self.arrived = arrived
        self._seen_in: dict[str | int, int] = {}
        self._pass = 1
        self._rereadings = 0
        self._quiet = 0
        self._items_before: int | None = (
            None  # of the previous pass; None where it had an item twice
        )

    def _begin(self) -> None:
        super()._begin()
        self._items = self._seen_again = (
            0  # of this pass, and those of them that the previous pass had too
        )
        self._has_repeats = self._has_news = False

    def repeated(self) -> RepeatedPageReader[T]:
        return self

    def accept(self, items: Sequence[T]) -> Page[T]:
        """Process the items of page `number`, then set `number` to the next page or set `done`.

        Raises `PaginationError` also if the list still changes after `MOST_PASSES`.
        """
        if self._pass > MOST_PASSES:
            raise PaginationError(
                f"The {self.what} changes faster than it can be read: each of {MOST_PASSES} "
                "readings brought something new. The items so far are right, but some may be "
                "missing. Leave out the filter that items enter and leave by, and check each item "
                "instead; or narrow the other filters.",
                outcome=Outcome.ACCEPTED,
            )
        if self._pass > 1 and self._rereadings < MOST_REREADINGS:
            unseen = self._unseen(items)
            if unseen:
                self._rereadings += 1
                return Page(self.number, unseen)
        self._rereadings = 0
        page = super().accept(items)
        self._has_repeats |= page.repeats > 0
        fresh = [item for item in page.items if self._is_new(item)]
        if self.done and not self._is_complete():
            self._items_before = None if self._has_repeats else self._items
            self._pass += 1
            self._begin()
        return Page(page.number, fresh, page.repeats)

    def _unseen(self, items: Sequence[T]) -> Sequence[T]:
        """The items that no pass had. They are recorded as known but not seen in this pass."""
        unseen: list[T] = []
        for item in items:
            name = self._mark(item)
            if name not in self._seen_in:
                self._seen_in[name] = 0
                self._has_news |= not self.arrived(item)
                unseen.append(item)
        return unseen

    def _is_new(self, item: T) -> bool:
        name = self._mark(item)
        last_pass = self._seen_in.get(name)
        self._seen_in[name] = self._pass
        if last_pass == self._pass:
            self._has_repeats = True
            # Equal items without an id may be different items, so the first pass yields both.
            return self._pass == 1 and self.identify(item) is None
        self._items += 1
        self._seen_again += last_pass == self._pass - 1
        if last_pass is None:
            self._has_news |= not self.arrived(item)
        return last_pass is None

    def _is_complete(self) -> bool:
        """Whether no further pass is needed."""
        self._quiet = 0 if self._has_news else self._quiet + 1
        return (
            self._items == 0
            or self._seen_again == self._items_before
            or self._quiet >= QUIET_PASSES
        )


class _List(Generic[T]):
    def __init__(
        self, fetch: Callable[[PageReader[T]], Any], reader: Callable[[], PageReader[T]]
    ) -> None:
        self._fetch = fetch
        self._reader = reader

    def __repr__(self) -> str:
        """What it is, in words: whoever prints a list has not read it."""
        name = type(self).__name__
        return f"<{name}: a list that is read while you iterate over it, or over its pages()>"


class Pages(_List[T]):
    """An iterable of items that reads each page when it is needed. `pages()` iterates over pages.

    Iterated over, it gives up each item as it yields it: the memory of a page is free before the
    next one is read.
    """

    def pages(self) -> Iterator[Page[T]]:
        """Iterate over pages. Each iteration begins at the first page."""
        reader = self._reader()
        while not reader.done:
            page = reader.accept(self._fetch(reader))
            if page.items or page.repeats:
                yield page

    def __iter__(self) -> Iterator[T]:
        reader = self._reader()
        while not reader.done:
            left = deque(reader.accept(self._fetch(reader)).items)
            while left:
                yield left.popleft()


class AsyncPages(_List[T]):
    """An iterable for `async for` that reads each page when it is needed. `pages()` iterates over
    pages.
    """

    async def pages(self) -> AsyncIterator[Page[T]]:
        reader = self._reader()
        while not reader.done:
            page = reader.accept(await self._fetch(reader))
            if page.items or page.repeats:
                yield page

    async def __aiter__(self) -> AsyncIterator[T]:
        reader = self._reader()
        while not reader.done:
            left = deque(reader.accept(await self._fetch(reader)).items)
            while left:
                yield left.popleft()
