"""The provider's rules for requests, checked before anything is sent.

Source: `openapi/victor.yaml`; a test compares every limit with it. Patterns must match the whole text, in ASCII.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final, cast

from victor_ext import money, zulu
from victor_ext.errors import InvalidRequest, Problem
from victor_ext.redaction import concealed_account, kind_of
from victor_ext.runtime.client import validation
from victor_ext.runtime.loop.keys import key_problem


@dataclass(frozen=True, slots=True)
class TextRule:
    """The limits of a text, with the schema and property that state them in the document."""

    argument: str
    schema: str
    property: str
    min_length: int = 0
    max_length: int | None = None
    pattern: str | None = None
    pattern_hint: str = ""

    def problem(self, value: object) -> Problem | None:
        """Return the problem of the value, or None."""
        name = self.argument
        if not isinstance(value, str):
            hint = ": put it in quotes, leading zeros and all" if isinstance(value, int) else ""
            return Problem(name, "type", f"{name} must be text, not {kind_of(value)}{hint}.")
        if len(value) < self.min_length or (self.max_length is not None and len(value) > self.max_length):
            return Problem(name, "length", f"{name} has {len(value)} characters and must have {self._lengths()}.")
        if self.pattern is not None and not re.fullmatch(self.pattern, value):
            return Problem(name, "format", f"{name} must be {self.pattern_hint}.")
        return unicode_problem(name, value)

    def _lengths(self) -> str:
        if self.max_length is None:
            return f"at least {self.min_length}"
        return f"{self.min_length} to {self.max_length}" if self.min_length else f"at most {self.max_length}"


@dataclass(frozen=True, slots=True)
class ChoiceRule:
    """The choices of an enumerated value, with the schema and property that state them in the document."""

    argument: str
    schema: str
    property: str
    choices: tuple[str, ...]

    def problem(self, value: object) -> Problem | None:
        """Return the problem of the value, or None."""
        if spelled(value) in self.choices:
            return None
        listed = ", ".join(self.choices)
        return Problem(self.argument, "choice", f"{self.argument} is {shown(value)} and must be one of: {listed}.")


_DIGITS: Final = "[0-9]+"
_NAME: Final = "[A-Za-z0-9.]+(?: +[A-Za-z0-9.]+)*"
_NAME_HINT: Final = (
    "words of ASCII letters, digits and dots with spaces between them (no &, ', - or accents), "
    "such as 'SampleCo Billing Inc.'"
)

ACCOUNT_NUMBER = TextRule(
    "payee_account_number", "RfpPayeeRequestDetails", "account_number", 3, 20, _DIGITS,
    "ASCII digits only, such as '043987673645'",
)  # fmt: skip
ULTIMATE_CREDITOR = TextRule(
    "ultimate_creditor", "RfpPayeeRequestDetails", "ultimate_creditor", 0, 100, _NAME, _NAME_HINT
)
COUNTERPARTY = TextRule("payer_counterparty_id", "RfpPayerDetails", "victor_counterparty_id", 0, 16)
NOTES = TextRule("notes", "RfpBasePaymentDetails", "notes", 0, 150)
REFERENCE = TextRule("client_reference_id", "NewRtpRfpPaymentRequest", "client_reference_id", 0, 128)
ANSWER_NOTES = TextRule("notes", "RfpInboundPaymentRequestResponseRequestDetails", "notes", 1, 150)
BILLER_TYPE = ChoiceRule("biller_type", "RfpBasePaymentDetails", "biller_type", ("BUSINESS", "CONSUMER"))
STATUS = ChoiceRule(
    "status", "ListPaymentRequests", "status",
    ("accepted", "completed", "declined", "expired", "failed", "pending", "processing", "created", "needs-review"),
)  # fmt: skip
DIRECTION = ChoiceRule("direction", "ListPaymentRequests", "direction", ("inbound", "outbound"))
NETWORK = ChoiceRule("network_type", "ListPaymentRequests", "network_type", ("FedNow", "RTP"))

TEXT_RULES = (ACCOUNT_NUMBER, ULTIMATE_CREDITOR, COUNTERPARTY, NOTES, REFERENCE, ANSWER_NOTES)
CHOICE_RULES = (BILLER_TYPE, STATUS, DIRECTION, NETWORK)

_ID_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f/\\?#%\s]|\A\.{1,2}\Z")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Validation(validation.Validation):
    """The problems of one call."""

    def required(self, rule: TextRule | ChoiceRule, value: object) -> None:
        """Check a value. None and an empty text are problems."""
        if value is None or value == "":
            self.add(Problem(rule.argument, "required", f"{rule.argument} is missing: give it a value."))
        else:
            self.add(rule.problem(value))

    def optional(self, rule: TextRule | ChoiceRule, value: object) -> None:
        """Check a value unless it is None."""
        if value is not None:
            self.add(rule.problem(value))

    def finish(self, doing: str = "") -> None:
        """Raise `InvalidRequest` if there are problems. The message begins with `doing`."""
        super().finish(f"{doing} was not sent")


def spelled(value: object) -> Any:
    """Return the value of an enum member, and any other value unchanged."""
    return value.value if isinstance(value, Enum) else value


def shown(value: object) -> str:
    """Return a short form of a value for a message."""
    value = spelled(value)
    if isinstance(value, int) and value.bit_length() > 64:
        return "a whole number of more than 64 bits"  # Python refuses to convert very large ones
    return validation.shown(value)


def unicode_problem(argument: str, text: str) -> Problem | None:
    """Return the problem of a text that cannot be encoded in UTF-8, or None."""
    try:
        text.encode()
    except UnicodeEncodeError:
        message = f"{argument} holds half of a character (a lone surrogate): pass the text as it was before it was cut."
        return Problem(argument, "characters", message)
    return None


def id_problem(argument: str, value: object) -> Problem | None:
    """Return the problem of an id for a URL path, or None. An id must not change the rest of the path."""
    if not isinstance(value, str):
        return Problem(argument, "type", f"{argument} must be text, not {type(value).__name__}.")
    if not value:
        return Problem(argument, "required", f"{argument} is empty: give the id of a payment request.")
    if _ID_FORBIDDEN.search(value) or not value.isprintable():
        return Problem(
            argument,
            "format",
            f"{argument} is {shown(value)}: an id has no slash, space, line break, '?', '#' or '%', and is not of dots "
            "alone.",
        )
    return None


def amount_problems(argument: str, value: object) -> list[Problem]:
    """Return all problems of an amount. None is a problem."""
    if value is None:
        return [Problem(argument, "required", f"{argument} is missing.", hint="write Decimal('44.23')")]
    try:
        # Callers without a type checker may pass any object.
        money.to_decimal(cast("Decimal", value), field=argument)
    except InvalidRequest as error:
        return list(error.problems)
    return []


def flag_problem(argument: str, value: object) -> Problem | None:
    """Return the problem of a value that is not a bool, or None."""
    if isinstance(value, bool):
        return None
    return Problem(argument, "type", f"{argument} must be true or false, not {shown(value)}.")


def date_problem(argument: str, value: object) -> Problem | None:
    """Return the problem of a value that is not a date, or None."""
    if as_date(value) is not None:
        return None
    found = "a datetime" if isinstance(value, datetime) else shown(value)
    hint = "pass a date, such as date(2026, 3, 4)"
    return Problem(argument, "type", f"{argument} is {found} and must be a date.", hint=hint)


def as_date(value: object) -> date | None:
    """Convert a date or a text `YYYY-MM-DD` to a date. Returns None for any other value."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _ISO_DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return None


