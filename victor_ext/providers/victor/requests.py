"""Request objects: the arguments of `create` and `list`. Each checks itself; the checks are those of `checks`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta
from typing import Any

from victor_api import models

from victor_ext import money, zulu
from victor_ext.errors import Problem
from victor_ext.money import Amount
from victor_ext.privacy import concealed_account
from victor_ext.runtime.client.extras import (
    ExtraBody,
    ExtraQuery,
    extra_body_problems,
    extra_query_problems,
    with_extra_body,
)
from victor_ext.runtime.client.runners import drop_none
from victor_ext.runtime.core.validation import moment_problem
from victor_ext.runtime.loop.idempotency_keys import key_problem

from . import checks
from .checks import Validation, as_date, shown, spelled
from .statuses import BillerTypeWord, DirectionWord, NetworkWord, StatusWord

ARGUMENTS = {
    "payee.account_number": "payee_account_number",
    "payee.ultimate_creditor": "ultimate_creditor",
    "payer.victor_counterparty_id": "payer_counterparty_id",
    "payment_details.amount": "amount",
    "payment_details.biller_type": "biller_type",
    "payment_details.due_date": "due_date",
    "payment_details.amount_modification_allowed": "amount_modification_allowed",
    "payment_details.notes": "notes",
    "client_reference_id": "client_reference_id",
}
"""The members of the body of `create`, each with its argument."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class CreateRequest:
    """The arguments of `create`, which documents them."""

    payee_account_number: str
    payer_counterparty_id: str
    amount: Amount
    biller_type: BillerTypeWord
    due_date: date | str
    ultimate_creditor: str | None = None
    amount_modification_allowed: bool | None = None
    notes: str | None = None
    client_reference_id: str | None = None
    idempotency_key: str | None = None
    extra_body: ExtraBody | None = None

    def __post_init__(self) -> None:
        self.payee_account_number = concealed_account(self.payee_account_number)

    def check(self, now: datetime | None) -> None:
        """Raise `InvalidRequest` with all problems. With `now` None the due date is not compared with the time."""
        validation = Validation()
        validation.required(checks.ACCOUNT_NUMBER, self.payee_account_number)
        validation.required(checks.COUNTERPARTY, self.payer_counterparty_id)
        validation.problems += checks.amount_problems("amount", self.amount)
        validation.required(checks.BILLER_TYPE, self.biller_type)
        validation.add(due_date_problem(self.due_date, now))
        validation.optional(checks.ULTIMATE_CREDITOR, self.ultimate_creditor)
        if self.ultimate_creditor is not None and spelled(self.biller_type) == "CONSUMER":
            message = "ultimate_creditor can only be given with the biller type BUSINESS: leave it out."
            validation.add(Problem("ultimate_creditor", "combination", message))
        flag: object = self.amount_modification_allowed
        if flag is not None and not isinstance(flag, bool):
            message = f"amount_modification_allowed must be true or false, not {shown(flag)}."
            validation.add(Problem("amount_modification_allowed", "type", message))
        validation.optional(checks.NOTES, self.notes)
        validation.optional(checks.REFERENCE, self.client_reference_id)
        if self.idempotency_key is not None:
            validation.add(key_problem(self.idempotency_key))
        validation.problems += extra_body_problems(self.extra_body, ARGUMENTS)
        validation.finish("The payment request")

    def to_model(self) -> models.NewRtpRfpPaymentRequest:
        """The generated model of checked arguments."""
        due = as_date(self.due_date)
        assert due is not None
        payee = drop_none(account_number=self.payee_account_number, ultimate_creditor=self.ultimate_creditor)
        details = drop_none(
            amount=money.to_wire(self.amount),
            biller_type=models.RfpBasePaymentDetailsBillerType(spelled(self.biller_type)),
            due_date=due.isoformat(),
            amount_modification_allowed=self.amount_modification_allowed,
            notes=self.notes,
        )
        body = models.NewRtpRfpPaymentRequest(
            payee=models.RfpPayeeRequestDetails(**payee),
            payer=models.RfpPayerDetails(victor_counterparty_id=self.payer_counterparty_id),
            payment_details=models.RfpBasePaymentDetails(**details),
            **drop_none(client_reference_id=self.client_reference_id),
        )
        return with_extra_body(body, self.extra_body, ARGUMENTS)


def due_date_problem(value: object, now: datetime | None) -> Problem | None:
    """Return the problem of a due date, or None. With `now`, also check that it is not past or over 24 hours ahead.

    The provider's time zone is unknown, so a date is rejected only if it is wrong in all zones, UTC-12 to UTC+14.
    """
    if value is None:
        return Problem(
            "due_date", "required", "due_date is missing.", hint="pass a date, such as datetime.now(UTC).date()"
        )
    due = as_date(value)
    if due is None or now is None:
        return checks.date_problem("due_date", value)
    now = now.astimezone(UTC)
    is_past = due < (now - timedelta(hours=12)).date()
    if not is_past and due <= (now + timedelta(hours=14 + 24)).date():
        return None
    right = f"it is {now:%Y-%m-%d %H:%M} in UTC, so write {now.date()} or {(now + timedelta(days=1)).date()}."
    if is_past:
        return Problem("due_date", "past", f"due_date {due} is in the past: {right}")
    late = f"due_date {due} is too late: the provider takes a due date at most 24 hours ahead; {right}"
    return Problem("due_date", "range", late)


