"""How Velo is read: one object by its id, lists page by page, and what a write did whose response was lost."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import date, datetime
from typing import Any, ClassVar, TypeVar

from velo_api import models

from victor_ext.errors import Conflict, Outcome, UnreadableResponse, VictorError
from victor_ext.runtime.client.documented import Operation
from victor_ext.runtime.client.paging import PageReader, RepeatedPageReader
from victor_ext.runtime.client.records import Record
from victor_ext.runtime.client.resources import Walk
from victor_ext.runtime.client.runners import OperationFlow, call, call_without_body, drop_none
from victor_ext.runtime.core.json_values import is_list

from .checks import Validation
from .settings import (
    FundingAccountTypeWord,
    InvitationStatusWord,
    PayeeTypeWord,
    PaymentStatusWord,
    PayoutStatusFilter,
    PostInstructFxStatusWord,
    ScheduleStatusWord,
    SubmittedStatusWord,
    TransmissionFilter,
)

R = TypeVar("R", bound=Record)


def read(operation: Operation, kind: type[R], seconds: float | None = None, /, **arguments: Any) -> OperationFlow[R]:
    """Read one object by its id. The generated model has the name of its record.

    `seconds` bounds the call; None leaves it the client's deadline.
    """
    _check(arguments)
    model = getattr(models, kind.__name__)
    return kind((yield from call(operation, model, seconds, **drop_none(**arguments))))


def write(operation: Operation, is_done: OperationFlow[bool], **arguments: object) -> OperationFlow[None]:
    """Send a write once. After a lost response, `is_done` reads whether it was done.

    A conflict is with the work of another call: Velo refuses duplicates.
    """
    _check(arguments)
    try:
        yield from call_without_body(operation, **arguments)
    except VictorError as error:
        could_be_done = error.outcome in (Outcome.UNKNOWN, Outcome.ACCEPTED) and not isinstance(error, Conflict)
        if not could_be_done or not (yield from is_done):
            raise


def has_status(operation: Operation, kind: type[R], statuses: Collection[str], **named: str) -> OperationFlow[bool]:
    """Whether an object can be read and has one of these statuses."""
    try:
        record: Any = yield from read(operation, kind, **named)
    except VictorError:
        return False
    return record.status in statuses


def _check(arguments: dict[str, Any]) -> None:
    """Check the id of an object, which is the first argument, and `sensitive`."""
    validation = Validation()
    for name, value in arguments.items():
        if name != "body":
            (validation.flag if name == "sensitive" else validation.id)(name, value)
    validation.finish(f"The {next(iter(arguments)).removesuffix('_id').replace('_', ' ')}")


# Lists: pages counted from 1, most of which state the number of pages and items.


_FILTERS_TO_LEAVE = frozenset({
    "status", "onboarded_status", "invitation_status", "schedule_status", "scheduled_for_date_from",
    "scheduled_for_date_to", "post_instruct_fx_status", "source_amount_from", "source_amount_to", "rails_id",
    "watchlist_status", "ofac_status", "disabled", "email", "display_name",
})  # fmt: skip
"""Filters that a payment or a payee may pass now, and no longer pass a moment later."""


def walk(
    operation: Operation,
    kind: type[R],
    what: str,
    request: ListRequest,
    identify: Callable[[R], str | None] = lambda record: getattr(record, "id", None),
    *,
    most: int = 100,
) -> Walk[R]:
    """A list, read page by page.

    It ends at the page that `totalPages` names, if as many items came as `totalElements` says; else, or when Velo says
    neither, at the first empty page. An item that moves to a later page meanwhile is yielded once. With a filter that
    items may leave, the list is read repeatedly (see `RepeatedPageReader`).

    Args:
        operation: The generated operation's module, such as `list_payees`.
        kind: The record of an item; its name with `Page` is that of a page's model.
        what: What the list is called in messages.
        identify: The id of an item; None or empty when it has none.
        most: The most items that a page can have.
    """
    arguments = request.arguments(f"The {what}", most)

    def read_page(reader: PageReader[R]) -> OperationFlow[list[R]]:
        page = yield from call(operation, getattr(models, f"{kind.__name__}Page"), page=reader.number, **arguments)
        if not is_list(page.content):  # as of a payout, whose history may be read for its summary alone
            raise UnreadableResponse(f"The {what}: the answer has no list in `content`.", outcome=Outcome.ACCEPTED)
        items = [kind(raw) for raw in page.content]
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
    return Walk(lambda: reader(lambda item: identify(item) or None, content=_text_of, first=1, what=what), read_page)


def changes(operation: Operation, kind: type[R], what: str, feed: ChangeFeed, *, most: int = 1000) -> Walk[R]:
    """A feed of changes, read page by page. One object may occur twice: before and after a change."""
    return walk(operation, kind, f"feed of {what}", feed, _text_of, most=most)


def _text_of(record: Record) -> str:
    """All that was sent of an item, as text; empty when it is nested too deeply to be written."""
    try:
        return json.dumps(record.raw.to_dict(), default=str)
    except RecursionError:
        return ""


# The arguments of lists and feeds. Each is a field, and its name and type say how it is checked.

_SORT = re.compile("[A-Za-z]+(:(asc|desc))?(,[A-Za-z]+(:(asc|desc))?)*")
_RENAMED = {
    "account_type": "type_",
    "memo": "payout_memo",
    "scheduled_from": "scheduled_for_date_from",
    "scheduled_to": "scheduled_for_date_to",
    "since": "updated_since",
    "submitted_from": "submitted_date_from",
    "submitted_to": "submitted_date_to",
}
"""Velo's names of arguments, where they differ."""
_NO_IDS = {"payor_payment_id", "remote_id", "rails_id", "remote_system_id"}
"""Names that Velo did not give, whatever they look like."""


