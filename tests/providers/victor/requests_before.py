"""The arguments of Victor's `create` as they were declared by hand, and the comparison of what was
sent with a record: `test_victor_create` compares.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any, cast

from victor_api import models
from victor_api.typed.words import BillerTypeWord

from victor_ext import money
from victor_ext.errors import Conflict, InvalidRequest, Outcome, Problem
from victor_ext.ids import says_nothing
from victor_ext.money import Amount
from victor_ext.privacy import concealed_account, mask, one_line, redact_excerpt
from victor_ext.providers.victor import checks
from victor_ext.providers.victor.statuses import (
    ID,
    Direction,
    as_direction,
    as_moment,
)
from victor_ext.runtime.client.extras import (
    ExtraBody,
    extra_body_problems,
    with_extra_body,
)
from victor_ext.runtime.client.records import ModelRecord
from victor_ext.runtime.core import comparing
from victor_ext.runtime.core.comparing import Comparer, Likeness
from victor_ext.runtime.core.validation import (
    Compared,
    Rule,
    as_date,
    declared,
    rule,
    spelled,
)
from victor_ext.runtime.loop.idempotency_keys import key_problem


class Validation(checks.Validation):
    def __init__(self, doing: str, *, now: datetime | None = None) -> None:
        super().__init__(doing)
        self.now = now

    def key(self, field: str, value: object) -> None:
        self.add(key_problem(value))

    def amount(self, field: str, value: Any) -> str | None:
        """An amount in US dollars; returns the text that is sent for it."""
        if value is None:
            self.add(
                Problem(field, "required", f"{field} is missing.", hint="write Decimal('44.23')")
            )
            return None
        try:
            return money.to_wire(value, field=field)
        except InvalidRequest as error:
            self.problems += error.problems
            return None

    def due_date(self, field: str, value: Any) -> str | None:
        """A date; with `now`, a date that is neither past nor over 24 hours ahead.

        The provider's time zone is unknown, so a date is rejected only if it is wrong in all zones,
        UTC-12 to UTC+14.
        """
        due = as_date(value)
        if due is None or self.now is None:
            return self.day(field, value)
        now = self.now.astimezone(UTC)
        is_past = due < (now - timedelta(hours=12)).date()
        advice = (
            f"it is {now:%Y-%m-%d %H:%M} in UTC, so write {now.date()} or "
            f"{(now + timedelta(days=1)).date()}."
        )
        if is_past:
            self.note(field, "past", f"{field} {due} is in the past: {advice}")
        elif due > (now + timedelta(hours=14 + 24)).date():
            message = (
                f"{field} {due} is too late: the provider takes a due date at most 24 hours "
                f"ahead; {advice}"
            )
            self.note(field, "range", message)
        return due.isoformat()


_DIGITS = re.compile("[0-9]+")
_NAME = re.compile("[A-Za-z0-9.]+(?: +[A-Za-z0-9.]+)*")
_NAMES = (
    "words of ASCII letters, digits and dots with spaces between them (no &, ', - or accents), "
    "such as 'SampleCo Billing Inc.'"
)


def _one_of(enum: type[StrEnum]) -> Rule:
    """The rule that an argument is one of the words of an enum, which is generated from the
    document.
    """
    return rule(Validation.choice, tuple(member.value for member in enum))


def _same_day(sent: date, received: object) -> bool | None:
    """Whether a value of a response is the date that was sent; None: it cannot be read.

    The provider may write a date as its midnight: as Zulu time, or as seconds or milliseconds since
    the epoch.
    """
    day = as_date(received)
    if day is None:
        moment = as_moment(received)
        if moment is None or moment.time() != time():
            return None
        day = moment.date()
    return day == sent


@dataclass(frozen=True, slots=True)
class Member(Compared):
    """The member of the body of `create` that an argument sets.

    Attributes:
        place: Where the member stands in the body.
        compare: How a response's value is compared with the argument. An argument that was left out
            is compared as an empty text: nobody fills in a caller's words.
        meaning: Makes the value to compare from the argument.
    """

    place: str
    compare: Comparer = comparing.same_text
    meaning: Callable[[Any], Any] = spelled


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class CreateRequest:
    # The arguments of `create`, each with its member of the body and its rule.
    payee_account_number: Annotated[
        str,
        Member("payee.account_number", comparing.same_word),
        rule(
            Validation.text,
            20,
            shortest=3,
            form=_DIGITS,
            wanted="3 to 20 ASCII digits only, such as '043987673645'",
        ),
    ]
    payer_counterparty_id: Annotated[
        str, Member("payer.victor_counterparty_id"), rule(Validation.text, 16)
    ]
    amount: Annotated[
        Amount,
        Member("payment_details.amount", comparing.same_amount(money.from_wire), money.to_decimal),
        rule(Validation.amount),
    ]
    biller_type: Annotated[
        BillerTypeWord,
        Member("payment_details.biller_type", comparing.same_word),
        _one_of(models.RfpBasePaymentDetailsBillerType),
    ]
    due_date: Annotated[
        date | str,
        Member("payment_details.due_date", _same_day, as_date),
        rule(Validation.due_date),
    ]
    ultimate_creditor: Annotated[
        str | None,
        Member("payee.ultimate_creditor"),
        rule(Validation.text, 100, shortest=0, form=_NAME, wanted=_NAMES),
    ] = None
    amount_modification_allowed: Annotated[
        bool | None,
        Member("payment_details.amount_modification_allowed", comparing.same_flag),
        rule(Validation.flag),
    ] = None
    notes: Annotated[
        str | None, Member("payment_details.notes"), rule(Validation.text, 150, shortest=0)
    ] = None
    client_reference_id: Annotated[
        str | None, Member("client_reference_id"), rule(Validation.text, 128, shortest=0)
    ] = None
    idempotency_key: Annotated[str | None, rule(Validation.key)] = None
    extra_body: ExtraBody | None = None

    def __post_init__(self) -> None:
        self.payee_account_number = concealed_account(self.payee_account_number)

    def check(self, now: datetime | None) -> dict[str, Any]:
        """The value that is sent for each argument. Raises `InvalidRequest` with all problems.

        `now` is the time that the due date is compared with; None: it is not compared.
        """
        with Validation("The payment request", now=now) as validation:
            sent = validation.checked(self)
            if self.ultimate_creditor is not None and spelled(self.biller_type) == "CONSUMER":
                message = (
                    "ultimate_creditor can only be given with the biller type BUSINESS: "
                    "leave it out."
                )
                validation.note("ultimate_creditor", "combination", message)
            validation.problems += extra_body_problems(self.extra_body, ARGUMENTS)
        return sent

    def to_model(self, sent: Mapping[str, Any]) -> models.NewRtpRfpPaymentRequest:
        """The body of the request, from what `check` returns."""
        body: dict[str, Any] = {}
        for place, argument in ARGUMENTS.items():
            if argument in sent:
                part, _, name = place.rpartition(".")
                holder = body.setdefault(part, {}) if part else body
                holder[name] = sent[argument]
        return with_extra_body(
            models.NewRtpRfpPaymentRequest.from_dict(body), self.extra_body, ARGUMENTS
        )


MEMBERS = declared(CreateRequest, Member)
"""The arguments of `create` that set members of its body, each with its `Member`."""
ARGUMENTS = {member.place: argument for argument, member in MEMBERS.items()}
"""The places of members in the body of `create`, each with the argument that sets it."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A `create` that was sent, whose values are compared with those of a record.

    Attributes:
        request: The arguments.
        attempts: The number of attempts.
        key: The idempotency key.
        extra_body: What the options of the client added to the body. The request has its own
            `extra_body`.
    """

    request: CreateRequest
    attempts: int
    key: str | None = None
    extra_body: ExtraBody | None = None

    def is_confirmed_by(self, record: ModelRecord) -> bool:
        """Whether a record is known to be of this payment: it repeats the reference, or for a
        payment without a reference the payee, the payer and the amount.

        A value of the record that cannot be read confirms nothing. Raises `Conflict`: the record
        has another value than was sent.
        """
        compared = self.comparisons(record)
        others = [argument for argument, is_like in compared.items() if is_like is Likeness.OTHER]
        if others:
            which = " and ".join(_other_value(record, argument) for argument in others)
            raise Conflict(
                f"The provider answered with payment request {one_line(record.value_at([ID]))}, "
                f"which has {which}: the idempotency key {self.key!r} seems to have been used for "
                "another payment, or the response is another's.",
                hint="Repeat with the same key and the same values, or look with get() and with "
                "payment_requests.find(client_reference_id, start_datetime=...). Take another key "
                "only when it is "
                "certain that this payment does not exist.",
                outcome=Outcome.UNKNOWN,
                idempotency_key=self.key,
                attempts=self.attempts,
            )
        has_reference = not says_nothing(self.request.client_reference_id)
        needed = {"client_reference_id"} if has_reference else SUBJECT
        return compared.keys() >= needed and Likeness.UNREADABLE not in compared.values()

    def unreadable(self, record: ModelRecord) -> list[str]:
        """The names of the values in a record that cannot be read."""
        compared = self.comparisons(record)
        return [name for name, is_like in compared.items() if is_like is Likeness.UNREADABLE]

    def comparisons(self, record: ModelRecord) -> dict[str, Likeness]:
        """What a record says of each value that was sent or left out, by name; the values of which
        it says nothing are not there.
        """
        compared: dict[str, Likeness] = {}
        for argument, member in MEMBERS.items():
            value = getattr(self.request, argument)
            sent = "" if value is None else member.meaning(value)
            received = _value_in_record(record, member.place)
            compared[argument] = comparing.likeness(member.compare, sent, received)
        if as_direction(record.value_at(["direction"])) is Direction.INBOUND:
            # A request that came in was created by somebody else.
            compared["direction"] = Likeness.OTHER
        for extra in (self.request.extra_body, self.extra_body):
            if extra and _contradicts(record, extra):
                compared["extra_body"] = Likeness.OTHER
        # Where something else than an object stands, the members of the object cannot be read.
        compared |= dict.fromkeys(cast("Any", record).not_objects(), Likeness.UNREADABLE)
        return {
            name: is_like for name, is_like in compared.items() if is_like is not Likeness.UNSAID
        }


SUBJECT = {"payee_account_number", "payer_counterparty_id", "amount"}
"""The arguments that say who pays whom, and how much. The response to a request without a
reference has to repeat them.
"""
_ORIGINAL_AMOUNT = ["payment_request", "payment_details", "original_amount"]


def _contradicts(record: ModelRecord, extra: ExtraBody) -> bool:
    """Whether a record has another value of an extra member, at its top or in the request."""
    whole = record.raw.to_dict()
    if comparing.differs(extra, whole):
        return True
    return comparing.differs(extra, whole.get("payment_request"))


def _value_in_record(record: ModelRecord, place: str) -> Any:
    """The value that a record has for the member at a place of the body of `create`, or None."""
    path = place if place == "client_reference_id" else f"payment_request.{place}"
    value = record.value_at(path.split("."))
    if place != MEMBERS["amount"].place or record.value_at(_ORIGINAL_AMOUNT) in (None, "", value):
        return value
    # The record is a `PaymentRequest` that was accepted with another amount.
    amounts = cast("Any", record).said_amounts()
    return amounts.original if amounts.unreadable is None else amounts.unreadable


def _other_value(record: ModelRecord, argument: str) -> str:
    """The value of an argument in a record, for a message that it is another value."""
    if argument not in MEMBERS:  # the direction, or extra_body
        return f"another {argument}"
    value = one_line(_value_in_record(record, MEMBERS[argument].place))
    if argument == "payee_account_number":
        value = mask(value)
    elif argument not in ("payer_counterparty_id", "amount", "client_reference_id", "due_date"):
        value = redact_excerpt(value)
    return f"the {argument} {value!r}"
