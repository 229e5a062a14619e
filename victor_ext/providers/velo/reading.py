"""How Velo is read: one object by its id, lists page by page, and what a write did whose response
was lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import ModuleType
from typing import Annotated, Any, ClassVar, TypeVar, cast

from victor_ext.errors import Conflict, NotFound, Outcome, UnreadableResponse, VictorError
from victor_ext.runtime.client.paging import (
    PageReader,
    RepeatedPageReader,
    content_of,
    says_that_others_follow,
)
from victor_ext.runtime.client.resources import Walk
from victor_ext.runtime.client.runners import (
    OperationFlow,
    call_without_body,
    drop_none,
    step_for_json,
)
from victor_ext.runtime.core.json_values import is_list, list_or_empty, object_or_empty
from victor_ext.runtime.core.validation import After, Sent, declared, rule, sent_names
from victor_ext.typed import Record, whole

from .checks import Validation, check
from .system import (
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


def read(
    operation: ModuleType, kind: type[R], seconds: float | None = None, /, **arguments: Any
) -> OperationFlow[R]:
    """Read one object by its id.

    `seconds` bounds the call; None leaves it the client's deadline.
    """
    check(**arguments)
    return kind((yield step_for_json(operation, seconds, **drop_none(**arguments))).parsed)


def write(
    operation: ModuleType,
    reads: ModuleType,
    kind: type[R],
    done: Collection[str] | None,
    *,
    body: Any = None,
    **named: str,
) -> OperationFlow[None]:
    """Send a write once. After a lost response, the object is read: whether it has a status that
    says `done`.

    None: it is done when Velo knows the object no more. A conflict is with the work of another
    call: Velo refuses duplicates.
    """
    check(**named)
    try:
        yield from call_without_body(operation, **named, **drop_none(body=body))
    except VictorError as error:
        could_be_done = error.outcome in (Outcome.UNKNOWN, Outcome.ACCEPTED) and not isinstance(
            error, Conflict
        )
        if not could_be_done or not (yield from _is_done(reads, kind, done, named)):
            raise


def _is_done(
    reads: ModuleType, kind: type[R], done: Collection[str] | None, named: dict[str, str]
) -> OperationFlow[bool]:
    try:
        record: Any = yield from read(reads, kind, **named)
        return done is not None and record.status in done
    except VictorError as error:
        # In Velo's own shape: a 404 of a proxy says nothing of the object.
        return done is None and isinstance(error, NotFound) and bool(error.problems)


# Lists: pages counted from 1, most of which state the number of pages and items.


def walk(
    operation: ModuleType,
    kind: type[R],
    what: str,
    request: ListRequest,
    identify: Callable[[R], str | None] = lambda record: getattr(record, "id", None),
    *,
    most: int = 100,
) -> Walk[R]:
    """A list, read page by page.

    It ends at the page that `totalPages` names, if as many items came as `totalElements` says;
    else, or when Velo says neither, at the first empty page. An item that moves to a later page
    meanwhile is yielded once. With a filter that items may leave, the list is read repeatedly (see
    `RepeatedPageReader`). `what` the list is called in messages; `identify` is the id of an item,
    if it has one. In a feed of changes, an item is identified by all that was sent: one object may
    occur twice, before and after a change.
    """
    arguments, leaves = request.arguments(f"The {what}", most)

    def read_page(reader: PageReader[R]) -> OperationFlow[list[R]]:
        step = yield step_for_json(operation, page=reader.number, **arguments)
        page = object_or_empty(step.parsed)
        sent = page.get("content")
        if not is_list(sent) and page.get("page") is None:
            # As of a payout, whose history may be read for its summary alone.
            raise UnreadableResponse(
                f"The {what}: the answer has no list in `content`.", outcome=Outcome.ACCEPTED
            )
        items = [kind(item) for item in list_or_empty(sent)]
        numbers = object_or_empty(page.get("page"))
        pages = whole(numbers, "totalPages")
        total = whole(numbers, "totalElements")
        reader.goes_on = not items and _names_next(page, reader.number)
        if pages is not None:
            if not items and total is not None and reader.number <= pages and total > 0:
                # Taken for the end, the page would hide its items and all that follow.
                raise reader.contradiction("it has no items, and the list says that it has some")
            complete = total is None or reader.taken + len(items) >= total
            reader.is_last = reader.number >= pages and complete
        return items

    reader = RepeatedPageReader[R] if leaves else PageReader[R]
    name_of = content_of if isinstance(request, ChangeFeed) else identify
    return Walk(lambda: reader(lambda item: name_of(item) or None, first=1, what=what), read_page)


def _names_next(page: Mapping[str, Any], number: int) -> bool:
    """Whether the page with this number names a next one, or says that there are more pages."""
    links = list_or_empty(page.get("links"))
    has_link = any(object_or_empty(link).get("rel") == "next" for link in links)
    return has_link or says_that_others_follow(page, number)


# The arguments of lists and feeds, each with its rule.


class _Leaves:
    """Of a filter that a payment or a payee may pass now, and no longer a moment later."""


_TEXT = rule(Validation.text, 255)
_ID = rule(Validation.id)
_DAY = rule(Validation.day)
_FLAG = rule(Validation.flag)
_LEAVES = _Leaves()
_UNITS = rule(Validation.integer, 0, 2**31 - 1)
"""Minor units of whichever currency."""
_SORT = rule(
    Validation.matching,
    re.compile("[A-Za-z]+(:(asc|desc))?(,[A-Za-z]+(:(asc|desc))?)*"),
    "names of fields with directions, such as 'displayName:asc'",
)


@dataclass(kw_only=True, repr=False, eq=False)
class ListRequest:
    default_sort: ClassVar[str | None] = None
    """What is sent without a `sort`. None: nothing."""
    order_by_id: ClassVar[str] = ""
    """Added to a `sort`, since items in no order of ours may change places between two pages."""
    page_size: int | None = None

    def arguments(self, doing: str, most: int) -> tuple[dict[str, Any], bool]:
        """What is sent, and whether items may leave a filter.

        Raises `InvalidRequest`, which begins with `doing`.
        """
        with Validation(doing) as validation:
            if self.page_size is not None:
                validation.integer("page_size", self.page_size, 1, most)
            sent = validation.checked(self)
        sort = sent.get("sort") or self.default_sort
        if sort is not None:
            has_id = self.order_by_id in sort
            sent["sort"] = sort if has_id else f"{sort},{self.order_by_id}:asc"
        kind = cast("Any", type(self))  # to mypy, no class can be hashed
        names = sent_names(kind)
        named = {names.get(name, name): value for name, value in sent.items()}
        may_be_left = not declared(kind, _Leaves).keys().isdisjoint(sent)
        return {**named, **drop_none(page_size=self.page_size)}, may_be_left


@dataclass(kw_only=True, repr=False, eq=False)
class PayorList(ListRequest):
    payor_id: Annotated[str, _ID] = field(kw_only=False)


@dataclass(kw_only=True, repr=False, eq=False)
class ChangeFeed(PayorList):
    since: Annotated[datetime, Sent("updated_since"), rule(Validation.moment)]


@dataclass(kw_only=True, repr=False, eq=False)
class InvitationList(PayorList):
    payee_id: Annotated[str | None, _ID] = None
    invitation_status: Annotated[InvitationStatusWord | None, _LEAVES, _TEXT] = None


@dataclass(kw_only=True, repr=False, eq=False)
class PayoutPaymentList(ListRequest):
    payout_id: Annotated[str, _ID] = field(kw_only=False)
    payor_payment_id: Annotated[str | None, _TEXT] = None
    remote_id: Annotated[str | None, _TEXT] = None
    status: Annotated[SubmittedStatusWord | None, _LEAVES, _TEXT] = None
    source_account_name: Annotated[str | None, _TEXT] = None
    transmission_type: Annotated[TransmissionFilter | None, _TEXT] = None
    payment_memo: Annotated[str | None, _TEXT] = None


@dataclass(kw_only=True, repr=False, eq=False)
class SortedList(ListRequest):
    sort: Annotated[str | None, _SORT] = None


@dataclass(kw_only=True, repr=False, eq=False)
class _ScheduledList(SortedList):
    schedule_status: Annotated[ScheduleStatusWord | None, _LEAVES, _TEXT] = None
    scheduled_from: Annotated[date | str | None, Sent("scheduled_for_date_from"), _LEAVES, _DAY] = (
        None
    )
    scheduled_to: Annotated[
        date | str | None, After("scheduled_from"), Sent("scheduled_for_date_to"), _LEAVES, _DAY
    ] = None


@dataclass(kw_only=True, repr=False, eq=False)
class FundingList(SortedList, PayorList):
    default_sort: ClassVar[str | None] = (
        "dateTime:asc"  # without a `sort`, Velo has no order for them
    )
    source_account_name: Annotated[str | None, _TEXT] = None


@dataclass(kw_only=True, repr=False, eq=False)
class PayeeList(SortedList, PayorList):
    remote_id: Annotated[str | None, _TEXT] = None
    email: Annotated[str | None, _LEAVES, _TEXT] = None
    display_name: Annotated[str | None, _LEAVES, _TEXT] = None
    onboarded_status: Annotated[str | None, _LEAVES, _TEXT] = None
    watchlist_status: Annotated[str | None, _LEAVES, _TEXT] = None
    ofac_status: Annotated[str | None, _LEAVES, _TEXT] = None
    payee_type: Annotated[PayeeTypeWord | None, _TEXT] = None
    payee_country: Annotated[str | None, _TEXT] = None
    disabled: Annotated[bool | None, _LEAVES, _FLAG] = None


@dataclass(kw_only=True, repr=False, eq=False)
class _PaymentFilters(SortedList):
    remote_id: Annotated[str | None, _TEXT] = None
    status: Annotated[PaymentStatusWord | None, _LEAVES, _TEXT] = None
    transmission_type: Annotated[TransmissionFilter | None, _TEXT] = None
    rails_id: Annotated[str | None, _LEAVES, _TEXT] = None
    remote_system_id: Annotated[str | None, _TEXT] = None
    source_amount_from: Annotated[int | None, _LEAVES, _UNITS] = None
    source_amount_to: Annotated[int | None, After("source_amount_from"), _LEAVES, _UNITS] = None
    payment_amount_from: Annotated[int | None, _UNITS] = None
    payment_amount_to: Annotated[int | None, After("payment_amount_from"), _UNITS] = None
    submitted_from: Annotated[date | str | None, Sent("submitted_date_from"), _DAY] = None
    submitted_to: Annotated[
        date | str | None, After("submitted_from"), Sent("submitted_date_to"), _DAY
    ] = None
    sensitive: Annotated[bool | None, _FLAG] = None


@dataclass(kw_only=True, repr=False, eq=False)
class AuditedPaymentList(_PaymentFilters):
    payout_id: Annotated[str, _ID] = field(kw_only=False)


@dataclass(kw_only=True, repr=False, eq=False)
class PaymentList(_PaymentFilters, _ScheduledList, PayorList):
    order_by_id: ClassVar[str] = "paymentId"
    payee_id: Annotated[str | None, _ID] = None
    source_account_name: Annotated[str | None, _TEXT] = None
    source_currency: Annotated[str | None, _TEXT] = None
    payment_currency: Annotated[str | None, _TEXT] = None
    payment_memo: Annotated[str | None, _TEXT] = None
    payor_name: Annotated[str | None, _TEXT] = None
    post_instruct_fx_status: Annotated[PostInstructFxStatusWord | None, _LEAVES, _TEXT] = None


@dataclass(kw_only=True, repr=False, eq=False)
class PayoutList(_ScheduledList, PayorList):
    default_sort: ClassVar[str | None] = (
        "submittedDateTime:asc"  # Velo's own order is by time alone
    )
    order_by_id: ClassVar[str] = "payoutId"
    status: Annotated[PayoutStatusFilter | None, _LEAVES, _TEXT] = None
    memo: Annotated[str | None, Sent("payout_memo"), _TEXT] = None
    from_payor_name: Annotated[str | None, _TEXT] = None
    submitted_from: Annotated[date | str | None, Sent("submitted_date_from"), _DAY] = None
    submitted_to: Annotated[
        date | str | None, After("submitted_from"), Sent("submitted_date_to"), _DAY
    ] = None


@dataclass(kw_only=True, repr=False, eq=False)
class SourceAccountList(SortedList):
    payor_id: Annotated[str | None, _ID] = None
    physical_account_id: Annotated[str | None, _ID] = None
    physical_account_name: Annotated[str | None, _TEXT] = None
    funding_account_id: Annotated[str | None, _ID] = None
    account_type: Annotated[str | None, Sent("type_"), rule(Validation.text, 40)] = None
    include_user_deleted: Annotated[bool | None, _FLAG] = None


@dataclass(kw_only=True, repr=False, eq=False)
class FundingAccountList(SortedList):
    payor_id: Annotated[str | None, _ID] = None
    name: Annotated[str | None, _TEXT] = None
    country: Annotated[str | None, _TEXT] = None
    currency: Annotated[str | None, _TEXT] = None
    account_type: Annotated[
        FundingAccountTypeWord | None, Sent("type_"), rule(Validation.text, 40)
    ] = None
    sensitive: Annotated[bool | None, _FLAG] = None