@dataclass(kw_only=True, slots=True, repr=False, eq=False)
class ListRequest:
    default_sort: ClassVar[str | None] = None
    """What is sent without a `sort`. None: nothing."""
    order_by_id: ClassVar[str] = ""
    """Added to a `sort`, since items in no order of ours may change places between two pages."""
    page_size: int | None = None

    def arguments(self, doing: str, most: int) -> dict[str, Any]:
        """What is sent; None is left out. Raises `InvalidRequest` with all problems, which begins with `doing`."""
        validation = Validation()
        sent = {
            _RENAMED.get(argument.name, argument.name): _checked(
                validation, argument, getattr(self, argument.name), most
            )
            for argument in fields(self)
        }
        validation.finish(doing)
        sort = sent.get("sort") or self.default_sort
        if sort is not None:
            sent["sort"] = f"{sort},{self.order_by_id}:asc" if self.order_by_id not in sort else sort
        return drop_none(**sent)


def _checked(validation: Validation, argument: Field[Any], value: Any, most: int) -> Any:
    name = argument.name
    if name == "sort":
        wanted = "names of fields with directions, such as 'displayName:asc'"
        return validation.matching(name, value, _SORT, wanted, required=False)
    if name == "page_size":
        return validation.integer(name, value, 1, most)
    if name.endswith("_id") and name not in _NO_IDS:
        return validation.id(name, value, required=argument.default is MISSING)
    if argument.type == "int | None":
        return validation.integer(name, value, 0, 2**31 - 1)  # minor units of whichever currency
    checks = {"date | str | None": validation.day, "bool | None": validation.flag, "datetime": validation.moment}
    if argument.type in checks:
        return checks[str(argument.type)](name, value)
    return validation.text(name, value, 40 if name == "account_type" else 255, required=False)


@dataclass(kw_only=True, slots=True, repr=False, eq=False)
class ChangeFeed(ListRequest):
    payor_id: str = field(kw_only=False)
    since: datetime


@dataclass(kw_only=True, slots=True, repr=False, eq=False)
class WebhookList(ListRequest):
    payor_id: str = field(kw_only=False)