def due_date_problem(value: object, now: datetime | None) -> Problem | None:
    """Return the problem of a due date, or None. With `now`, also check that it is not past or over 24 hours ahead.

    The provider's time zone is unknown, so a date is rejected only if it is wrong in all zones, UTC-12 to UTC+14.
    """
    if value is None:
        return Problem("due_date", "required", "due_date is missing.", hint="pass a date, such as date.today()")
    problem = date_problem("due_date", value)
    due = as_date(value)
    if problem is not None or due is None or now is None:
        return problem
    earliest = (now - timedelta(hours=12)).date()
    latest = (now + timedelta(hours=14 + 24)).date()
    if due < earliest:
        return Problem("due_date", "past", f"due_date {due} is in the past: write {earliest} or later.")
    if due > latest:
        return Problem(
            "due_date", "range", f"due_date {due} is more than 24 hours ahead, which the provider rejects: "
            f"write {latest} or earlier.",
        )  # fmt: skip
    return None


def check_create(
    *,
    payee_account_number: object,
    payer_counterparty_id: object,
    amount: object,
    biller_type: object,
    due_date: object,
    ultimate_creditor: object,
    amount_modification_allowed: object,
    notes: object,
    client_reference_id: object,
    idempotency_key: object,
    now: datetime | None,
) -> None:
    """Check the arguments of `create`. Raises `InvalidRequest` with all problems.

    If `now` is None, the due date is not compared with the time: the call may repeat an earlier one.
    """
    found = Validation()
    found.required(ACCOUNT_NUMBER, payee_account_number)
    found.required(COUNTERPARTY, payer_counterparty_id)
    found.problems += amount_problems("amount", amount)
    found.required(BILLER_TYPE, biller_type)
    found.add(due_date_problem(due_date, now))
    found.optional(ULTIMATE_CREDITOR, ultimate_creditor)
    if ultimate_creditor is not None and spelled(biller_type) == "CONSUMER":
        message = "ultimate_creditor can only be given with the biller type BUSINESS: leave it out."
        found.add(Problem("ultimate_creditor", "combination", message))
    if amount_modification_allowed is not None:
        found.add(flag_problem("amount_modification_allowed", amount_modification_allowed))
    found.optional(NOTES, notes)
    found.optional(REFERENCE, client_reference_id)
    if idempotency_key is not None:
        found.add(key_problem(idempotency_key))
    found.finish("The payment request")


