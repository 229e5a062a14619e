"""The provider's rules for requests, checked before anything is sent.

Source: `openapi/victor.yaml`; a test compares every limit with it. Patterns must match the whole text, in ASCII.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any, Final, NamedTuple, cast

from victor_api import models

from victor_ext import money
from victor_ext.errors import InvalidRequest, Problem
from victor_ext.privacy import kind_of
from victor_ext.runtime.core import validation
from victor_ext.runtime.core.validation import is_encodable
from victor_ext.words import Word


class TextRule(NamedTuple):
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
            least, most = self.min_length, self.max_length
            lengths = f"at least {least}" if most is None else f"{least} to {most}" if least else f"at most {most}"
            return Problem(name, "length", f"{name} has {len(value)} characters and must have {lengths}.")
        if self.pattern is not None and not re.fullmatch(self.pattern, value):
            return Problem(name, "format", f"{name} must be {self.pattern_hint}.")
        return unicode_problem(name, value)


class ChoiceRule(NamedTuple):
    """The choices of an enumerated value: those of the enum that is generated from the document."""

    argument: str
    enum: type[StrEnum]
    choices: tuple[str, ...]

    @classmethod
    def of(cls, argument: str, enum: type[StrEnum]) -> ChoiceRule:
        """The rule of an argument with the words of this enum."""
        return cls(argument, enum, tuple(member.value for member in enum))

    def problem(self, value: object) -> Problem | None:
        """Return the problem of the value, or None. A `Word` is only checked for being a word."""
        if isinstance(value, Word):
            if value.strip() and value.isprintable():
                return unicode_problem(self.argument, value)
            return Problem(self.argument, "choice", f"{self.argument} is {shown(value)}, which is not a word.")
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
RESPONSE_NOTES = TextRule("notes", "RfpInboundPaymentRequestResponseRequestDetails", "notes", 1, 150)
BILLER_TYPE = ChoiceRule.of("biller_type", models.RfpBasePaymentDetailsBillerType)
STATUS = ChoiceRule.of("status", models.ListPaymentRequestsStatus)
DIRECTION = ChoiceRule.of("direction", models.ListPaymentRequestsDirection)
NETWORK = ChoiceRule.of("network_type", models.ListPaymentRequestsNetworkType)

TEXT_RULES = (ACCOUNT_NUMBER, ULTIMATE_CREDITOR, COUNTERPARTY, NOTES, REFERENCE, RESPONSE_NOTES)

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
    return validation.shown(spelled(value))


def unicode_problem(argument: str, text: str) -> Problem | None:
    """Return the problem of a text that cannot be encoded in UTF-8, or None."""
    if is_encodable(text):
        return None
    message = f"{argument} holds half of a character (a lone surrogate): pass the text as it was before it was cut."
    return Problem(argument, "characters", message)


def id_problem(argument: str, value: object) -> Problem | None:
    """Return the problem of an id for a URL path, or None. An id must not change the rest of the path."""
    if not isinstance(value, str):
        return Problem(argument, "type", f"{argument} must be text, not {type(value).__name__}.")
    if not value:
        return Problem(argument, "required", f"{argument} is empty: give the id of a payment request.")
    if _ID_FORBIDDEN.search(value) or not value.isprintable():
        message = (
            f"{argument} is {shown(value)}: an id has no slash, space, line break, '?', '#' or '%', nor dots alone."
        )
        return Problem(argument, "format", message)
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


def date_problem(argument: str, value: object) -> Problem | None:
    """Return the problem of a value that is not a date, or None."""
    if as_date(value) is not None:
        return None
    what = "a datetime" if isinstance(value, datetime) else shown(value)
    hint = "pass a date, such as date(2026, 3, 4)"
    return Problem(argument, "type", f"{argument} is {what} and must be a date.", hint=hint)


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


RESPONSE_ARGUMENTS = {"status": "accept or decline", "notes": "notes", "modified_amount": "modified_amount"}
"""The members of the body of `accept` and `decline`, each with what sets it."""


def check_id(request_id: object) -> None:
    """Check an id for a URL path. Raises `InvalidRequest`."""
    validation = Validation()
    validation.add(id_problem("id", request_id))
    validation.finish("The call")
