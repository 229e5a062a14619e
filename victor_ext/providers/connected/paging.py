"""How the lists of an API are read: by cursor, offset, page number, or the link to the next
page.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, Union, cast, get_args, get_origin, get_type_hints
from urllib.parse import unquote_plus, urlencode

import attrs
import httpx
from attrs import NOTHING

from victor_ext.errors import ConfigurationError, Outcome, PaginationError, VictorError
from victor_ext.privacy import one_line
from victor_ext.runtime.client.generated import is_instance, type_name
from victor_ext.runtime.client.paging import Page, PageReader, says_that_others_follow
from victor_ext.runtime.core.json_values import NOT_JSON, is_object, json_of, lenient_flag_of
from victor_ext.runtime.core.response import Response
from victor_ext.runtime.loop.evidence import is_failed_page

T = TypeVar("T")
Place = str | Callable[[Any], Any]
"""Where a value is: a path of names (`meta.next_cursor`), as on the wire or in the generated model;
or a function of the generated model."""

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


def with_parameter(url: httpx.URL, name: str, value: object) -> httpx.URL:
    # The other parameters stay as they are written: `ids=1,2` and `ids=1%2C2` are two lists.
    others = [part for part in url.query.decode("ascii").split("&") if part]
    kept = [part for part in others if unquote_plus(part.partition("=")[0]) != name]
    return url.copy_with(query="&".join([*kept, urlencode({name: value})]).encode("ascii"))


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
        return partial(
            with_field if self.in_body else with_parameter, name=self.parameter, value=value
        )


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
        if self.last is not None and not items:
            return None
        cursor = value_at(page, self.next) if self.last is None else value_at(items[-1], self.last)
        if cursor is None or cursor == "":
            if self.last is not None:
                raise reader.unusable(f"its last item has nothing at {self.last!r}")
            return None
        return self._sending(cursor)


@dataclass(frozen=True)
class OffsetPages(ParameterPages):
    """The number of items to skip is sent. Without `more`, the list ends with an empty page."""

    parameter: str = "offset"

    def after(self, reader: ListReader, page: Any, items: Sequence[Any]) -> Step | None:  # noqa: ARG002 - the arguments of all styles
        return self._sending(reader.sent(self, 0) + len(items)) if items else None


@dataclass(frozen=True)
class NumberedPages(ParameterPages):
    """Pages are numbered, from `first`. Without `more`, the list ends with an empty page."""

    parameter: str = "page"
    first: int = 1

    def after(self, reader: ListReader, page: Any, items: Sequence[Any]) -> Step | None:
        # A page without items is followed by another one if it says so: a filter may leave none.
        is_last = not items and not reader.says_more(page)
        return None if is_last else self._sending(reader.sent(self, self.first) + 1)


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

    def after(self, reader: ListReader, page: Any, items: Sequence[Any]) -> Step | None:  # noqa: ARG002 - the arguments of all styles
        link = next_link(reader.response) if self.next is None else value_at(page, self.next)
        if link is None or link == "":
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
    links = _NEXT_LINK.findall(", ".join(response.headers.get_list("link")))
    return next((target for target, parameters in links if _REL_NEXT.search(parameters)), None)


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
        place = style.id
        super().__init__(
            lambda item: (
                None if place is None or (id_ := value_at(item, place)) is None else str(id_)
            ),
            first=first,
            what=f"list {what}",
        )
        self._style, self._client, self._arguments = style, client, arguments
        self._empty = 0
        self._asked: Any = None
        """The URL of the page that was asked for last, or the fields of the body where they name
        the page.
        """
        self._step: Step | None = None

    def call(self) -> dict[str, Any]:
        """The arguments of the operation for the page to read, with a client for this one call."""
        style, arguments, query = self._style, dict(self._arguments), cast("Any", self._turned)
        if isinstance(style, ParameterPages) and style.in_body:
            asked, query = self._turned(fields_of(arguments.get("body"), style.parameter)), ""
            # the first page is asked for as the caller did: its class names the media type
            if self._step is not None:
                arguments["body"] = asked
        self._client = arguments["client"] = self._client.for_one_call(
            None, partial(setattr, self, "response"), query
        )
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
        kind = self._style.kind
        odd = [] if kind is None else [item for item in items if not is_instance(item, kind)]
        if odd:
            raise self.unusable(
                f"it has an item of the class {type(odd[0]).__name__}, not {type_name(kind)}"
            )
        self._step = self._style.after(self, page, items)
        self.is_last = self._says_last(page) or self._step is None
        if self.is_last and self.says_more(page):
            raise self.contradiction("it says that others follow, and names no next one")
        return items

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
            self.number, self.done = self.number + 1, False
        info = self.response.info()
        del self.response  # it holds the page, whose items are given up one by one
        return replace(page, info=info)

    def sent(self, style: ParameterPages, default: int) -> int:
        """The number that the page just read was asked for with."""
        name = style.parameter
        value = str(
            value_at(self._asked, name) if style.in_body else self._asked.params.get(name, "")
        )
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
        return is_object(holder) and any(
            same_name(name, last) and value is None for name, value in holder.items()
        )


# What the document declares of a list.


def undeclared_in(style: PageStyle, operation: Any) -> str | None:
    """Why a style does not fit what the document declares of an operation, or None."""
    hints = _hints_of(operation)
    pages = _classes(hints.get("return"))
    for place in (style.items, *style.places()):
        why = _undeclared(style, place, pages, "the response")
        if why is not None:
            return why
    lists = pages if style.items is None else []
    if isinstance(style.items, str):
        lists = _at(pages, style.items) or []
    items = _items_of(lists)
    for place in style.places_in_item():
        why = _undeclared(style, place, items, "an item")
        if why is not None:
            return why
    if not isinstance(style, ParameterPages):
        return None
    if style.in_body:
        return _undeclared(style, style.parameter, _classes(hints.get("body")), "the body")
    names = [name for name in inspect.signature(operation._get_kwargs).parameters if name != "body"]  # noqa: SLF001 - as of the caller's arguments
    is_declared = any(same_name(name, style.parameter) for name in names)
    if is_declared or style.parameter in style.undeclared:
        return None
    return _complaint(style.parameter, "the parameters", names)


def _undeclared(
    style: PageStyle, place: Place | None, holders: Sequence[Any], where: str
) -> str | None:
    """Why a place is none of these classes', or None, also where they say nothing of it."""
    if not isinstance(place, str) or place in style.undeclared or not holders:
        return None
    if _at(holders, place) != []:
        return None
    named = (name for each in holders for name in _fields(each))
    return _complaint(place, where, [*dict.fromkeys(named)])


