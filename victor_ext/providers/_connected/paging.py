"""How the pages of an API's lists follow each other: by cursor, offset, page number, or the link to
the next page.

A style says what follows a page (`after`); a `ListReader` reads a list in that style, and
`undeclared_in` says what the document does not declare of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from inspect import signature
from typing import Any, Generic, TypeVar, cast
from urllib.parse import unquote_plus, urlencode

import httpx
from attrs import NOTHING

from victor_ext._privacy import one_line
from victor_ext._runtime.client.paging import PageReader
from victor_ext._runtime.client.transport import is_instance, set_url, type_name
from victor_ext._runtime.core.json_values import (
    NOT_JSON,
    is_list,
    is_object,
    json_of,
    lenient_flag_of,
)
from victor_ext._runtime.core.response import Response
from victor_ext._runtime.loop.evidence import (
    Tables,
    fields_of,
    is_failed_page,
    says_that_others_follow,
)
from victor_ext.errors import ConfigurationError, VictorError

from .places import (
    Place,
    kinds_at,
    member_of,
    same_name,
    value_at,
)

T = TypeVar("T")
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
            made: with a wrong name a list would end early, or never. Functions are not checked,
            nor places in the items of a page that is itself the list.
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

    def after(self, reader: ListReader, page: Any, items: Sequence[Any], /) -> Step | None:
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
        change = _with_field if self.in_body else _with_parameter
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

    def after(self, reader: ListReader, page: Any, items: Sequence[Any]) -> Step | None:
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

    def after(self, reader: ListReader, _page: Any, items: Sequence[Any]) -> Step | None:
        if not items:
            return None
        return self._step_to(reader.sent(self, 0) + len(items))


@dataclass(frozen=True)
class NumberedPages(ParameterPages):
    """Pages are numbered, from `first`. Without `more`, the list ends with an empty page."""

    parameter: str = "page"
    first: int = 1

    def after(self, reader: ListReader, page: Any, items: Sequence[Any]) -> Step | None:
        # A page without items is followed by another one if it says so: a filter may leave none.
        if not items and not reader.says_that_others_follow(page):
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

    def after(self, reader: ListReader, page: Any, _items: Sequence[Any]) -> Step | None:
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


class ListReader(PageReader[Any]):
    """Reads one list once, by an operation of a generated package.

    It has the state of a `PageReader`, and knows the way to the next page. For each page,
    `request` makes the request, and `take` gets the page.
    `arguments` are those of the operation for the first page.
    """

    response: Response
    """The response of the page that is read."""

    def __init__(self, style: PageStyle, arguments: Mapping[str, Any], *, what: str) -> None:
        first = style.first if isinstance(style, NumberedPages) else 0
        super().__init__(partial(_id_at, style.id), first=first, what=f"list {what}")
        self._style, self._arguments = style, arguments
        self._asked: Any = None
        """What asked for the page that was read last: its URL, or the fields of the body where
        these name the page.
        """
        self._step: Step | None = None
        """The step from the first page to the page to read; None: that is the first one."""

    def request(self, build: Callable[..., httpx.Request]) -> httpx.Request:
        """The request for the page to read. `build` makes one of the operation's arguments."""
        style = self._style
        arguments = self._arguments
        if isinstance(style, ParameterPages) and style.in_body:
            fields = self._for_this_page(_body_fields(arguments.get("body"), style.parameter))
            # The first page is asked for with the caller's own body, whose class tells the media
            # type.
            return build(**arguments if self._step is None else {**arguments, "body": fields})
        request = build(**arguments)
        set_url(request, self._for_this_page)
        return request

    def _for_this_page(self, first: Any) -> Any:
        """What asks for the page to read, made of what asks for the first page: a URL, or the
        fields of a body.
        """
        asked = first if self._step is None else self._step(first)
        if self._step is not None and asked == self._asked:
            raise self.contradiction("the page before it names itself as the next one")
        self._asked = asked
        return asked

    def take(self, page: Any, response: Response) -> Sequence[Any]:
        """Return the items of a page that was read, and note what follows the page."""
        self.response = response
        items = self._items(page)
        if not items and is_failed_page(self.response):
            # As an empty page, it would be the end of the list.
            raise self.unusable("its body reports an error")
        self._check_kind(items)
        self._step = self._style.after(self, page, items)
        follows = self.says_that_others_follow(page)
        self.more = self._step is not None and follows is not False
        if follows and not self.more:
            raise self.contradiction("it says that others follow, and names no next one")
        del self.response  # it holds the page
        return items

    def _check_kind(self, items: Sequence[Any]) -> None:
        """Raises `UnreadableResponse`: an item is not of the class that the style names."""
        kind = self._style.kind
        if kind is None:
            return
        for item in items:
            if not is_instance(item, kind):
                raise self.unusable(
                    f"it has an item of the class {type(item).__name__}, not {type_name(kind)}"
                )

    def says_that_others_follow(self, page: Any) -> bool | None:
        """Whether a page says that another one follows; None: it does not say."""
        place = self._style.more
        if place is None:
            return says_that_others_follow(json_of(self.response)) or None
        return lenient_flag_of(value_at(page, place))

    def sent(self, style: ParameterPages, default: int) -> int:
        """The number that asked for the page that was just read; `default`, if none did."""
        name = style.parameter
        if style.in_body:
            value = str(value_at(self._asked, name))
        else:
            value = str(self._asked.params.get(name, ""))
        return int(value) if value.isdecimal() else default

    def unusable(self, why: str) -> VictorError:
        """The error for the page that was just read, which cannot be used."""
        assert self.response.unusable is not None
        return self.response.unusable(self.response, why)

    def _items(self, page: Any) -> Sequence[Any]:
        """The items of a page; none, if its list is null, or left out as the document permits."""
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
        """Whether a page has no list at this place, and the document permits it.

        It is a page only if it has another member that the document declares.
        """
        body = json_of(self.response)
        if not is_object(body):
            return False
        sent = {name: value for name, value in body.items() if value is not None}
        first = place.partition(".")[0]
        for declared in fields_of(page):
            name = declared.name
            if name == "additional_properties" or same_name(name, first):
                continue
            if any(same_name(member, name) for member in sent):
                return _may_lack(page, place)
        return False

    def _is_null(self, place: str) -> bool:
        """Whether the body has null at this place: an empty list, unlike a missing member."""
        above, _, last = place.rpartition(".")
        body = json_of(self.response)
        holder = body if not above or body is NOT_JSON else value_at(body, above)
        if not is_object(holder):
            return False
        nulls = [name for name, value in holder.items() if value is None]
        return any(same_name(name, last) for name in nulls)


