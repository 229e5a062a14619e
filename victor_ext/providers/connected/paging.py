"""How the pages of an API's lists follow each other: by cursor, offset, page number, or the link to
the next page.

A style says what follows a page (`after`); `list_reader.ListReader` reads a list in that style.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Generic, Protocol, TypeVar, cast

import httpx

from victor_ext.errors import VictorError
from victor_ext.privacy import one_line
from victor_ext.runtime.core.response import Response

from .places import Place, value_at, with_field, with_parameter

T = TypeVar("T")
_NEXT_LINK = re.compile(r'<([^<>]*)>((?:\s*;\s*[^\s;=,]+\s*(?:=\s*(?:"[^"]*"|[^\s;,"]+))?)*)')
_REL_NEXT = re.compile(
    r';\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next(?![^\s;,]))', re.IGNORECASE
)


class Reading(Protocol):
    """What a style asks of a list that is being read (see `ListReader`): all is about the page that
    was read last.
    """

    response: Response

    def sent(self, style: ParameterPages, default: int) -> int:
        """The number that asked for the page; `default`, if none did."""
        ...

    def says_more(self, page: Any) -> bool:
        """Whether the page says that another one follows."""
        ...

    def unusable(self, why: str) -> VictorError:
        """The error for a page that cannot be used."""
        ...

    def contradiction(self, why: str) -> VictorError:
        """The error for a page that contradicts itself."""
        ...


class PagesOf(Generic[T]):
    """How pages with items of one type follow each other, for type checkers: what `PageStyle.of`
    returns.
    """


@dataclass(frozen=True, kw_only=True)
class PageStyle(PagesOf[Any]):
    """What all styles have.

    Attributes:
        items: Where a page has its list of items. None: the page itself is the list.
        id: Where an item has its id. Items that move between pages while the list is read are then
            yielded once. None: all items of all pages are yielded.
        more: Where a page says whether another one follows: a false value ends the list, and no
            other page without a way on does. None: in one of the usual members, such as `has_more`,
            which then end no list.
        undeclared: Parameters and places that the document leaves out and the provider has all the
            same. Any other text that the document does not declare is refused when the list is
            made: with a wrong name a list would end early, or never. Functions are not checked.
        kind: The class of the items. Set it with `of`, so that type checkers know it.
    """

    items: Place | None = None
    id: Place | None = None
    more: Place | None = None
    undeclared: Collection[str] = ()
    kind: type[Any] | None = None

    def of(self, kind: type[T]) -> PagesOf[T]:
        """This style for a list of one class: `bank.paged(list_cards, BY_CURSOR.of(Card))` yields
        cards.

        An item of another class is an `UnreadableResponse`.
        """
        return cast("PagesOf[T]", replace(self, kind=kind))

    def after(self, reader: Reading, page: Any, items: Sequence[Any]) -> Step | None:
        """How to change the request for the first page into the request for the next page; None:
        `page` is the last one.
        """
        raise NotImplementedError

    def places(self) -> Iterable[Place | None]:
        """The places in a page that this style reads, without the place of the items. None: the
        style reads no such place.
        """
        return (self.more,)

    def places_in_item(self) -> Iterable[Place | None]:
        """The places in an item that this style reads; None likewise."""
        return (self.id,)


Step = Callable[[Any], Any]
"""Changes what asks for the first page into what asks for another one: the URL, or the fields of
the body where these name the page.
"""


@dataclass(frozen=True)
class ParameterPages(PageStyle):
    """What the styles have in common that send a value for each page.

    Attributes:
        parameter: The name of the value, as the provider's documentation has it: of the query
            parameter, or of the field of the body (`options.offset` is the field `offset` in the
            object `options`).
        in_body: Whether the value is a field of the request's body.
    """

    parameter: str = ""
    in_body: bool = field(default=False, kw_only=True)

    def _step_to(self, value: object) -> Step:
        """The step to the page that is asked for with this value."""
        change = with_field if self.in_body else with_parameter
        return partial(change, name=self.parameter, value=value)


@dataclass(frozen=True)
class CursorPages(ParameterPages):
    """Each page names the next one, or is followed by the items after its last one.

    Attributes:
        parameter: The query parameter for the cursor, or the field of the body.
        next: Where a page has the cursor of the next page. The list ends with a page without one.
        last: Where an item has what serves as cursor, if pages have none: the last item's is sent.
    """

    parameter: str = "cursor"
    next: Place = "next_cursor"
    last: Place | None = None

    def places(self) -> Iterable[Place | None]:
        cursor = self.next if self.last is None else None  # with `last`, an item has the cursor
        return self.more, cursor

    def places_in_item(self) -> Iterable[Place | None]:
        return (self.id, self.last)

    def after(self, reader: Reading, page: Any, items: Sequence[Any]) -> Step | None:
        if self.last is None:
            cursor = value_at(page, self.next)
            return None if cursor in (None, "") else self._step_to(cursor)
        if not items:
            return None
        cursor = value_at(items[-1], self.last)
        if cursor in (None, ""):
            raise reader.unusable(f"its last item has nothing at {self.last!r}")
        return self._step_to(cursor)


@dataclass(frozen=True)
class OffsetPages(ParameterPages):
    """The number of items to skip is sent. Without `more`, the list ends with an empty page."""

    parameter: str = "offset"

    def after(
        self,
        reader: Reading,
        page: Any,  # noqa: ARG002 - the arguments of all styles
        items: Sequence[Any],
    ) -> Step | None:
        if not items:
            return None
        return self._step_to(reader.sent(self, 0) + len(items))


@dataclass(frozen=True)
class NumberedPages(ParameterPages):
    """Pages are numbered, from `first`. Without `more`, the list ends with an empty page."""

    parameter: str = "page"
    first: int = 1

    def after(self, reader: Reading, page: Any, items: Sequence[Any]) -> Step | None:
        # A page without items is followed by another one if it says so: a filter may leave none.
        if not items and not reader.says_more(page):
            return None
        return self._step_to(reader.sent(self, self.first) + 1)


@dataclass(frozen=True)
class LinkedPages(PageStyle):
    """Each page has the URL of the next one: in its `Link` header (RFC 8288), or in its body.

    Only the query of the link is used, with the operation's own address: no link leads a token
    elsewhere. A link to another path is refused.

    Attributes:
        next: Where the body has the link, such as `_links.next.href`. None: in the `Link` header.
    """

    next: Place | None = None

    def places(self) -> Iterable[Place | None]:
        return (self.more, self.next)

    def after(
        self,
        reader: Reading,
        page: Any,
        items: Sequence[Any],  # noqa: ARG002 - the arguments of all styles
    ) -> Step | None:
        link = next_link(reader.response) if self.next is None else value_at(page, self.next)
        if link in (None, ""):
            return None
        own_url = reader.response.request.url
        try:
            url = own_url.join(link)
        except (httpx.InvalidURL, TypeError):
            raise reader.unusable("its link to the next page is not a URL") from None
        if not is_same_path(url.path, own_url.path):
            path = one_line(url.path)
            raise reader.contradiction(
                f"its link to the next page leads to the path {path}, and the list is read at "
                f"{one_line(own_url.path)}"
            )
        return lambda first: first.copy_with(query=url.query)


def is_same_path(path: str, own_path: str) -> bool:
    """Whether a path is the operation's own.

    One of the two may have a prefix more, since a gateway on the way may add or remove one.
    """
    path = path.rstrip("/")
    own_path = own_path.rstrip("/")
    if not path or not own_path:
        return False
    return own_path.endswith(path) or path.endswith(own_path)


def next_link(response: httpx.Response) -> str | None:
    """The target of the link to the next page in the `Link` header, or None."""
    header = ", ".join(response.headers.get_list("link"))
    for target, parameters in _NEXT_LINK.findall(header):
        if _REL_NEXT.search(parameters):
            return str(target)
    return None


__all__ = ("CursorPages", "LinkedPages", "NumberedPages", "OffsetPages", "PageStyle")