def _complaint(name: str, where: str, known: Sequence[str]) -> str:
    those = f" ({', '.join(known)})" if known else ""
    return (
        f"the document declares no {name!r} in {where}{those}. Write a name that it has, or "
        f"undeclared=({name!r},) if the provider has this one all the same"
    )


def _hints_of(operation: Any) -> dict[str, Any]:
    """The types of what an operation takes and returns."""
    names = cast("dict[str, Any]", operation.__dict__)
    hints: dict[str, Any] = get_type_hints(operation.sync_detailed, names)
    results: tuple[Any, ...] = get_args(hints.get("return"))
    return {**hints, "return": results[0] if results else Any}


def _classes(hint: Any) -> list[Any]:
    """The types that a hint names, without those of nothing."""
    if get_origin(hint) in (Union, UnionType):
        parts: tuple[Any, ...] = get_args(hint)
        return [kind for part in parts for kind in _classes(part)]
    is_nothing = hint in (None, NoneType) or getattr(hint, "__name__", "") == "Unset"
    return [] if is_nothing else [hint]


def _at(holders: Sequence[Any], place: str) -> list[Any] | None:
    """The types at a place of these classes; none where no class declares it; None where one of
    them says nothing of its members.
    """
    for name in place.split("."):
        inside = list[Any]()
        for holder in holders:
            fields = _fields(holder)
            if not fields:
                return None
            hints = (hint for field, hint in fields.items() if same_name(field, name))
            inside += [each for hint in hints for each in _classes(hint)]
        holders = inside
    return list(holders)


