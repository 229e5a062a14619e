"""How the lists of an API are read: by cursor, offset, page number, or the link to the next
page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Generic, TypeVar, cast

import httpx

from victor_ext.errors import Outcome, PaginationError, VictorError
from victor_ext.privacy import one_line
from victor_ext.runtime.client.generated import is_instance, type_name
from victor_ext.runtime.client.paging import Page, PageReader, says_that_others_follow
from victor_ext.runtime.core.json_values import NOT_JSON, is_object, json_of, lenient_flag_of
from victor_ext.runtime.core.response import Response
from victor_ext.runtime.loop.evidence import is_failed_page

from .declared_models import lacks_its_list
from .places import Place, fields_of, same_name, value_at, with_field, with_parameter

T = TypeVar("T")
MOST_EMPTY_PAGES = 100
"""The number of consecutive pages without items after which a list that always names a next page is
given up.
"""

_NEXT_LINK = re.compile(r'<([^<>]*)>((?:\s*;\s*[^\s;=,]+\s*(?:=\s*(?:"[^"]*"|[^\s;,"]+))?)*)')
_REL_NEXT = re.compile(
    r';\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next(?![^\s;,]))', re.IGNORECASE
)


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

    def after(self, reader: ListReader, page: Any, items: Sequence[Any]) -> Step | None:
        """How to change the request of the first page into that of the next one; None after the
        last page.
        """
        raise NotImplementedError

    def places(self) -> Iterable[Place | None]:
        """The places in a page that this style reads, but for that of the items."""
        return (self.more,)

    def places_in_item(self) -> Iterable[Place | None]:
        """The places in an item that this style reads."""
        return (self.id,)


Step = Callable[[Any], Any]
"""Makes the URL of the next page of that of the first one, or the fields of the body where they
name the page.
"""


@dataclass(frozen=True)
class ParameterPages(PageStyle):
    """What the styles have that send a value for each page.

    Attributes:
        parameter: The name of the value, as the provider's documentation has it: of the query
            parameter, or of the field of the body (`options.offset` is the field `offset` in the
            object `options`).
        in_body: Whether the value is a field of the request's body.
    """

    parameter: str = ""
    in_body: bool = field(default=False, kw_only=True)

    def _sending(self, value: object) -> Step:
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
        return (self.more, self.next if self.last is None else None)

    def places_in_item(self) -> Iterable[Place | None]:
        return (self.id, self.last)

    def after(self, reader: ListReader, page: Any, items: Sequence[Any]) -> Step | None:
        if self.last is None:
            cursor = value_at(page, self.next)
            return None if cursor in (None, "") else self._sending(cursor)
        if not items:
            return None
        cursor = value_at(items[-1], self.last)
        if cursor in (None, ""):
            raise reader.unusable(f"its last item has nothing at {self.last!r}")
        return self._sending(cursor)


@dataclass(frozen=True)
class OffsetPages(ParameterPages):
    """The number of items to skip is sent. Without `more`, the list ends with an empty page."""

    parameter: str = "offset"

    def after(
        self,
        reader: ListReader,
        page: Any,  # noqa: ARG002 - the arguments of all styles
        items: Sequence[Any],
    ) -> Step | None:
        if not items:
            return None
        return self._sending(reader.sent(self, 0) + len(items))


@dataclass(frozen=True)
class NumberedPages(ParameterPages):
    """Pages are numbered, from `first`. Without `more`, the list ends with an empty page."""

    parameter: str = "page"
    first: int = 1

    def after(self, reader: ListReader, page: Any, items: Sequence[Any]) -> Step | None:
        # A page without items is followed by another one if it says so: a filter may leave none.
        if not items and not reader.says_more(page):
            return None
        return self._sending(reader.sent(self, self.first) + 1)


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
        reader: ListReader,
        page: Any,
        items: Sequence[Any],  # noqa: ARG002 - the arguments of all styles
    ) -> Step | None:
        link = next_link(reader.response) if self.next is None else value_at(page, self.next)
        if link in (None, ""):
            return None
        own = reader.response.request.url
        try:
            url = own.join(link)
        except (httpx.InvalidURL, TypeError):
            raise reader.unusable("its link to the next page is not a URL") from None
        if not is_same_path(url.path, own.path):
            path = one_line(url.path)
            raise reader.contradiction(
                f"its link to the next page leads to the path {path}, and the list is read at "
                f"{one_line(own.path)}"
            )
        return lambda first: first.copy_with(query=url.query)


def is_same_path(path: str, own: str) -> bool:
    """Whether a path is that of an operation, where something on the way may put a prefix before
    one of them.
    """
    path, own = path.rstrip("/"), own.rstrip("/")
    return bool(path and own) and (own.endswith(path) or path.endswith(own))


def next_link(response: httpx.Response) -> str | None:
    """The target of the link to the next page in the `Link` header, or None."""
    header = ", ".join(response.headers.get_list("link"))
    for target, parameters in _NEXT_LINK.findall(header):
        if _REL_NEXT.search(parameters):
            return str(target)
    return None


class ListReader(PageReader[Any]):
    """Reads one list once, by a client of a generated package: the state of `PageReader`, and the
    way to the next page.

    `arguments` are those of the first page.
    """

    response: Response
    """The response of the page that was read last, until its items are accepted."""

    def __init__(
        self, style: PageStyle, client: Any, arguments: Mapping[str, Any], *, what: str
    ) -> None:
        first = style.first if isinstance(style, NumberedPages) else 0
        super().__init__(partial(_id_at, style.id), first=first, what=f"list {what}")
        self._style, self._client, self._arguments = style, client, arguments
        self._empty = 0
        self._asked: Any = None
        """The URL of the page that was asked for last, or the fields of the body where they name
        the page.
        """
        self._step: Step | None = None

    def call(self) -> dict[str, Any]:
        """The arguments of the operation for the page to read, with a client for this one call."""
        style = self._style
        arguments = dict(self._arguments)
        query: Any = self._turned
        if isinstance(style, ParameterPages) and style.in_body:
            query = ""
            asked = self._turned(fields_of(arguments.get("body"), style.parameter))
            # the first page is asked for as the caller did: its class names the media type
            if self._step is not None:
                arguments["body"] = asked
        keep_response = partial(setattr, self, "response")
        self._client = self._client.for_one_call(None, keep_response, query)
        arguments["client"] = self._client
        return arguments

    def _turned(self, first: Any) -> Any:
        """What asks for the page to read, made of what asks for the first one."""
        asked = first if self._step is None else self._step(first)
        if self._step is not None and asked == self._asked:
            raise PaginationError(
                f"The {self.what} does not end: page {self.number - 1} names itself as the next "
                "one. What was yielded so far is complete as far as it goes.",
                outcome=Outcome.ACCEPTED,
            )
        self._asked = asked
        return asked

    def take(self, page: Any) -> Sequence[Any]:
        """The items of a page that was read, and note what follows it."""
        items = self._items(page)
        if not items and is_failed_page(self.response):
            # believed, it would be the end of the list
            raise self.unusable("its body reports an error")
        self._check_kind(items)
        self._step = self._style.after(self, page, items)
        self.is_last = self._says_last(page) or self._step is None
        if self.is_last and self.says_more(page):
            raise self.contradiction("it says that others follow, and names no next one")
        return items

    def _check_kind(self, items: Sequence[Any]) -> None:
        kind = self._style.kind
        if kind is None:
            return
        for item in items:
            if not is_instance(item, kind):
                raise self.unusable(
                    f"it has an item of the class {type(item).__name__}, not {type_name(kind)}"
                )

    def _says_last(self, page: Any) -> bool:
        more = self._style.more
        return more is not None and lenient_flag_of(value_at(page, more)) is False

    def says_more(self, page: Any) -> bool:
        """Whether a page says that another one follows."""
        more = self._style.more
        if more is None:
            return says_that_others_follow(json_of(self.response))
        return lenient_flag_of(value_at(page, more)) is True

    def accept(self, items: Sequence[Any]) -> Page[Any]:
        """As `PageReader.accept`.

        A page without items is not the last one while it names a next one.
        """
        page = super().accept(items)
        self._empty = 0 if items else self._empty + 1
        if self._empty > MOST_EMPTY_PAGES:
            raise PaginationError(
                f"The {self.what} does not end: {self._empty} pages in a row had no items.",
                outcome=Outcome.ACCEPTED,
            )
        if not items and not self.is_last:
            self.number = self.number + 1
            self.done = False
        info = self.response.info()
        del self.response  # it holds the page, whose items are given up one by one
        return replace(page, info=info)

    def sent(self, style: ParameterPages, default: int) -> int:
        """The number that the page just read was asked for with."""
        name = style.parameter
        if style.in_body:
            value = str(value_at(self._asked, name))
        else:
            value = str(self._asked.params.get(name, ""))
        return int(value) if value.isdecimal() else default

    def unusable(self, why: str) -> VictorError:
        assert self.response.unusable is not None
        return self.response.unusable(self.response, why)

    def _items(self, page: Any) -> Sequence[Any]:
        place = self._style.items
        items = page if place is None else value_at(page, place)
        if isinstance(items, Sequence) and not isinstance(items, str | bytes):
            return items  # pyright: ignore[reportUnknownVariableType] - items may be of any type
        if isinstance(place, str) and (self._is_null(place) or self._is_left_out(page, place)):
            return ()
        where = f"at {place!r}" if isinstance(place, str) else "where `items` looks"
        raise self.unusable(
            f"it has no list {where}: name the place of the items, as in items='data'"
        )

    def _is_left_out(self, page: Any, place: str) -> bool:
        return lacks_its_list(type(page), json_of(self.response), place)

    def _is_null(self, place: str) -> bool:
        """Whether the body has null at this place: an empty list, unlike a missing member."""
        above, _, last = place.rpartition(".")
        body = json_of(self.response)
        holder = body if not above or body is NOT_JSON else value_at(body, above)
        if not is_object(holder):
            return False
        nulls = [name for name, value in holder.items() if value is None]
        return any(same_name(name, last) for name in nulls)


def _id_at(place: Place | None, item: Any) -> str | None:
    """The id of an item; None: it has none, or the style does not say where."""
    value = None if place is None else value_at(item, place)
    return None if value is None else str(value)


__all__ = ("CursorPages", "LinkedPages", "NumberedPages", "OffsetPages", "PageStyle")
