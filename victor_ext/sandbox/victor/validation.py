"""The rules of a create that the document's schemas do not say, and the provider's words for what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal

from victor_ext.sandbox.server.context import Clock
from victor_ext.sandbox.server.exchange import Call
from victor_ext.sandbox.server.operations import JsonObject, JsonValue
from victor_ext.sandbox.victor.document import Violation
from victor_ext.sandbox.victor.settings import SandboxSettings, read_zone
from victor_ext.sandbox.victor.state import Directory

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_SIZES = ("minLength", "maxLength")
_WESTERNMOST = timezone(timedelta(hours=-12))
_EASTERNMOST = timezone(timedelta(hours=14))
_FURTHEST = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a request."""

    path: tuple[str, ...]
    kind: str
    """A word of the provider's catalogue, such as `blank`, `size` or `invalid`."""
    message: str
    rule: str = ""


def from_violations(violations: Iterable[Violation]) -> list[Problem]:
    """Violations of the document as problems."""
    return [_from_violation(violation) for violation in violations]


def _from_violation(violation: Violation) -> Problem:
    if violation.empty:
        return Problem(violation.path, "blank", "must not be blank", violation.rule)
    if violation.rule in _SIZES:
        return Problem(violation.path, "size", "has a wrong length", violation.rule)
    return Problem(violation.path, "invalid", f"breaks the rule '{violation.rule}' of the document", violation.rule)


def json_body(call: Call) -> tuple[JsonValue, Problem | None]:
    """The JSON body of a call, or the problem of a body that is not JSON."""
    if call.content_type != "application/json":
        return None, Problem(("body",), "invalid", "Content-Type must be application/json")
    try:
        body = json.loads(call.body.decode("utf-8"), parse_constant=_no_constant)
        # Half of a surrogate pair is not text: it could be neither stored nor sent back.
        json.dumps(body, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        return None, Problem(("body",), "invalid", "is not JSON")
    return body, None


def _no_constant(name: str) -> JsonValue:
    raise ValueError(f"{name} is not JSON")


def read_date(text: str) -> date | None:
    """The date in `YYYY-MM-DD`, or None."""
    if not _DATE.match(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


class DueDates:
    """The accepted due dates, by the business clock: from today until 24 hours from now.

    The provider does not say in which time zone. Without a zone, a date that is right anywhere on earth is accepted.
    With one, only its days count, so that a caller can meet the refusal that the provider may give.
    """

    def __init__(self, clock: Clock, zone: str | None) -> None:
        self._clock = clock
        own = None if zone is None else read_zone(zone)
        self._west: tzinfo = own or _WESTERNMOST
        self._east: tzinfo = own or _EASTERNMOST

    def earliest(self) -> date:
        """Today, in the zone where the date is earliest."""
        return self._now().astimezone(self._west).date()

    def tomorrow(self) -> date:
        """The day after `earliest`."""
        return self.earliest() + timedelta(days=1)

    def latest(self) -> date:
        """The date 24 hours from now, in the zone where it is latest."""
        return (self._now() + _FURTHEST).astimezone(self._east).date()

    def end_of(self, day: date) -> float:
        """Epoch seconds at which a day is over in every zone that counts."""
        following = day + timedelta(days=1)
        return datetime(following.year, following.month, following.day, tzinfo=self._west).timestamp()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)


class CreateRules:
    """The rules of a create that are prose in the document, or depend on the accounts."""

    def __init__(self, settings: SandboxSettings, due_dates: DueDates, directory: Directory) -> None:
        self._strict = settings.strict_accounts
        self._due_dates = due_dates
        self._directory = directory

    def problems(self, body: JsonObject, *, from_outside: bool = False) -> list[Problem]:
        """The problems of a body that conforms to the schema.

        A request `from_outside` may have any due date, and neither of its accounts need be known here.
        """
        payee, details = body["payee"], body["payment_details"]
        problems: list[Problem] = []
        if Decimal(details["amount"]) <= 0:
            problems.append(Problem(("payment_details", "amount"), "invalid", "must be above zero"))
        if "ultimate_creditor" in payee and details["biller_type"] != "BUSINESS":
            path = ("payee", "ultimate_creditor")
            problems.append(Problem(path, "invalid", "may be set only when biller_type is BUSINESS"))
        wrong = None if from_outside else self._due_date(details["due_date"])
        if wrong:
            problems.append(Problem(("payment_details", "due_date"), "invalid", wrong))
        if self._strict and not from_outside:
            problems.extend(self._unknown(payee["account_number"], body["payer"]["victor_counterparty_id"]))
        return problems

    def _due_date(self, text: str) -> str | None:
        due = read_date(text)
        if due is None:
            return "must be a date, YYYY-MM-DD"
        if due < self._due_dates.earliest():
            return "must not be in the past"
        if due > self._due_dates.latest():
            return "must not be more than 24 hours ahead"
        return None

    def _unknown(self, account: str, counterparty: str) -> list[Problem]:
        problems: list[Problem] = []
        if account not in self._directory.accounts:
            problems.append(Problem(("payee", "account_number"), "invalid", "is not an account of the caller"))
        if counterparty not in self._directory.counterparties:
            path = ("payer", "victor_counterparty_id")
            problems.append(Problem(path, "invalid", "is not a counterparty of the caller"))
        return problems
