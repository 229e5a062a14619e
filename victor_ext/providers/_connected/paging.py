"""How the pages of an API's lists follow each other: by cursor, offset, page number, or the link to
the next page.

A style names the URL that follows a page (`after`); a `ListReader` reads a list in that style, and
`undeclared_in` says which place of a style the document does not declare.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import unquote_plus, urlencode

import httpx

from victor_ext._privacy import one_line
from victor_ext._runtime.client.paging import PageReader
from victor_ext._runtime.core.json_values import is_list, json_of, lenient_flag_of, object_of
from victor_ext._runtime.core.response import Response
from victor_ext._runtime.loop.evidence import (
    Declared,
    Tables,
    fields_of,
    is_failed_page,
    says_that_others_follow,
)
from victor_ext.errors import ConfigurationError, VictorError

from .places import is_absent_at, kinds_at, same_name, value_at


@dataclass(frozen=True, kw_only=True)
class PageStyle:
    """What all styles have.

    A place is a path of names, such as `meta.next_cursor`, as on the wire or in the generated
    model. What the document does not declare is refused when the list is made: with a wrong name, a
    list would end early, or never. The items of a page that is itself the list are not checked.

    Attributes:
        items: The place of a page's list of items. None: the page itself is the list.
        id: The place of an item's id. Items that move between pages while the list is read are then
            yielded once. None: all items of all pages are yielded.
        more: The place where a page says whether another one follows: a false value ends the list,
            and no other page without a way on does. None: in one of the usual members, such as
            `has_more`, which then end no list.
    """

    items: str | None = None
    id: str | None = None
    more: str | None = None

    def after(self, reader: ListReader, page: Any, items: Sequence[Any], /) -> httpx.URL | None:
        """The URL of the page after `page`; None: that is the last one."""
        raise NotImplementedError


@dataclass(frozen=True)
class ParameterPages(PageStyle):
    """What the styles have in common that send a value for each page.

    Attributes:
        parameter: The name of the query parameter that has the value.
    """

    parameter: str = ""

    def _with(self, url: httpx.URL, value: object) -> httpx.URL | None:
        """A URL with this value of the parameter; None, if the value is null or empty.

        The other parameters stay as they are written, since `ids=1,2` and `ids=1%2C2` are two
        lists.
        """
        if value in (None, ""):
            return None
        parameters = filter(None, url.query.decode("ascii").split("&"))
        others = [
            text for text in parameters if unquote_plus(text.partition("=")[0]) != self.parameter
        ]
        query = "&".join([*others, urlencode({self.parameter: value})])
        return url.copy_with(query=query.encode("ascii"))

    def _increased(self, url: httpx.URL, default: int, step: int) -> httpx.URL | None:
        """A URL with the number in its parameter increased by `step`; `default`: it has none."""
        number = int(url.params.get(self.parameter, default))
        return self._with(url, number + step)


@dataclass(frozen=True)
class CursorPages(ParameterPages):
    """Each page names the next one, or is followed by the items after its last one.

    Attributes:
        parameter: The query parameter for the cursor.
        next: The place of the next page's cursor in a page. The list ends with a page without one.
        last: The place in an item of what serves as cursor, if pages have none: the last item's is
            sent.

    Raises:
        ConfigurationError: It has not exactly one of `next` and `last`.
    """

    parameter: str = "cursor"
    next: str | None = None
    last: str | None = None

    def __post_init__(self) -> None:
        if (self.next is None) == (self.last is None):
            raise ConfigurationError(
                "CursorPages: write where the next cursor is, either in a page "
                "(next='next_cursor') or in its last item (last='id')."
            )

    def after(self, reader: ListReader, page: Any, items: Sequence[Any]) -> httpx.URL | None:
        if self.next is not None:
            return self._with(reader.url, value_at(page, self.next))
        if not items:
            return None
        following = self._with(reader.url, _text_at(self.last, items[-1]))
        if following is None:
            raise reader.unusable(f"its last item has nothing at {self.last!r}")
        return following


@dataclass(frozen=True)
class OffsetPages(ParameterPages):
    """The number of items to skip is sent. Without `more`, the list ends with an empty page."""

    parameter: str = "offset"

    def after(self, reader: ListReader, _page: Any, items: Sequence[Any]) -> httpx.URL | None:
        return self._increased(reader.url, 0, len(items)) if items else None


@dataclass(frozen=True)
class NumberedPages(ParameterPages):
    """Pages are numbered, from `first`. Without `more`, the list ends with an empty page."""

    parameter: str = "page"
    first: int = 1

    def after(self, reader: ListReader, page: Any, items: Sequence[Any]) -> httpx.URL | None:
        # A page without items is followed by another one if it says so: a filter may leave none.
        if not items and not reader.says_that_others_follow(page):
            return None
        return self._increased(reader.url, self.first, 1)


@dataclass(frozen=True)
class LinkedPages(PageStyle):
    """Each page has the URL of the next one: in its `Link` header (RFC 8288), or in its body.

    Only the query of the link is used, with the operation's own address: no link leads a token
    elsewhere. A link to another path is refused.

    Attributes:
        next: The place of the link in the body, such as `_links.next.href`. None: it is in the
            `Link` header.
    """

    next: str | None = None

    def after(self, reader: ListReader, page: Any, _items: Sequence[Any]) -> httpx.URL | None:
        link = next_link(reader.response) if self.next is None else value_at(page, self.next)
        if link in (None, ""):
            return None
        url = reader.url.join(link)
        if not is_same_path(url.path, reader.url.path):
            path = one_line(url.path)
            raise reader.contradiction(
                f"its link to the next page leads to the path {path}, and the list is read at "
                f"{one_line(reader.url.path)}"
            )
        return reader.url.copy_with(query=url.query)


def is_same_path(path: str, own_path: str) -> bool:
    """Whether a path is the operation's own.

    One of the two may have a prefix more, since a gateway on the way may add or remove one.
    """
    path = path.rstrip("/")
    own_path = own_path.rstrip("/")
    return path != "" and (own_path.endswith(path) or path.endswith(own_path))


def next_link(response: httpx.Response) -> str | None:
    """The target of the link to the next page in the `Link` header, or None."""
    for link in response.links.values():
        if "next" in link.get("rel", "").lower().split():
            return link["url"]
    return None


class ListReader(PageReader[Any]):
    """Reads one list once: for each page, `request` makes the request, and `take` gets the page.

    Attributes:
        url: The URL of the page that is read.
        response: The response with that page.
    """

    url: httpx.URL
    response: Response

    def __init__(self, style: PageStyle, *, what: str) -> None:
        first = style.first if isinstance(style, NumberedPages) else 0
        super().__init__(partial(_text_at, style.id), first=first, what=f"list {what}")
        self._style = style
        self._next_url: httpx.URL | None = None
        """The URL of the page to read; None: it is the first page."""

    def request(self, first_request: Callable[[], httpx.Request]) -> httpx.Request:
        """The request for the page to read, made of the request for the first page."""
        request = first_request()
        if self._next_url is not None:
            request.url = self._next_url
        self.url = request.url
        return request

    def take(self, page: Any, response: Response) -> Sequence[Any]:
        """Return the items of a page that was read, and note what follows the page."""
        self.response = response
        items = self._items(page)
        if not items and is_failed_page(response):
            # As an empty page, it would be the end of the list.
            raise self.unusable("its body reports an error")
        try:
            self._next_url = self._style.after(self, page, items)
        except (httpx.InvalidURL, ValueError, TypeError):
            raise self.unusable("what it has of the next page is no part of a URL") from None
        follows = self.says_that_others_follow(page)
        self.more = self._next_url is not None and follows is not False
        if follows and not self.more:
            raise self.contradiction("it says that others follow, and names no next one")
        del self.response  # it holds the page
        return items

    def says_that_others_follow(self, page: Any) -> bool | None:
        """Whether a page says that another one follows; None: it does not say."""
        place = self._style.more
        if place is None:
            return says_that_others_follow(json_of(self.response)) or None
        return lenient_flag_of(value_at(page, place))

    def unusable(self, why: str) -> VictorError:
        """The error for the page that was just read, which cannot be used."""
        assert self.response.unusable is not None
        return self.response.unusable(self.response, why)

    def _items(self, page: Any) -> Sequence[Any]:
        """The items of a page; none, if their list is null or left out."""
        place = self._style.items
        items = page if place is None else value_at(page, place)
        if is_list(items):
            return items
        if place is not None and self._is_page_without(page, place):
            return ()
        raise self.unusable(
            f"it has no list at {place!r}: name the place of the items, as in items='data'"
        )

    def _is_page_without(self, page: Any, place: str) -> bool:
        """Whether a page has nothing at the place of its items. It is a page if its body has the
        begin of that place, or another member that the document declares.
        """
        body = object_of(self.response)
        names = [place.partition(".")[0], *(field.name for field in fields_of(page))]
        is_page = any(same_name(member, name) for member in body for name in names)
        return is_page and is_absent_at(body, place)


def _text_at(place: str | None, item: Any) -> str | None:
    """An id or a cursor of an item; None: it has none, or the style does not say where it is."""
    value = None if place is None else value_at(item, place)
    return None if value is None else str(value)


def undeclared_in(
    style: PageStyle, operation: Declared, parameters: Sequence[str], tables: Tables
) -> str | None:
    """Which place or parameter of a style the document does not declare for an operation; None: it
    declares all.

    Args:
        style: The style.
        operation: What the document declares of the operation.
        parameters: The names of its parameters.
        tables: The members of the document's models.
    """
    # The models of its good responses that are objects.
    pages: list[Any] = [*operation.results.values()]
    lists = [] if style.items is None else kinds_at(pages, style.items, tables) or []
    items = [kind[0] for kind in lists if is_list(kind)]
    values = vars(style)
    for names, models, where in (
        (("items", "more", "next"), pages, "the response"),
        (("id", "last"), items, "an item"),
    ):
        for place in filter(None, map(values.get, names)):
            if models and kinds_at(models, place, tables) == []:
                known = {name for model in models for name in tables[model]}
                return _complaint(place, where, sorted(known))
    parameter: str | None = values.get("parameter")
    if parameter is None or any(same_name(name, parameter) for name in parameters):
        return None
    return _complaint(parameter, "the parameters", parameters)


def _complaint(name: str, where: str, known: Sequence[str]) -> str:
    return (
        f"the document declares no {name!r} in {where} (it has: {', '.join(known) or 'none'}). "
        "Write a name that it has, or add this one to the document by an overlay"
    )