def check_payment_request(
    *,
    payee_account_number: object = None,
    payer_counterparty_id: object = None,
    amount: object = None,
    biller_type: object = None,
    due_date: object = None,
    ultimate_creditor: object = None,
    amount_modification_allowed: object = None,
    notes: object = None,
    client_reference_id: object = None,
    idempotency_key: object = None,
    now: datetime | None = None,
) -> None:
    """Check the arguments of `payment_requests.create` without sending a request.

    Args:
        now: The aware datetime that the due date is compared with, such as `victor.provider_time().moment`. None: this
            machine's time.

    The other arguments are those of `payment_requests.create`.

    Raises:
        InvalidRequest: An argument is invalid. `problems` has all reasons.
    """
    payee_account_number = concealed_account(payee_account_number)
    check_create(
        payee_account_number=payee_account_number,
        payer_counterparty_id=payer_counterparty_id,
        amount=amount,
        biller_type=biller_type,
        due_date=due_date,
        ultimate_creditor=ultimate_creditor,
        amount_modification_allowed=amount_modification_allowed,
        notes=notes,
        client_reference_id=client_reference_id,
        idempotency_key=idempotency_key,
        now=zulu.now() if now is None else now,
    )


def check_answer(
    request_id: object,
    *,
    notes: object,
    modified_amount: object,
    asked: Decimal | None = None,
    may_be_modified: bool | None = None,
    is_outbound: bool = False,
    child_id: str | None = None,
) -> None:
    """Check the arguments of `accept` and `decline`. Raises `InvalidRequest` with all problems.

    The last four arguments come from the record, if the caller passed one. `asked` is its requested amount.
    """
    found = Validation()
    found.add(id_problem("id", request_id))
    if is_outbound:
        whose = f"whose id is {child_id}" if child_id else "which only its payer has"
        message = f"id is {shown(request_id)}, an outbound request: answer the inbound one, {whose}."
        found.add(Problem("id", "direction", message))
    found.required(ANSWER_NOTES, notes)
    if modified_amount is not None:
        problems = amount_problems("modified_amount", modified_amount)
        found.problems += problems
        if not problems and may_be_modified is False and money.to_decimal(cast("Decimal", modified_amount)) != asked:
            own = "its own" if asked is None else asked
            message = f"modified_amount is {modified_amount}, and the request allows no amount but {own}: leave it out."
            found.add(Problem("modified_amount", "combination", message))
    found.finish("The answer")


def check_id(request_id: object) -> None:
    """Check an id for a URL path. Raises `InvalidRequest`."""
    found = Validation()
    found.add(id_problem("id", request_id))
    found.finish("The call")


MOMENT_FILTERS = ("start_datetime", "end_datetime", "approval_start_datetime", "approval_end_datetime")
DATE_FILTERS = ("due_date_start_date", "due_date_end_date")
RANGES = (
    ("start_datetime", "end_datetime"),
    ("approval_start_datetime", "approval_end_datetime"),
    ("due_date_start_date", "due_date_end_date"),
)
_LAST_MOMENTS = ("end_datetime", "approval_end_datetime")
CHOICE_FILTERS = {"status": STATUS, "direction": DIRECTION, "network_type": NETWORK}
TEXT_FILTERS = (
    "victor_id",
    "victor_payment_request_parent_id",
    "victor_payment_request_child_id",
    "tracking_id",
    "instant_payment_rails_id",
)
MAX_INT32 = 2**31 - 1


def list_filters(filters: dict[str, object], *, page: object = 0, page_size: object = None) -> dict[str, str]:
    """Check the arguments of `list` and return the filters that are not None, as text for the request.

    Raises:
        InvalidRequest: An argument is invalid. `problems` has all reasons.
    """
    found = Validation()
    found.add(_number_problem("page", page, 0))
    if page_size is not None:
        found.add(_number_problem("page_size", page_size, 1))
    wire: dict[str, str] = {}
    for name, value in filters.items():
        if value is None:
            continue
        problem = _filter_problem(name, value)
        found.add(problem)
        if problem is None:
            wire[name] = _filter_text(name, value)
    for first, last in RANGES:
        if first in wire and last in wire and _in_order(filters[last]) < _in_order(filters[first]):
            message = (
                f"{last} ({wire[last]}) is before {first} ({wire[first]}), so that nothing could be found: swap them."
            )
            found.add(Problem(last, "range", message))
    found.finish("The list")
    return wire


def _filter_problem(name: str, value: object) -> Problem | None:
    if name in MOMENT_FILTERS:
        return validation.moment_problem(name, value)
    if name in DATE_FILTERS:
        return date_problem(name, value)
    if name in CHOICE_FILTERS:
        return CHOICE_FILTERS[name].problem(value)
    if not isinstance(value, str) or not value:
        return Problem(name, "type", f"{name} must be text that is not empty, not {shown(value)}.")
    return unicode_problem(name, value)


def _filter_text(name: str, value: object) -> str:
    value = spelled(value)
    if isinstance(value, datetime):
        return zulu.format(_whole_milliseconds(value) if name in _LAST_MOMENTS else value)
    return value.isoformat() if isinstance(value, date) else str(value)


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
