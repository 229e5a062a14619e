"""The arguments of Velo's lists. Each is a field, and its name and type say how it is checked."""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import date
from typing import Any

from victor_ext.runtime.client.runners import drop_none

from .checks import Validation
from .words import (
    FundingAccountTypeWord,
    PayeeTypeWord,
    PaymentStatusWord,
    PayoutStatusFilter,
    PostInstructFxStatusWord,
    ScheduleStatusWord,
    TransmissionFilter,
)

_RENAMED = {
    "account_type": "type_",
    "memo": "payout_memo",
    "scheduled_from": "scheduled_for_date_from",
    "scheduled_to": "scheduled_for_date_to",
    "submitted_from": "submitted_date_from",
    "submitted_to": "submitted_date_to",
}
"""Velo's names of arguments, where they differ."""
_NO_IDS = {"remote_id", "rails_id", "remote_system_id"}
"""Names that Velo did not give, whatever they look like."""


@dataclass(kw_only=True, slots=True, repr=False, eq=False)
class ListRequest:
    """What all lists have."""

    sort: str | None = None
    page_size: int | None = None

    def arguments(self, doing: str) -> dict[str, Any]:
        """What is sent; None is left out. Raises `InvalidRequest` with all problems, which begins with `doing`."""
        validation = Validation()
        sent = {
            _RENAMED.get(argument.name, argument.name): _checked(validation, argument, self)
            for argument in fields(self)
        }
        validation.finish(doing)
        return drop_none(**sent)


def _checked(validation: Validation, argument: Field[Any], request: ListRequest) -> Any:
    name, value = argument.name, getattr(request, argument.name)
    if name == "sort":
        return validation.sort(value)
    if name == "page_size":
        return validation.page_size(value, 100)
    if name.endswith("_id") and name not in _NO_IDS:
        return validation.id(name, value, required=argument.default is MISSING)
    if argument.type == "int | None":
        return validation.amounts(**{name: value})[name]
    checks = {"date | str | None": validation.day, "bool | None": validation.flag}
    if argument.type in checks:
        return checks[str(argument.type)](name, value)
    return validation.text(name, value, 40 if name == "account_type" else 255, required=False)


@dataclass(kw_only=True, slots=True, repr=False, eq=False)
class PayeeList(ListRequest):
    """The arguments of `payees.list`."""

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
class _PaymentFilters(ListRequest):
    """The filters of both lists of payments."""

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
    """The arguments of `payouts.audited_payments`."""

    payout_id: str = field(kw_only=False)


@dataclass(kw_only=True, slots=True, repr=False, eq=False)
class PaymentList(_PaymentFilters):
    """The arguments of `payments.list`."""

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
class PayoutList(ListRequest):
    """The arguments of `payouts.list`."""

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
class SourceAccountList(ListRequest):
    """The arguments of `source_accounts.list`."""

    payor_id: str | None = None
    physical_account_id: str | None = None
    physical_account_name: str | None = None
    funding_account_id: str | None = None
    account_type: str | None = None
    include_user_deleted: bool | None = None


@dataclass(kw_only=True, slots=True, repr=False, eq=False)
class FundingAccountList(ListRequest):
    """The arguments of `funding_accounts.list`."""

    payor_id: str | None = None
    name: str | None = None
    country: str | None = None
    currency: str | None = None
    account_type: FundingAccountTypeWord | None = None
    sensitive: bool | None = None
