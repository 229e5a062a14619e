"""Reading a list page by page, also while it changes at the provider."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from victor_ext._response_info import ResponseInfo
from victor_ext._runtime.core.json_values import (
    json_text,
    lenient_flag_of,
    object_or_empty,
    whole_of,
)
from victor_ext.errors import Outcome, PaginationError

from .records import Record, sent_by

T = TypeVar("T")

STALE_PAGES = 3  # consecutive pages without a new item after which the list is considered endless
QUIET_PASSES = 3  # consecutive passes without a new item after which a list that changes ends
MOST_PASSES = 32  # over one list


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list.

    Attributes:
        number: The provider's number of the page.
        items: The items of the page that were not yielded before.
        repeats: The number of items of the page that this pass had before: the list changed while
            it was read. A page with nothing else has no `items`.
        response_info: The response with this page: its status, headers, request id and attempts.
    """

    number: int
    items: Sequence[T]
    repeats: int
    response_info: ResponseInfo | None


@dataclass(eq=False)
class PageReader(Generic[T]):
    """The state of reading one list. It keeps no items, and a number for each.

    Items may leave a list while it is read. Later ones then move forward, and one that moves to a
    page that was read is missed. Such a list is read from the first page again, until a pass shows
    what the pass before it has shown, or `QUIET_PASSES` in a row have nothing new.

    Attributes:
        identify: The id of an item. One without an id is known again by its content, and is always
            yielded in the first pass: equal ones may be two.
        first: The number of the first page.
        what: The name of the list in messages.
        may_be_left: Whether an item may leave the list while it is read.
        number: The page to read next.
        taken: The number of items received in this pass, repeats included.
        is_last: Set before `accept`: whether the provider says that the page is the last one.
        goes_on: Set before `accept`: whether the page says that others follow, and contradicts
            itself if it is empty.
        ends_when_empty: Whether an empty page is the last one.
        done: Whether there is no page to read.
    """

    identify: Callable[[T], str | None]
    first: int = 0
    what: str = "list"
    may_be_left: bool = False

    taken = 0
    is_last = goes_on = done = False
    ends_when_empty = True
    _stale = 0
    _pass = _pass_with_news = 1
    # the items of a pass in their order, as one number
    _shape = _shape_before = 0

    def __post_init__(self) -> None:
        self.number = self.first
        self._seen_in = dict[int, int]()  # by item: the last pass that had it

    def accept(self, items: Sequence[T]) -> Page[T]:
        """Process the items of page `number`, then set `number` to the next page or set `done`.

        Raises:
            PaginationError: The list does not end, or an empty page says that others follow.
        """
        if self.goes_on and not items:
            raise self.contradiction("it has no items, and says that others follow")
        fresh: list[T] = []
        repeats = 0
        shape, this_pass, seen_in = self._shape, self._pass, self._seen_in
        for item in items:
            name = self.identify(item)
            mark = hash(content_of(item) if name is None else name)
            last_pass = seen_in.get(mark)
            seen_in[mark] = this_pass
            if self.may_be_left:
                shape = hash((shape, mark))
            if last_pass == this_pass:
                repeats += 1
            if last_pass is None or (name is None and this_pass == 1):
                fresh.append(item)
        self._shape = shape
        if fresh:
            self._pass_with_news = this_pass
        self._stale = self._stale + 1 if 0 < repeats == len(items) else 0
        if self._stale == STALE_PAGES or this_pass > MOST_PASSES:
            raise self.contradiction("pages are repeated, or change faster than they are read")
        info = getattr(items[0], "response_info", None) if items else None
        page = Page(self.number, fresh, repeats, info)
        self.number += 1
        self.taken += len(items)
        if self.is_last or (self.ends_when_empty and not items):
            is_quiet = this_pass - self._pass_with_news == QUIET_PASSES
            self.done = not self.may_be_left or is_quiet or self._shape == self._shape_before
            self._shape_before = self._shape
            self._shape = self.taken = 0
            self.number = self.first
            self._pass += 1
        return page

    def contradiction(self, why: str) -> PaginationError:
        """The error of a page that cannot be believed: taken for the end, it would hide items."""
        return PaginationError(
            f"The {self.what} does not end with page {self.number}: {why}. What was yielded so far "
            "is right, and more may be missing. Read it again, by time windows, or without the "
            "filter that items enter and leave by.",
            outcome=Outcome.ACCEPTED,
        )


_FLAG = "has(more|next|nextpage)|more(pages|results)"
_COUNT = "numberofpages|pagecount|pagestotal|totalpages"
_HOLDER = "meta|metadata|page|pageinfo|pagination|paging"


def says_that_others_follow(body: object, place: int | None = None) -> bool:
    """Whether a page says, in one of the usual members, that another one follows: a flag such as
    `has_more`, or a `total_pages` above the `place` of this page (the first page has 1; None: it is
    not known). They are at the top or in an object such as `meta`.
    """
    for name, value in object_or_empty(body).items():
        word = re.sub("[^a-z]", "", name.lower())
        if re.fullmatch(_FLAG, word) and lenient_flag_of(value):
            return True
        if re.fullmatch(_COUNT, word) and place is not None and (whole_of(value) or 0) > place:
            return True
        if re.fullmatch(_HOLDER, word) and says_that_others_follow(value, place):
            return True
    return False


def content_of(item: Any) -> str:
    """All that was sent of an item, as text; empty of one that was no object."""
    if not isinstance(item, Record):
        return repr(item)
    sent = sent_by(item)
    return json_text(sent, is_sorted=True) if sent else ""


@dataclass(eq=False)
class _List(Generic[T]):
    _fetch: Callable[[PageReader[T]], Any]
    _reader: Callable[[], PageReader[T]]

    def __repr__(self) -> str:
        """What it is, in words: whoever prints a list has not read it."""
        return "<a list that is read while you iterate over it, or over its pages()>"


class Pages(_List[T]):
    """An iterable of items that reads each page when it is needed. `pages()` iterates over pages.

    The memory of a page is free before the next one is read.
    """

    def pages(self) -> Iterator[Page[T]]:
        """Iterate over pages. Each iteration begins at the first page."""
        reader = self._reader()
        while not reader.done:
            page = reader.accept(self._fetch(reader))
            if page.items or page.repeats:
                yield page
            del page

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.items
            del page


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
            del page

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.items:
                yield item
            del page
