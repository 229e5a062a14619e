"""Velo's lists: pages counted from 1, most of which state the number of pages and items."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from velo_api import models

from victor_ext.errors import Outcome, UnreadableResponse
from victor_ext.runtime.client.documented import Operation
from victor_ext.runtime.client.paging import PageReader, RepeatedPageReader
from victor_ext.runtime.client.records import Record
from victor_ext.runtime.client.resources import Walk
from victor_ext.runtime.client.runners import OperationFlow, call
from victor_ext.runtime.core.json_values import is_list

R = TypeVar("R", bound=Record)

_FILTERS_TO_LEAVE = frozenset({
    "status", "onboarded_status", "invitation_status", "schedule_status", "scheduled_for_date_from",
    "scheduled_for_date_to", "post_instruct_fx_status", "source_amount_from", "source_amount_to", "rails_id",
    "watchlist_status", "ofac_status", "disabled", "email", "display_name",
})  # fmt: skip
"""Filters that a payment or a payee may pass now, and no longer pass a moment later."""


def walk(
    operation: Operation,
    kind: Callable[[Any], R],
    identify: Callable[[R], str | None],
    what: str,
    arguments: dict[str, Any],
) -> Walk[R]:
    """A list, read page by page.

    It ends at the page that `totalPages` names, if as many items came as `totalElements` says; else, or when Velo says
    neither, at the first empty page. An item that moves to a later page meanwhile is yielded once. With a filter that
    items may leave, the list is read repeatedly (see `RepeatedPageReader`).

    Args:
        operation: The generated operation's module, such as `list_payees`.
        kind: The record of an item; its name with `Page` is that of a page's model.
        identify: The id of an item; None or empty when it has none.
        what: What the list is of, for messages.
        arguments: The arguments of the generated function, without `page`.
    """

    def read(reader: PageReader[R]) -> OperationFlow[list[R]]:
        model = getattr(models, f"{getattr(kind, '__name__', '')}Page")
        page = yield from call(operation, model, page=reader.number, **arguments)
        items = [kind(raw) for raw in _content(page, what)]
        pages, total = getattr(page.page, "total_pages", None), getattr(page.page, "total_elements", None)
        if isinstance(pages, int):
            if not items and isinstance(total, int) and reader.number <= pages and total > 0:
                # Taken for the end, the page would hide its items and all that follow.
                message = f"The {what}: page {reader.number} is empty, although the list says that it has items."
                raise UnreadableResponse(message, outcome=Outcome.ACCEPTED)
            complete = not isinstance(total, int) or reader.taken + len(items) >= total
            reader.is_last = reader.number >= pages and complete
        return items

    reader = PageReader[R] if _FILTERS_TO_LEAVE.isdisjoint(arguments) else RepeatedPageReader[R]
    return Walk(lambda: reader(lambda item: identify(item) or None, content=_text_of, first=1, what=what), read)


def changes(
    operation: Operation, kind: Callable[[Any], R], identify: Callable[[R], str], what: str, arguments: dict[str, Any]
) -> Walk[R]:
    """A feed of changes, read page by page. One object may occur twice: before and after a change."""
    return walk(operation, kind, lambda change: f"{identify(change)} {_text_of(change)}", what, arguments)


def in_one_order(sort: str | None, id_field: str) -> str | None:
    """A sort that leaves no two items in an order of Velo's choice, which may be another on the next page."""
    return f"{sort},{id_field}:asc" if isinstance(sort, str) and id_field not in sort else sort


def _content(page: Any, what: str) -> list[Any]:
    """The items of a page; none when it has no `content`."""
    if is_list(page.content):
        return page.content
    if page.additional_properties.get("content") is not None:
        raise UnreadableResponse(f"The {what}: `content` of the answer is not a list.", outcome=Outcome.ACCEPTED)
    return []


def _text_of(record: Record) -> str:
    """All that was sent of an item, as text; empty when it is nested too deeply to be written."""
    try:
        return json.dumps(record.raw.to_dict(), default=str)
    except RecursionError:
        return ""