def _fields(kind: Any) -> dict[str, Any]:
    """The declared fields of a generated model, with their types; none of anything else."""
    if not isinstance(kind, type) or not hasattr(kind, "__attrs_attrs__"):
        return {}
    hints = get_type_hints(kind, vars(sys.modules[kind.__module__]), {})
    return {name: hint for name, hint in hints.items() if name != "additional_properties"}


def _items_of(lists: Sequence[Any]) -> list[Any]:
    """The types of the items of lists."""
    return [each for one in lists for of in get_args(one)[:1] for each in _classes(of)]


def lacks_its_list(kind: Any, body: Any, place: str) -> bool:
    """Whether the body of a page has nothing at the place of its items, where the document lets it
    and the body has another member that the document declares.
    """
    first = place.partition(".")[0]
    others = {name for name in _fields(kind) if not same_name(name, first)}
    is_page = is_object(body) and any(
        same_name(sent, name) and value is not None
        for sent, value in body.items()
        for name in others
    )
    return is_page and _may_lack(kind, body, place)


def _may_lack(kind: Any, body: Mapping[str, Any], place: str) -> bool:
    name, _, rest = place.partition(".")
    declared = [each for each in _fields(kind) if same_name(each, name)]
    if not declared:
        return False
    values = [value for sent, value in body.items() if same_name(sent, name)]
    inside = [value for value in values if value is not None]
    if not inside:
        return getattr(attrs.fields_dict(kind)[declared[0]], "default", NOTHING) is not NOTHING
    kinds = _classes(_fields(kind)[declared[0]])
    is_holder = bool(rest) and is_object(inside[0])
    return is_holder and any(_may_lack(each, inside[0], rest) for each in kinds)


# Places in a page, an item or a body.


def value_at(value: Any, place: Place) -> Any:
    """What is at a place of a page or an item, or None."""
    if not isinstance(place, str):
        return place(value)
    for name in place.split("."):
        value = _member(value, name)
    return value


def _member(value: Any, name: str) -> Any:
    if not isinstance(value, Mapping):
        for attribute in (
            field.name
            for field in getattr(value, "__attrs_attrs__", ())
            if same_name(field.name, name)
        ):
            member = getattr(value, attribute, None)
            # The marker of an unset value is falsy. Each generated package has its own.
            if member is not None and type(member).__name__ != "Unset":
                return member
        value = getattr(value, "additional_properties", {})
    members = cast("Mapping[str, Any]", value)
    if name in members:
        return members[name]
    return next((member for key, member in members.items() if same_name(key, name)), None)


def same_name(one: str, other: str) -> bool:
    """Whether two names are one member's, on the wire and in Python: `nextCursor` and
    `next_cursor`, for one.
    """
    return _bare(one) == _bare(other)


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower().removeprefix("field_"))


def fields_of(body: Any, path: str) -> Mapping[str, Any]:
    """The fields of a body, one of which is to be set.

    Raises `ConfigurationError` if it is not an object.
    """
    fields: Any = body.to_dict() if hasattr(body, "to_dict") else body
    if not isinstance(fields, Mapping):
        raise ConfigurationError(
            f"paged: in_body=True sets the field {path!r} of the body, which must be an object: "
            "pass body=... to it."
        )
    return cast("Mapping[str, Any]", fields)


def with_field(fields: Mapping[str, Any], name: str, value: object) -> Mapping[str, Any]:
    """A copy of the fields of a body, with another value at one path.

    Raises `ConfigurationError`.
    """
    name, _, rest = name.partition(".")
    if rest:
        inner = fields.get(name)
        value = with_field(fields_of({} if inner is None else inner, rest), rest, value)
    return {**fields, name: value}


__all__ = ("CursorPages", "LinkedPages", "NumberedPages", "OffsetPages", "PageStyle")
