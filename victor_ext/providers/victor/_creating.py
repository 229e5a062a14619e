"""What `create` sends, and how a response is compared with it: `SentCreate`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from victor_api.api.payment_requests import create_request_payment
from victor_api.typed.arguments import CREATE_REQUEST_PAYMENT, PACKAGE
from victor_api.typed.dictionaries import (
    PaymentRequestArguments as PaymentRequestArguments,  # noqa: PLC0414 - this is its public home
)
from victor_api.typed.methods import PaymentRequests

from victor_ext import zulu
from victor_ext._privacy import concealed_account, one_line
from victor_ext._runtime.core.comparing import Likeness, same
from victor_ext._runtime.core.json_values import object_or_empty
from victor_ext._runtime.core.validation import Validation, as_date
from victor_ext._runtime.loop.idempotency_keys import key_problem
from victor_ext._runtime.loop.operations import Done
from victor_ext._values.ids import says_nothing
from victor_ext._values.opaque import FrozenStruct
from victor_ext.errors import Conflict, Outcome, Problem
from victor_ext.typed import Request

from ._records import PaymentRequest
from ._values import ID, Direction, as_direction, first_of

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


def _request_of(arguments: Mapping[str, Any]) -> Request:
    """A `create` with these arguments; one that is missing is None.

    Raises `TypeError` for one that `create` does not take.
    """
    _SIGNATURE.bind_partial(**arguments)
    return PACKAGE.request(create_request_payment, **{"idempotency_key": None, **arguments})


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
            validation.moment("now", now)
    request = _request_of(arguments)
    check_request(request, zulu.now() if now is None else now)
    request.arguments()


class SentCreate(FrozenStruct, frozen=True):
    """A `create` that was sent, whose values are compared with those of a record.

    Attributes:
        body: What was sent.
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

    @property
    def reference(self) -> Any:
        """The caller's own reference, if it was sent."""
        return self.body.get("client_reference_id")

    def is_confirmed_by(self, record: PaymentRequest) -> bool:
        """Whether a record is known to be of this payment: it repeats the reference, or for a
        payment without a reference the payee, the payer and the amount.

        A value of the record that cannot be read confirms nothing. Raises `Conflict`: the record
        has another value than was sent.
        """
        compared = self.comparisons(record)
        others = [argument for argument, is_like in compared.items() if is_like is Likeness.OTHER]
        if others:
            which = " and ".join(f"another {argument}" for argument in others)
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

    def done_by(self, record: PaymentRequest) -> Done:
        """What a record shows of this payment. Its `doubt` says why it may be another's."""
        unsaid = dict.fromkeys(sorted(SUBJECT), Likeness.UNSAID)
        return Done(
            record.id,
            record.status,
            record.to_dict(),
            created_at=record.created_at,
            compared={**unsaid, **self.comparisons(record)},
        )

    def unreadable(self, record: PaymentRequest) -> list[str]:
        """The names of the values in a record that cannot be read."""
        compared = self.comparisons(record)
        return [name for name, is_like in compared.items() if is_like is Likeness.UNREADABLE]

    def comparisons(self, record: PaymentRequest) -> dict[str, Likeness]:
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
            is_like = same(sent, _received(record, name), argument.kind)
            if is_like is not Likeness.UNSAID:
                compared[name] = is_like
        if as_direction(record.value_at(["direction"])) is Direction.INBOUND:
            # A request that came in was created by somebody else.
            compared["direction"] = Likeness.OTHER
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


def _received(record: PaymentRequest, argument: str) -> Any:
    """What a record has for an argument of `create`; None: nothing."""
    if argument == "amount":  # the requested one, also if it was accepted with another
        amounts = record.said_amounts()
        return first_of(amounts.original, amounts.own)
    place = CREATE_REQUEST_PAYMENT[argument].place
    return record.value_at(["payment_request", *place.split(".")] if "." in place else [place])