def check_payment_request(*, now: datetime | None = None, **arguments: Any) -> None:
    """Check the arguments of `payment_requests.create` without sending a request.

    Args:
        now: The aware datetime that the due date is compared with, such as `victor.provider_time().moment`. None: this
            machine's time.
        arguments: Those of `payment_requests.create`.

    Raises:
        InvalidRequest: An argument is invalid. `problems` has all reasons.
    """
    arguments["payee_account_number"] = concealed_account(arguments.get("payee_account_number"))
    if now is not None:
        validation = Validation()
        problem = moment_problem("now", now)
        if problem is None and not MINYEAR < now.year < MAXYEAR:
            problem = Problem("now", "range", f"now={now} is too far away to compare a due date with it.")
        validation.add(problem)
        validation.finish("The check")
    required: dict[str, Any] = dict.fromkeys(("payer_counterparty_id", "amount", "biller_type", "due_date"))
    CreateRequest(**{**required, **arguments}).check(zulu.now() if now is None else now)


MAX_INT32 = 2**31 - 1
_CHOICES = {rule.argument: rule for rule in (checks.STATUS, checks.DIRECTION, checks.NETWORK)}
_NO_FILTERS = {"page", "page_size", "extra_query"}


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class ListRequest:
    """The arguments of `list`, which documents them. A field that is not a filter is in `_NO_FILTERS`.

    A filter is checked and sent by its type: a moment, a date, or text; a filter with choices also has its rule in
    `_CHOICES`. `..._start_...` and `..._end_...` are a range.
    """

    status: StatusWord | None = None
    direction: DirectionWord | None = None
    start_datetime: datetime | None = None
    end_datetime: datetime | None = None
    victor_id: str | None = None
    due_date_start_date: date | str | None = None
    due_date_end_date: date | str | None = None
    approval_start_datetime: datetime | None = None
    approval_end_datetime: datetime | None = None
    victor_payment_request_parent_id: str | None = None
    victor_payment_request_child_id: str | None = None
    network_type: NetworkWord | None = None
    tracking_id: str | None = None
    instant_payment_rails_id: str | None = None
    page: int = 0
    page_size: int | None = None
    extra_query: ExtraQuery | None = None

    def filters(self) -> dict[str, str]:
        """The filters that are not None, as text. Raises `InvalidRequest` with all problems."""
        validation = Validation()
        validation.add(_number_problem("page", self.page, 0))
        if self.page_size is not None:
            validation.add(_number_problem("page_size", self.page_size, 1))
        given = drop_none(**{name: getattr(self, name) for name in FILTERS})
        wire: dict[str, str] = {}
        for name, value in given.items():
            problem = _filter_problem(name, value)
            validation.add(problem)
            if problem is None:
                wire[name] = _filter_text(name, value)
        for first, last in ((name, name.replace("start", "end")) for name in given if "start" in name):
            if first in wire and last in wire and _in_order(given[last]) < _in_order(given[first]):
                window = f"{last} ({wire[last]}) is before {first} ({wire[first]})"
                message = f"{window}, so no request can match: swap them."
                validation.add(Problem(last, "range", message))
        validation.problems += extra_query_problems(self.extra_query, (*FILTERS, "page", "page_size"))
        validation.finish("The list")
        return wire


FILTERS = {field.name: field.type for field in fields(ListRequest) if field.name not in _NO_FILTERS}
"""The filters, with their types."""

_CONSTANT = {
    "direction", "start_datetime", "end_datetime", "victor_id", "due_date_start_date", "due_date_end_date",
    "victor_payment_request_parent_id", "victor_payment_request_child_id", "network_type", "tracking_id",
    "instant_payment_rails_id",
}  # fmt: skip
FILTERS_TO_LEAVE = FILTERS.keys() - _CONSTANT
"""Filters whose values can change, so that a request can leave the list while it is read. A new filter is one."""


def _filter_problem(name: str, value: object) -> Problem | None:
    if FILTERS[name] == "datetime | None":
        return moment_problem(name, value)
    if FILTERS[name] == "date | str | None":
        return checks.date_problem(name, value)
    if name in _CHOICES:
        return _CHOICES[name].problem(value)
    if not isinstance(value, str) or not value:
        return Problem(name, "type", f"{name} must be text that is not empty, not {shown(value)}.")
    return checks.unicode_problem(name, value)


def _filter_text(name: str, value: object) -> str:
    value = spelled(value)
    if isinstance(value, datetime):
        return zulu.format(_whole_milliseconds(value) if "end" in name else value)
    return value.isoformat() if isinstance(value, date) else str(value)


def generated_arguments(wire: dict[str, str]) -> dict[str, Any]:
    """Convert checked filters to arguments of the generated function, with members of its enums."""
    return {name: _CHOICES[name].enum(value) if name in _CHOICES else value for name, value in wire.items()}


def _whole_milliseconds(moment: datetime) -> datetime:
    """Round up to a whole millisecond, so that a time window does not end too early."""
    utc = moment.astimezone(UTC)
    try:
        return utc + timedelta(microseconds=-utc.microsecond % 1000)
    except OverflowError:
        return utc  # the last millisecond of the year 9999


def _in_order(value: object) -> Any:
    """Convert a checked filter to a datetime or a date, for comparison."""
    return value if isinstance(value, datetime) else as_date(value)


def _number_problem(name: str, value: object, least: int) -> Problem | None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MAX_INT32:
        return Problem(
            name, "range", f"{name} is {shown(value)} and must be a whole number, {least} or more, up to {MAX_INT32}."
        )
    return None
