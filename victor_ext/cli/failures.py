"""Failures of commands: exit statuses and messages on standard error."""

from __future__ import annotations

import json
import shlex
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import typer

import victor_ext
from victor_ext._exit_status import FAILED, FOR_NOW, MISUSE, UNKNOWN
from victor_ext._output import OutputLost
from victor_ext.privacy import short_mask

from .screen import complain
from .signals import status_of
from .wording import CERTIFICATE, CREDENTIALS, in_options, sentence, spelling_of

if TYPE_CHECKING:
    from victor_ext import PaymentRequest, Problem, ResponseInfo, VictorError

_LISTED = 10
"""Maximum number of problems in a client message."""
_OF_EXCHANGE = {"status_code": None, "attempts": 0, "request_id": None, "retry_after": None}
"""What the JSON of a failure has of an exchange with the provider; and what it has without one."""
ONLY_READS = "This command only reads:"


class Misuse(Exception):
    """Invalid command line. The message explains the correction; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """How to resolve a command that may have taken effect."""

    advice: str
    command: Sequence[str]
    """Command that settles the outcome: with `key`, the idempotency key, it repeats the write."""
    look: Sequence[str]
    """Command that shows the outcome and changes nothing."""
    key: str | None = None
    secret: str | None = None
    """Part of the command that logs must not show: an account number."""

    def line(self, *, in_full: bool) -> str:
        """Return the command in shell syntax, with the secret masked unless `in_full`."""
        hidden = None if in_full else self.secret
        return shlex.join(short_mask(word) if word == hidden else word for word in self.command)


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure of a command and its outcome."""

    kind: str
    message: str
    exit_status: int
    outcome: str | None = None
    idempotency_key: str | None = None
    exchange: VictorError | ResponseInfo | None = None
    problems: Sequence[Problem] = ()
    notes: Sequence[str] = ()
    doubt: Doubt | None = None
    spelled: Mapping[str, str] = field(default_factory=dict[str, str])
    """Option names by parameter."""
    details: Sequence[str] = ()  # a traceback

    def report(self, *, as_json: bool) -> None:
        """Print the failure on standard error, as one JSON document or as text."""
        complain(json.dumps(self.as_dict()) if as_json else "\n".join(self._lines()))

    def as_dict(self) -> dict[str, Any]:
        problems = [
            {
                "option": spelling_of(problem.field, self.spelled),
                "field": problem.field,
                "code": problem.code,
                "message": sentence(problem, self.spelled),
            }
            for problem in self.problems
        ]
        error = {
            "type": self.kind,
            "message": self.message,
            "outcome": self.outcome,
            "idempotency_key": self.idempotency_key,
            **{
                name: getattr(self.exchange, name, default)
                for name, default in _OF_EXCHANGE.items()
            },
            "problems": problems,
            "notes": list(self.notes),
            "next_command": None if self.doubt is None else self.doubt.line(in_full=True),
        }
        return {"error": error, "exit_status": self.exit_status}

    def _lines(self) -> list[str]:
        lines = [*self.details, f"Error: {self.message}", *self.notes]
        for name, value in (("Outcome", self.outcome), ("Idempotency key", self.idempotency_key)):
            if value is not None:
                lines.append(f"{name}: {value}")
        if self.doubt is not None:
            in_full = sys.stderr.isatty()
            lines += [self.doubt.advice, f"  {self.doubt.line(in_full=in_full)}"]
            if not in_full and self.doubt.secret is not None:
                lines.append(
                    "  (Account numbers are masked in logs: write the full number where it is "
                    "masked here.)"
                )
        return lines


USAGE_ERROR: Any = typer.BadParameter.__bases__[0]
"""typer exports no public name for it."""


def exit_status_of(error: VictorError, *, wrote: bool, failed: int = FAILED) -> int:
    """Return the exit status of a command that ends with an error, and may have changed something
    if it `wrote`.

    `failed` is that of another failure: `FOR_NOW` where 1 says what was read, and nothing could be.
    """
    # It may also be the second attempt for which a key could not be read.
    if wrote and error.outcome in ("unknown", "accepted"):
        return UNKNOWN
    if isinstance(error, victor_ext.InvalidRequest | victor_ext.ConfigurationError):
        return MISUSE
    # The errors of bulk sending know what became of the rows.
    own: int | None = getattr(error, "exit_status", None)
    if own is not None:
        return own
    # An attempt that was rejected and repeated all the same had a 429. A server error after which
    # nothing can have been executed comes from the token endpoint.
    passing = (
        victor_ext.ConnectionFailed
        | victor_ext.TimedOut
        | victor_ext.ServerError
        | victor_ext.UnreadableResponse
    )
    may_pass = error.outcome in ("not_sent", "rejected") and isinstance(error, passing)
    return FOR_NOW if may_pass or isinstance(error, victor_ext.RateLimited) else failed


