"""The arguments of Velo's lists as they were declared by hand: `test_velo_queries` compares."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, cast

from velo_api.typed.words import (
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

from tests.providers.declared_before import After, Sent, checked, sent_names
from victor_ext.providers.velo.checks import Validation
from victor_ext.runtime.client.runners import drop_none
from victor_ext.runtime.core.validation import declared, rule


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
            sent = checked(validation, self)
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
