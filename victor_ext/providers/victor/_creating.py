"""What `create` sends, and how a response is compared with it: `SentCreate`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta
from typing import Any, Protocol

from victor_api.api.payment_requests import create_request_payment
from victor_api.typed.arguments import CREATE_REQUEST_PAYMENT, PACKAGE
from victor_api.typed.dictionaries import (
    PaymentRequestArguments as PaymentRequestArguments,  # noqa: PLC0414 - this is its public home
)
from victor_api.typed.methods import PaymentRequests

from victor_ext import zulu
from victor_ext._privacy import concealed_account, mask, one_line, redact_excerpt
from victor_ext._runtime.client.requests import extra_body_problems, with_extra_body
from victor_ext._runtime.core.comparing import Likeness, same
from victor_ext._runtime.core.json_values import object_or_empty
from victor_ext._runtime.core.validation import Validation, as_date, moment_problem
from victor_ext._runtime.loop.idempotency_keys import key_problem
from victor_ext._values.ids import says_nothing
from victor_ext._values.opaque import FrozenStruct
from victor_ext.errors import Conflict, Outcome, Problem
from victor_ext.typed import Body, Request

from ._values import (
    CHILD_ID,
    ID,
    ORIGINAL_AMOUNT,
    PARENT_ID,
    Amounts,
    Direction,
    as_direction,
)

ARGUMENTS = {sent.place: argument for argument, sent in CREATE_REQUEST_PAYMENT.items()}
"""The places of members in the body of `create`, each with the argument that sets it."""
_SIGNATURE = inspect.signature(PaymentRequests[Any, Any].create)


def check_request(request: Request, now: datetime | None) -> None:
    """Note what no rule of one argument of `create` says.

    `now` is the time that the due date is compared with; None: it is not compared.
    """
    check = request.check
    payee = object_or_empty(request.body.get("payee"))
    details = object_or_empty(request.body.get("payment_details"))
    due = as_date(details.get("due_date"))
    if due is not None and now is not None:
        check.add(_due_date_problem(due, now.astimezone(UTC)))
    if "ultimate_creditor" in payee and details.get("biller_type") == "CONSUMER":
        message = "ultimate_creditor can only be given with the biller type BUSINESS: leave it out."
        check.note("ultimate_creditor", "combination", message)
    key = request.by_hand["idempotency_key"]
    if key is not None:
        check.add(key_problem(key))
    extra = request.by_hand["extra_body"]
    if extra is not None:
        check.problems += extra_body_problems(extra, ARGUMENTS)


def _due_date_problem(due: date, now: datetime) -> Problem | None:
    """What is wrong with a due date that is past, or over 24 hours ahead; or None. `now` is in UTC.

    The provider's time zone is unknown, so a date is refused only if it is wrong in all zones,
    UTC-12 to UTC+14.
    """
    if due < (now - timedelta(hours=12)).date():
        code, what = "past", "is in the past:"
    elif due > (now + timedelta(hours=14 + 24)).date():
        code = "range"
        what = "is too late: the provider takes a due date at most 24 hours ahead;"
    else:
        return None
    tomorrow = (now + timedelta(days=1)).date()
    advice = f"it is {now:%Y-%m-%d %H:%M} in UTC, so write {now.date()} or {tomorrow}."
    return Problem("due_date", code, f"due_date {due} {what} {advice}")


def body_of(request: Request) -> Body:
    """The body of a `create`. Raises `InvalidRequest` with all problems."""
    request.check.finish()
    return with_extra_body(request.body, request.by_hand["extra_body"], ARGUMENTS)


def _request_of(arguments: Mapping[str, Any]) -> Request:
    """A `create` with these arguments; one that is missing is None.

    Raises `TypeError` for one that `create` does not take.
    """
    _SIGNATURE.bind_partial(**arguments)
    by_hand: Mapping[str, Any] = {"idempotency_key": None, "extra_body": None}
    return PACKAGE.request(create_request_payment, **{**by_hand, **arguments})


def check_payment_request(*, now: datetime | None = None, **arguments: Any) -> None:
    """Check the arguments of `payment_requests.create` without sending a request.

    Args:
        now: The aware datetime that the due date is compared with, such as
            `victor.provider_time().moment`. None: this machine's time.
        arguments: Those of `payment_requests.create`.

    Raises:
        InvalidRequest: An argument is invalid. `problems` has all reasons.
    """
    arguments["payee_account_number"] = concealed_account(arguments.get("payee_account_number"))
    if now is not None:
        with Validation("The check was not sent") as validation:
            problem = moment_problem("now", now)
            if problem is None and not MINYEAR < now.year < MAXYEAR:
                problem = Problem(
                    "now", "range", f"now={now} is too far away to compare a due date with it."
                )
            validation.add(problem)
    request = _request_of(arguments)
    check_request(request, zulu.now() if now is None else now)
    request.check.finish()


_OF_RECORD = {ID, PARENT_ID, CHILD_ID, "status", "direction", "payment_network", "error_message"}
"""The members at the top of a record that no caller has sent, whatever a newer body has."""


class Compared(Protocol):
    """What is compared of a record of a payment request; `PaymentRequest` has it."""

    @property
    def created_at(self) -> datetime | None:
        """The time of creation, if the record says it."""

    def value_at(self, path: Sequence[str]) -> Any:
        """The value at the names in `path`, or None; without names, the whole JSON."""

    def not_objects(self) -> list[str]:
        """The paths at which a value is no object, such as text, and the document has an object."""
        ...

    def said_amounts(self) -> Amounts:
        """The amounts of the record, as they were sent."""
        ...


class SentCreate(FrozenStruct, frozen=True):
    """A `create` that was sent, whose values are compared with those of a record.

    Attributes:
        body: What was sent; it may have what the caller added, too.
        attempts: The number of attempts.
        key: The idempotency key.
    """

    body: Mapping[str, Any]
    attempts: int = 1
    key: str | None = None

    @classmethod
    def of_body(cls, json: object, attempts: int = 1, key: str | None = None) -> SentCreate:
        """The `create` that sent this body."""
        return cls(object_or_empty(json), attempts, key)

    @classmethod
    def of_arguments(cls, arguments: Mapping[str, Any]) -> SentCreate:
        """A `create` with these arguments. Raises `InvalidRequest` for what cannot be sent."""
        request = _request_of(arguments)
        request.check.finish()
        return cls(request.body)

    @property
    def reference(self) -> Any:
        """The caller's own reference, if it was sent."""
        return self.body.get("client_reference_id")

    def may_have_made(self, record: Compared, since: datetime) -> bool:
        """Whether a record may be of this payment; `PaymentRequest.could_be` has the rule."""
        if record.created_at is not None and record.created_at < since:
            return False
        compared = self.comparisons(record)
        return "amount" in compared and {*compared.values()} == {Likeness.SAME}

    def is_confirmed_by(self, record: Compared) -> bool:
        """Whether a record is known to be of this payment: it repeats the reference, or for a
        payment without a reference the payee, the payer and the amount.

        A value of the record that cannot be read confirms nothing. Raises `Conflict`: the record
        has another value than was sent.
        """
        compared = self.comparisons(record)
        others = [argument for argument, is_like in compared.items() if is_like is Likeness.OTHER]
        if others:
            which = " and ".join(_other_value(record, argument) for argument in others)
            key = "the idempotency key" if self.key is None else f"the idempotency key {self.key!r}"
            raise Conflict(
                f"The provider answered with payment request {one_line(record.value_at([ID]))}, "
                f"which has {which}: {key} seems to have been used for another payment, or the "
                "response is another's.",
                hint="Repeat with the same key and the same values, or look with get() and with "
                "payment_requests.find(client_reference_id, start_datetime=...). Take another key "
                "only when it is "
                "certain that this payment does not exist.",
                outcome=Outcome.UNKNOWN,
                idempotency_key=self.key,
                attempts=self.attempts,
            )
        has_reference = not says_nothing(self.reference)
        needed = {"client_reference_id"} if has_reference else SUBJECT
        return compared.keys() >= needed and Likeness.UNREADABLE not in compared.values()

    def unreadable(self, record: Compared) -> list[str]:
        """The names of the values in a record that cannot be read."""
        compared = self.comparisons(record)
        return [name for name, is_like in compared.items() if is_like is Likeness.UNREADABLE]

    def comparisons(self, record: Compared) -> dict[str, Likeness]:
        """What a record says of each value that was sent or left out, by name; the values of which
        it says nothing are not there.
        """
        compared: dict[str, Likeness] = {}
        for name, argument in CREATE_REQUEST_PAYMENT.items():
            value = _value_in(self.body, argument.place)
            if value is None and not argument.counts_if_left_out:
                continue
            left_out = False if argument.kind == "flag" else ""
            sent = left_out if value is None else value
            values = _values_said(record, name)
            is_like = min(same(sent, received, argument.kind) for received in values)
            if is_like is not Likeness.UNSAID:
                compared[name] = is_like
        if as_direction(record.value_at(["direction"])) is Direction.INBOUND:
            # A request that came in was created by somebody else.
            compared["direction"] = Likeness.OTHER
        # Where something else than an object stands, the members of the object cannot be read.
        compared |= dict.fromkeys(record.not_objects(), Likeness.UNREADABLE)
        return compared