def victor_failure(
    error: VictorError, doubt: Doubt | None, spelled: Mapping[str, str], failed: int = FAILED
) -> Failure:
    """Return the failure for a client error. Without `doubt` (a read), it has no outcome."""
    exit_status = exit_status_of(error, wrote=doubt is not None, failed=failed)
    misuse, unsettled = exit_status == MISUSE, exit_status == UNKNOWN
    local = misuse and len(error.problems) > 0
    notes: list[str] = [*getattr(error, "__notes__", ())]
    if isinstance(error, victor_ext.ConfigurationError) and "not set" in error.summary:
        notes.append(CREDENTIALS)
    # By name: `ssl` is loaded by whoever connects.
    if type(getattr(error.__cause__, "__cause__", None)).__name__ == "SSLCertVerificationError":
        notes.append(CERTIFICATE)
    if not local and len(error.problems) > _LISTED:
        notes.append("--json shows all problems.")
    message = (
        in_options(error.problems, spelled)
        if local
        else f"{error.summary} {_next_step(error, doubt)}".rstrip()
    )
    outcome = None if doubt is None else error.outcome.value
    key = None if doubt is None or misuse else error.idempotency_key or doubt.key
    settling = _settling(error, doubt) if unsettled else None
    return Failure(
        type(error).__name__,
        message,
        exit_status,
        outcome,
        key,
        error,
        error.problems,
        notes,
        settling,
        spelled,
    )


def _next_step(error: VictorError, doubt: Doubt | None) -> str:
    if doubt is None or not error.hint:
        return (
            "Try again, with a longer --timeout."
            if isinstance(error, victor_ext.TimedOut) and error.hint
            else ""
        )
    look = f"look with '{shlex.join(doubt.look)}'"
    option = (
        None
        if error.idempotency_key is None
        else shlex.join(["--idempotency-key", error.idempotency_key])
    )
    conflict = isinstance(error, victor_ext.Conflict) and not error.in_progress
    if conflict and error.outcome is victor_ext.Outcome.REJECTED:
        return f"{error.outcome.next_step(option, look)} To see the other answer, {look}."
    if _is_of_another_payment(error):
        return (
            f"Repeat it with the same values, or {look}. Take another key only when it is certain "
            "that this payment does not exist."
        )
    return error.outcome.next_step(
        option, look, conflict=conflict and error.status_code is not None
    )


def _settling(error: VictorError, doubt: Doubt | None) -> Doubt | None:
    """Return how to resolve it, or None if only the message says.

    After a conflict, a repeat would end the same.
    """
    if doubt is None or _is_of_another_payment(error):
        return None
    if doubt.key is not None and isinstance(error, victor_ext.Conflict) and not error.in_progress:
        return replace(doubt, advice=ONLY_READS, command=doubt.look, secret=None)
    return doubt


def _is_of_another_payment(error: VictorError) -> bool:
    """Whether the key returned the request of another payment.

    Repeating the call then settles nothing.
    """
    return (
        error.idempotency_key is not None
        and isinstance(error, victor_ext.Conflict)
        and error.status_code is None
    )


def broken_off(error: BaseException, doubt: Doubt, made: PaymentRequest | None = None) -> Failure:
    """Return the failure for a write that ended otherwise than by the client. It must not look like
    a rejection.

    `made` is what the provider returned, if that was read.
    """
    outcome, details = "unknown", list[str]()
    match error:
        case KeyboardInterrupt():
            kind, message = (
                "Interrupted",
                "Interrupted before the response arrived. The provider may have executed it.",
            )
            exit_status = status_of(error)
        case OutputLost():
            kind, outcome, exit_status = "OutputLost", "accepted", UNKNOWN
            what = "it" if made is None else f"it (payment request {made.id})"
            message = f"The provider executed {what}, but the result could not be written: {error}."
        case _:
            kind, exit_status = type(error).__name__, UNKNOWN
            message = f"Unexpected error: {error}. The provider may have executed it."
            details = "".join(traceback.format_exception(error)).splitlines()
    exchange = None if made is None else made.response_info
    return Failure(
        kind, message, exit_status, outcome, doubt.key, exchange, doubt=doubt, details=details
    )
