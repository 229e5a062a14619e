"""How Velo is read: one object by its id, lists page by page, and what a write did whose response
was lost.
"""

from __future__ import annotations

from collections.abc import Collection
from types import ModuleType
from typing import Any, TypeVar

from velo_api.typed.arguments import PACKAGE

from victor_ext._runtime.client.paging import PageReader
from victor_ext._runtime.client.records import content_of
from victor_ext._runtime.client.resources import Walk
from victor_ext._runtime.client.runners import OperationFlow, call, call_without_body
from victor_ext._runtime.core.json_values import list_or_empty, object_or_empty, whole_of
from victor_ext.errors import Conflict, Outcome, VictorError
from victor_ext.typed import CheckedCall, ListQuery, Record

R = TypeVar("R", bound=Record)


def read(checked: CheckedCall, kind: type[R], seconds: float | None = None) -> OperationFlow[R]:
    """Read one object.

    `seconds` bounds the call; None leaves it the client's deadline.
    """
    arguments = checked.arguments()
    return kind((yield from call(checked.operation, seconds, **arguments)))


def reads(kind: type[R]) -> staticmethod[[CheckedCall], OperationFlow[R]]:
    """The flow of a method that reads one object: `_get = reads(Payee)`."""
    return staticmethod(lambda checked: read(checked, kind))


def response_to(checked: CheckedCall) -> OperationFlow[Any]:
    """Send a write once. Returns the whole generated `Response`."""
    return call_without_body(checked.operation, **checked.arguments())


def send(checked: CheckedCall) -> OperationFlow[None]:
    """Send a write once."""
    yield from response_to(checked)


def write(
    checked: CheckedCall, look_up: ModuleType, kind: type[R], done: Collection[str]
) -> OperationFlow[None]:
    """Send a write once. After a lost response, the object is read by `look_up`: whether it has a
    status that says `done`.

    A conflict is with the work of another call: Velo refuses duplicates.
    """
    try:
        yield from send(checked)
    except VictorError as error:
        if isinstance(error, Conflict) or error.outcome not in (Outcome.UNKNOWN, Outcome.ACCEPTED):
            raise
        try:
            record: Any = yield from read(PACKAGE.call(look_up, **checked.path), kind)
        except VictorError:
            raise error from None
        if record.status not in done:
            raise


# Lists: pages counted from 1, most of which state the number of pages and items.


def _id_of(record: Record) -> str | None:
    return getattr(record, "id", None)


def walk(
    query: ListQuery, kind: type[R], *, sort: str = "", tie: str = "", is_feed: bool = False
) -> Walk[R]:
    """A list, read page by page.

    It ends at the page that `totalPages` names, if as many items came as `totalElements` says;
    else, or when Velo says neither, at the first empty page. An item that moves to a later page
    meanwhile is yielded once.

    Args:
        sort: The order, where the caller passes none; empty: Velo's own.
        tie: The field that is added to each order: equal items keep their places, too.
        is_feed: It has changes: one object may occur twice, before and after one. An item is
            identified by all that was sent.
    """
    what = query.what
    arguments: dict[str, Any] = {**query.arguments}
    order: str = arguments.get("sort") or sort
    if order:
        arguments["sort"] = order if tie in order else f"{order},{tie}:asc"

    def read_page(reader: PageReader[R]) -> OperationFlow[list[R]]:
        page = yield from call(query.operation, page=reader.number, **arguments)
        items = [kind(object_or_empty(item)) for item in list_or_empty(page.get("content"))]
        numbers = object_or_empty(page.get("page"))
        pages = whole_of(numbers.get("totalPages"))
        total = whole_of(numbers.get("totalElements"))
        reader.more = None
        if pages is not None:
            if not items and total and reader.number <= pages:
                # Taken for the end, the page would hide its items and all that follow.
                raise reader.contradiction("it has no items, and the list says that it has some")
            is_complete = total is None or len(reader.shown) + len(items) >= total
            if reader.number < pages:
                reader.more = True
            elif is_complete:
                reader.more = False
        return items

    def begin() -> PageReader[R]:
        return PageReader(content_of if is_feed else _id_of, 1, what, query.may_be_left)

    return Walk(begin, read_page)


def lists(kind: type[R], **options: Any) -> staticmethod[[ListQuery], Walk[R]]:
    """How the list of a method is read, as by `walk`: `_list = lists(Payee)`."""
    return staticmethod(lambda query: walk(query, kind, **options))
