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

from victor_ext import money, zulu
from victor_ext._privacy import concealed_account, one_line
from victor_ext._runtime.client.requests import ExtraBody, extra_body_problems, with_extra_body
from victor_ext._runtime.core import comparing
from victor_ext._runtime.core.comparing import Comparer, Likeness
from victor_ext._runtime.core.json_values import is_object, object_or_empty
from victor_ext._runtime.core.validation import Validation, as_date
from victor_ext._runtime.loop.idempotency_keys import key_problem
from victor_ext._runtime.loop.operations import Done
from victor_ext._values.ids import says_nothing
from victor_ext._values.opaque import FrozenStruct
from victor_ext.errors import Conflict, Outcome, Problem
from victor_ext.typed import Body, Request

from ._records import PaymentRequest
from ._values import ID, Direction, as_direction, as_moment, first_of

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
            validation.moment("now", now)
    request = _request_of(arguments)
    check_request(request, zulu.now() if now is None else now)
    request.check.finish()


def _moment_of(value: object) -> datetime | None:
    """A moment since the epoch, or of ISO 8601 in any zone; None for any other value."""
    return as_moment(value) or comparing.moment_of(value)


_COMPARERS: Mapping[str, Comparer] = {
    **{sent.kind: comparing.comparer_of(sent.kind) for sent in CREATE_REQUEST_PAYMENT.values()},
    "dollars": comparing.same_amount(money.from_wire),
    "moment": comparing.same_moment(_moment_of),
    "day": comparing.same_day(_moment_of),
}
"""How a response's value is compared with one that was sent, by the kind of the argument. Amounts
are texts, and times may be numbers since the epoch.
"""


class SentCreate(FrozenStruct, frozen=True):
    """A `create` that was sent, whose values are compared with those of a record.

    Attributes:
        body: What was sent; it may have what the caller added, too.
        attempts: The number of attempts.
        key: The idempotency key.
        extras: What the caller added to the body, in this call and by the options of the client.
    """

    body: Mapping[str, Any]
    attempts: int = 1
    key: str | None = None
    extras: tuple[ExtraBody | None, ...] = ()

    @classmethod
    def of_body(cls, json: object, attempts: int = 1, key: str | None = None) -> SentCreate:
        """The `create` that sent this body."""
        body = object_or_empty(json)
        return cls(body, attempts, key, (_added_by_caller(body),))

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
            sent = "" if value is None else value
            compare = _COMPARERS[argument.kind]
            is_like = comparing.likeness(compare, sent, _received(record, name))
            if is_like is not Likeness.UNSAID:
                compared[name] = is_like
        if as_direction(record.value_at(["direction"])) is Direction.INBOUND:
            # A request that came in was created by somebody else.
            compared["direction"] = Likeness.OTHER
        for extra in filter(None, self.extras):
            whole = record.value_at(())
            for place in (whole, whole.get("payment_request")):
                if comparing.is_contradicted(extra, place):
                    compared["extra_body"] = Likeness.OTHER
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


def _added_by_caller(body: Mapping[str, Any], prefix: str = "") -> ExtraBody:
    """The members of a body, or of an object in it, that no argument sets."""
    added: dict[str, Any] = {}
    for name, value in body.items():
        place = f"{prefix}{name}"
        member = _added_by_caller(value, f"{place}.") if is_object(value) else value
        if place not in ARGUMENTS and member != {}:
            added[name] = member
    return added


def _received(record: PaymentRequest, argument: str) -> Any:
    """What a record has for an argument of `create`; None: nothing."""
    if argument == "amount":  # the requested one, also if it was accepted with another
        amounts = record.said_amounts()
        return first_of(amounts.original, amounts.own)
    place = CREATE_REQUEST_PAYMENT[argument].place
    return record.value_at(["payment_request", *place.split(".")] if "." in place else [place])