SUBJECT = {"payee_account_number", "payer_counterparty_id", "amount"}
"""The arguments that say who pays whom, and how much. The response to a request without a
reference has to repeat them.
"""


def _value_in(body: Mapping[str, Any], place: str) -> Any:
    """The value at a place in a body, such as `payee.account_number`; None without one."""
    value: Any = body
    try:
        for name in place.split("."):
            value = value.get(name)
    except AttributeError:  # a value of JSON that is no object has no `get`
        return None
    return value


def _values_said(record: Compared, argument: str) -> list[Any]:
    """What a record has for an argument: at its top, if a member of the body itself may stand
    there, and in its request. None: nothing.
    """
    place = CREATE_REQUEST_PAYMENT[argument].place
    in_request = record.value_at(["payment_request", *place.split(".")])
    if argument == "amount" and record.value_at(ORIGINAL_AMOUNT) not in (None, "", in_request):
        # The record is a `PaymentRequest` that was accepted with another amount.
        amounts = record.said_amounts()
        in_request = amounts.original if amounts.unreadable is None else amounts.unreadable
    if "." in place or place in _OF_RECORD:
        return [in_request]
    return [record.value_at([place]), in_request]


_SHOWN_IN_MESSAGES: Mapping[str, Callable[[str], str]] = {
    "payee_account_number": mask,
    "payer_counterparty_id": str,
    "amount": str,
    "biller_type": redact_excerpt,
    "due_date": str,
    "ultimate_creditor": redact_excerpt,
    "amount_modification_allowed": redact_excerpt,
    "notes": redact_excerpt,
    "client_reference_id": str,
}
"""How a message shows the value of an argument. The value of any other one may be private."""


def _other_value(record: Compared, argument: str) -> str:
    """The value of an argument in a record, for a message that it is another value."""
    shown = _SHOWN_IN_MESSAGES.get(argument)
    if shown is None:
        return f"another {argument}"
    said = (value for value in _values_said(record, argument) if not says_nothing(value))
    return f"the {argument} {shown(one_line(next(said, None)))!r}"
