"""`ListReader`: reads one list, page by page, in a style of `paging`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from victor_ext.errors import Outcome, PaginationError, VictorError
from victor_ext.runtime.client.generated import is_instance, type_name
from victor_ext.runtime.client.paging import Page, PageReader, says_that_others_follow
from victor_ext.runtime.core.json_values import NOT_JSON, is_object, json_of, lenient_flag_of
from victor_ext.runtime.core.response import Response
from victor_ext.runtime.loop.evidence import hidden_items, is_failed_page

from .declared_models import lacks_its_list
from .paging import NumberedPages, PageStyle, ParameterPages, Step
from .places import Place, fields_of, same_name, value_at

MOST_EMPTY_PAGES = 100
"""The number of consecutive pages without items after which a list that always names a next page is
given up.
"""


class ListReader(PageReader[Any]):
    """Reads one list once, with a client of a generated package.

    It has the state of a `PageReader`, and knows the way to the next page. For each page,
    `call` makes the arguments of the operation, `take` gets the page, and `accept` its items.
    `arguments` are those of the operation for the first page.
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
        """What asked for the page that was read last: its URL, or the fields of the body where
        these name the page.
        """
        self._step: Step | None = None
        """The step from the first page to the page to read; None: that is the first one."""

    def call(self) -> dict[str, Any]:
        """The arguments of the operation for the page to read, with a client for this one call."""
        style = self._style
        arguments = dict(self._arguments)
        change_url: Any = self._for_this_page
        if isinstance(style, ParameterPages) and style.in_body:
            change_url = ""  # the body asks for the page
            fields = self._for_this_page(fields_of(arguments.get("body"), style.parameter))
            # The first page is asked for with the caller's own body, whose class tells the media
            # type.
            if self._step is not None:
                arguments["body"] = fields
        keep_response = partial(setattr, self, "response")
        self._client = self._client.for_one_call(None, keep_response, change_url)
        arguments["client"] = self._client
        return arguments

    def _for_this_page(self, first: Any) -> Any:
        """What asks for the page to read, made of what asks for the first page: a URL, or the
        fields of a body.
        """
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
        """Return the items of a page that was read, and note what follows the page."""
        items = self._items(page)
        if not items and is_failed_page(self.response):
            # As an empty page, it would be the end of the list.
            raise self.unusable("its body reports an error")
        self._check_kind(items)
        self._step = self._style.after(self, page, items)
        self.is_last = self._says_last(page) or self._step is None
        if self.is_last and self.says_more(page):
            raise self.contradiction("it says that others follow, and names no next one")
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

    def _says_last(self, page: Any) -> bool:
        """Whether a page says that no other one follows."""
        more = self._style.more
        return more is not None and lenient_flag_of(value_at(page, more)) is False

    def says_more(self, page: Any) -> bool:
        """Whether a page says that another one follows."""
        more = self._style.more
        if more is None:
            return says_that_others_follow(json_of(self.response))
        return lenient_flag_of(value_at(page, more)) is True

    def accept(self, items: Sequence[Any]) -> Page[Any]:
        """Note that the items of a page were read, as `PageReader.accept` does.

        A page without items does not end the list, if it names a next page.
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
            hidden = hidden_items(self.response)
            if hidden is not None:
                raise self.contradiction(hidden, "Take a newer document.")
            return ()
        where = f"at {place!r}" if isinstance(place, str) else "where `items` looks"
        raise self.unusable(
            f"it has no list {where}: name the place of the items, as in items='data'"
        )

    def _is_left_out(self, page: Any, place: str) -> bool:
        """Whether a page has no list at this place, and the document permits it."""
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
    """The id of an item; None: the item has none, or the style does not say where it is."""
    value = None if place is None else value_at(item, place)
    return None if value is None else str(value)