@dataclass(kw_only=True, slots=True, repr=False, eq=False)
class InvitationList(WebhookList):
    payee_id: str | None = None
    invitation_status: InvitationStatusWord | None = None


@dataclass(kw_only=True, slots=True, repr=False, eq=False)
class PayoutPaymentList(ListRequest):
    payout_id: str = field(kw_only=False)
    payor_payment_id: str | None = None
    remote_id: str | None = None
    status: SubmittedStatusWord | None = None
    source_account_name: str | None = None
    transmission_type: TransmissionFilter | None = None
    payment_memo: str | None = None


@dataclass(kw_only=True, slots=True, repr=False, eq=False)
class SortedList(ListRequest):
    sort: str | None = None


@dataclass(kw_only=True, slots=True, repr=False, eq=False)
class FundingList(SortedList):
    """Without a `sort`, Velo has no order for them."""

    default_sort: ClassVar[str | None] = "dateTime:asc"
    payor_id: str = field(kw_only=False)
    source_account_name: str | None = None


@dataclass(kw_only=True, slots=True, repr=False, eq=False)
class PayeeList(SortedList):
    payor_id: str = field(kw_only=False)
    remote_id: str | None = None
    email: str | None = None
    display_name: str | None = None
    onboarded_status: str | None = None
    watchlist_status: str | None = None
    ofac_status: str | None = None
    payee_type: PayeeTypeWord | None = None
    payee_country: str | None = None
    disabled: bool | None = None


@dataclass(kw_only=True, slots=True, repr=False, eq=False)
class _PaymentFilters(SortedList):
    remote_id: str | None = None
    status: PaymentStatusWord | None = None
    transmission_type: TransmissionFilter | None = None
    rails_id: str | None = None
    remote_system_id: str | None = None
    source_amount_from: int | None = None
    source_amount_to: int | None = None
    payment_amount_from: int | None = None
    payment_amount_to: int | None = None
    submitted_from: date | str | None = None
    submitted_to: date | str | None = None
    sensitive: bool | None = None


@dataclass(kw_only=True, slots=True, repr=False, eq=False)
class AuditedPaymentList(_PaymentFilters):
    payout_id: str = field(kw_only=False)


@dataclass(kw_only=True, slots=True, repr=False, eq=False)
class PaymentList(_PaymentFilters):
    order_by_id: ClassVar[str] = "paymentId"
    payor_id: str = field(kw_only=False)
    payee_id: str | None = None
    source_account_name: str | None = None
    source_currency: str | None = None
    payment_currency: str | None = None
    payment_memo: str | None = None
    payor_name: str | None = None
    schedule_status: ScheduleStatusWord | None = None
    post_instruct_fx_status: PostInstructFxStatusWord | None = None
    scheduled_from: date | str | None = None
    scheduled_to: date | str | None = None


@dataclass(kw_only=True, slots=True, repr=False, eq=False)
class PayoutList(SortedList):
    """Velo's own order is by time alone."""

    default_sort: ClassVar[str | None] = "submittedDateTime:asc"
    order_by_id: ClassVar[str] = "payoutId"
    payor_id: str = field(kw_only=False)
    status: PayoutStatusFilter | None = None
    memo: str | None = None
    from_payor_name: str | None = None
    submitted_from: date | str | None = None
    submitted_to: date | str | None = None
    schedule_status: ScheduleStatusWord | None = None
    scheduled_from: date | str | None = None
    scheduled_to: date | str | None = None


@dataclass(kw_only=True, slots=True, repr=False, eq=False)
class SourceAccountList(SortedList):
    payor_id: str | None = None
    physical_account_id: str | None = None
    physical_account_name: str | None = None
    funding_account_id: str | None = None
    account_type: str | None = None
    include_user_deleted: bool | None = None


@dataclass(kw_only=True, slots=True, repr=False, eq=False)
class FundingAccountList(SortedList):
    payor_id: str | None = None
    name: str | None = None
    country: str | None = None
    currency: str | None = None
    account_type: FundingAccountTypeWord | None = None
    sensitive: bool | None = None
