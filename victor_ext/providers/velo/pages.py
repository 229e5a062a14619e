"""Lists of Velo's: pages counted from 1, that say how many pages and how many items there are."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from victor_ext.errors import Outcome, UnreadableResponse
from victor_ext.runtime.client.paging import PageReader, RepeatedPageReader
from victor_ext.runtime.client.resources import Walk
from victor_ext.runtime.client.runners import OperationFlow, call

from .reading import Record, is_list

R = TypeVar("R", bound=Record)

_FILTERS_TO_LEAVE = frozenset(
    {"status", "onboarded_status", "watchlist_status", "ofac_status", "disabled", "email", "display_name"}
)
"""Filters that a payment or a payee may pass now and not a moment later."""


def walk(
    operation: str,
    model: str,
    kind: Callable[[Any], R],
    identify: Callable[[R], str | None],
    what: str,
    arguments: dict[str, Any],
) -> Walk[R]:
    """A list to be walked.

    It ends where `totalPages` says, if as many items came as `totalElements` says; else, or when Velo says neither,
    at the first empty page. An item that moved to a later page meanwhile is yielded once. With a filter that an item
    can leave it is read over and over (see `RepeatedPageReader`).

    Args:
        operation: The import name of the generated operation.
        model: The name of the model of a page.
        kind: The record of an item.
        identify: What tells an item from others.
        what: What the list is of, for a message.
        arguments: Those of the generated function, without `page`.
    """

    def read(reader: PageReader[R]) -> OperationFlow[list[R]]:
        from velo_api import models  # noqa: PLC0415 - whoever only imports the package does not pay for the models

        page = yield from call(operation, getattr(models, model), page=reader.number, **arguments)
        items = [kind(raw) for raw in _content(page, what)]
        if not items and _says_that_there_are_some(page, reader.number):
            raise UnreadableResponse(
                f"The {what}: page {reader.number} came empty, and says that it is not.", outcome=Outcome.ACCEPTED
            )
        reader.is_last = _is_last(page, reader.number, reader.taken + len(items))
        return items

    reader = PageReader[R] if _FILTERS_TO_LEAVE.isdisjoint(arguments) else RepeatedPageReader[R]
    return Walk(lambda: reader(identify, content=content_of, first=1, what=what), read)


def changes(
    operation: str, model: str, kind: Callable[[Any], R], identify: Callable[[R], str], what: str, **arguments: Any
) -> Walk[R]:
    """The same of a feed of changes, in which one thing may stand twice: what it was, and what it has become."""

    def which(change: R) -> str:
        return f"{identify(change)} {content_of(change)}"

    return walk(operation, model, kind, which, what, arguments)


def _content(page: Any, what: str) -> list[Any]:
    """The items of a page. A page without `content` is empty; one whose `content` is no list is none at all."""
    if is_list(page.content):
        return page.content
    if page.additional_properties.get("content") is not None:
        raise UnreadableResponse(f"The {what}: `content` of the answer is not a list.", outcome=Outcome.ACCEPTED)
    return []


def _says_that_there_are_some(page: Any, number: int) -> bool:
    """Whether an empty page counts itself among the full ones: to stop there would hide what is on it and behind it."""
    pages, items = getattr(page.page, "total_pages", None), getattr(page.page, "total_elements", None)
    return isinstance(pages, int) and isinstance(items, int) and number <= pages and items > 0


def _is_last(page: Any, number: int, taken: int) -> bool:
    pages, items = getattr(page.page, "total_pages", None), getattr(page.page, "total_elements", None)
    if not isinstance(pages, int) or number < pages:
        return False
    return not isinstance(items, int) or taken >= items


def content_of(record: Record) -> str:
    """Everything that was sent of an item, as text; the same text for all that is nested too deeply to write."""
    try:
        return json.dumps(record.raw.to_dict(), default=str)
    except RecursionError:
        return ""
