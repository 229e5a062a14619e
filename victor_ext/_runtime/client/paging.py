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
STALE_PAGES = 3  # consecutive pages without a new item after which the list is considered endless


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
    """The state of reading one list. It keeps the ids of its items, and no items.

    Items that `identify` has no id for are never dropped: one that moves to a later page while the
    list is read is yielded twice. An item that moves to an earlier page, because another one has
    left the list, is not read: the next reading has it.
    """

    def __init__(
        self, identify: Callable[[T], str | None], *, first: int = 0, what: str = "list"
    ) -> None:
        self.identify = identify
        self.what = what  # its name in messages
        # by how much the provider's number of a page is ahead of what was asked for, once known
        self.ahead: int | None = None
        self.number = first  # the page to request next
        self.taken = 0  # items received, including duplicates
        # set by the caller before `accept` if the provider reports that the page is the last one
        self.is_last = False
        # set by the caller before `accept` if the page says that others follow, and no way leads
        # on if it has no items
        self.goes_on = False
        self.last_was_short = False  # with fewer items than an earlier page
        self.done = False
        self._longest = 0
        self._seen: set[str] = set()
        self._stale = 0
        self._first = ""  # of the last page, if its items have no ids: all of the first item

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
        self.done = self.is_last or not items
        if not items:
            return Page(number, ())
        fresh: list[T] = []
        for item in items:
            name = self.identify(item)
            if name is None or name not in self._seen:
                fresh.append(item)
            if name is not None:
                self._seen.add(name)
        self._check_progress(fresh)
        self.number += 1
        return Page(number, fresh, repeats=len(items) - len(fresh))

    def contradiction(
        self, why: str, advice: str = "Read the list again, or by time windows."
    ) -> PaginationError:
        """The error of a page that cannot be believed: taken for the end, it would hide items."""
        return PaginationError(
            f"The {self.what} may go on, and page {self.number} does not say how: {why}. What was "
            f"yielded so far is complete as far as it goes. {advice}",
            outcome=Outcome.ACCEPTED,
        )

    def _check_progress(self, fresh: Sequence[T]) -> None:
        """Raise `PaginationError` if this page and those before it bring nothing new."""
        first = content_of(fresh[0]) if fresh and self.identify(fresh[0]) is None else ""
        is_stale = not fresh or first == self._first != ""
        self._first = first
        self._stale = self._stale + 1 if is_stale else 0
        if self._stale >= STALE_PAGES:
            raise PaginationError(
                f"The {self.what} does not end: page {self.number} and those before it bring "
                "nothing new. The items so far are complete up to that page. Narrow the filters, "
                "or read by time windows.",
                outcome=Outcome.ACCEPTED,
            )


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