def _may_lack(model: Any, place: str) -> bool:
    """Whether a model has nothing at a place, as the document permits."""
    name, _, rest = place.partition(".")
    for declared in fields_of(model):
        if same_name(declared.name, name):
            inside = member_of(model, name)
            if inside is None:
                return declared.default is not NOTHING  # what has a default need not be sent
            return rest != "" and _may_lack(inside, rest)
    return False


def _id_at(place: Place | None, item: Any) -> str | None:
    """The id of an item; None: the item has none, or the style does not say where it is."""
    value = None if place is None else value_at(item, place)
    return None if value is None else str(value)


def _body_fields(body: Any, path: str) -> Mapping[str, Any]:
    """The fields of a body, in which the field at `path` is to be set.

    Raises `ConfigurationError`: the body is not an object.
    """
    fields: Any = body.to_dict() if hasattr(body, "to_dict") else body
    if not isinstance(fields, Mapping):
        raise ConfigurationError(
            f"paged: in_body=True sets the field {path!r} of the body, which must be an object: "
            "pass body=... to it."
        )
    return cast("Mapping[str, Any]", fields)


def _with_field(fields: Mapping[str, Any], name: str, value: object) -> Mapping[str, Any]:
    """A copy of the fields of a body, with another value at the path `name`.

    Raises `ConfigurationError`: something else than an object is on the way to it.
    """
    first, _, rest = name.partition(".")
    if not rest:
        return {**fields, first: value}
    inner = _body_fields({} if fields.get(first) is None else fields[first], rest)
    return {**fields, first: _with_field(inner, rest, value)}


def _with_parameter(url: httpx.URL, name: str, value: object) -> httpx.URL:
    """A URL with another value of one parameter.

    The other parameters stay as they are written, since `ids=1,2` and `ids=1%2C2` are two lists.
    """
    parameters = filter(None, url.query.decode("ascii").split("&"))
    others = [text for text in parameters if unquote_plus(text.partition("=")[0]) != name]
    query = "&".join([*others, urlencode({name: value})])
    return url.copy_with(query=query.encode("ascii"))


# ---- What the document declares of a list ----


def undeclared_in(style: PageStyle, operation: Any, body: Any, tables: Tables) -> str | None:
    """Why a style does not fit what the document declares of an operation, or None.

    It names the first place or parameter of the style that the document does not declare, and that
    the style does not list in `undeclared`.

    Args:
        style: The style.
        operation: The module of the operation.
        body: The body of the request for the first page; None: it has none.
        tables: The members of the document's models.
    """
    # The models of its good responses that are objects.
    pages: list[Any] = [*operation.OPERATION.results.values()]
    lists = kinds_at(pages, style.items, tables) if isinstance(style.items, str) else None
    items = [kind[0] for kind in lists or () if is_list(kind)]
    for places, models, where in (
        ((style.items, *style.places()), pages, "the response"),
        (style.places_in_item(), items, "an item"),
    ):
        for place in places:
            why = _undeclared(style, place, models, where, tables)
            if why is not None:
                return why
    if not isinstance(style, ParameterPages) or style.parameter in style.undeclared:
        return None
    if style.in_body:
        model = type(body).__name__
        models = [model] if model in tables else []
        return _undeclared(style, style.parameter, models, "the body", tables)
    takes = signature(operation._get_kwargs)  # noqa: SLF001 - as of the caller's arguments
    names = [name for name in takes.parameters if name != "body"]
    if any(same_name(name, style.parameter) for name in names):
        return None
    return _complaint(style.parameter, "the parameters", names)


def _undeclared(
    style: PageStyle, place: Place | None, models: Sequence[Any], where: str, tables: Tables
) -> str | None:
    """Why a place is undeclared in all of these models; None: one of them declares the place, or
    nothing is known of it.
    """
    if not isinstance(place, str) or place in style.undeclared or not models:
        return None
    if kinds_at(models, place, tables) != []:
        return None
    known = dict.fromkeys(name for model in models for name in tables[model])
    return _complaint(place, where, [*known])


def _complaint(name: str, where: str, known: Sequence[str]) -> str:
    known_names = f" ({', '.join(known)})" if known else ""
    return (
        f"the document declares no {name!r} in {where}{known_names}. Write a name that it has, or "
        f"undeclared=({name!r},) if the provider has this one all the same"
    )


__all__ = ("CursorPages", "LinkedPages", "NumberedPages", "OffsetPages", "PageStyle")
