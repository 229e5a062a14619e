"""Failures of commands: exit statuses and messages on standard error."""

from __future__ import annotations

import json
import shlex
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

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
_OF_EXCHANGE: Mapping[str, Any] = {
    "status_code": None,
    "attempts": 0,
    "request_id": None,
    "retry_after": None,
}
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

    def lines(self, *, in_full: bool) -> list[str]:
        """Return the advice and the command."""
        lines = [self.advice, f"  {self.line(in_full=in_full)}"]
        if self.secret is not None and not in_full:
            lines.append(
                "  (Account numbers are masked in logs: write the full number where it is "
                "masked here.)"
            )
        return lines


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
        error: dict[str, Any] = {
            "type": self.kind,
            "message": self.message,
            "outcome": self.outcome,
            "idempotency_key": self.idempotency_key,
        }
        for name, default in _OF_EXCHANGE.items():
            error[name] = getattr(self.exchange, name, default)
        error["problems"] = [self._problem_as_dict(problem) for problem in self.problems]
        error["notes"] = list(self.notes)
        error["next_command"] = None if self.doubt is None else self.doubt.line(in_full=True)
        return {"error": error, "exit_status": self.exit_status}

    def _problem_as_dict(self, problem: Problem) -> dict[str, Any]:
        return {
            "option": spelling_of(problem.field, self.spelled),
            "field": problem.field,
            "code": problem.code,
            "message": sentence(problem, self.spelled),
        }

    def _lines(self) -> list[str]:
        lines = [*self.details, f"Error: {self.message}", *self.notes]
        if self.outcome is not None:
            lines.append(f"Outcome: {self.outcome}")
        if self.idempotency_key is not None:
            lines.append(f"Idempotency key: {self.idempotency_key}")
        if self.doubt is not None:
            lines += self.doubt.lines(in_full=sys.stderr.isatty())
        return lines


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
    return FOR_NOW if _may_pass(error) else failed


def _may_pass(error: VictorError) -> bool:
    """Whether nothing was executed, and the same command may succeed later."""
    if isinstance(error, victor_ext.RateLimited):
        return True
    # An attempt that was rejected and repeated all the same had a 429. A server error after which
    # nothing can have been executed comes from the token endpoint.
    passing = (
        victor_ext.ConnectionFailed
        | victor_ext.TimedOut
        | victor_ext.ServerError
        | victor_ext.UnreadableResponse
    )
    return error.outcome in ("not_sent", "rejected") and isinstance(error, passing)


def victor_failure(
    error: VictorError, doubt: Doubt | None, spelled: Mapping[str, str], failed: int = FAILED
) -> Failure:
    """Return the failure for a client error. Without `doubt` (a read), it has no outcome."""
    exit_status = exit_status_of(error, wrote=doubt is not None, failed=failed)
    is_misuse = exit_status == MISUSE
    is_local = is_misuse and len(error.problems) > 0
    if is_local:
        message = in_options(error.problems, spelled)
    else:
        message = f"{error.summary} {_next_step(error, doubt)}".rstrip()
    failure = Failure(
        type(error).__name__,
        message,
        exit_status,
        exchange=error,
        problems=error.problems,
        notes=_notes(error, is_local=is_local),
        spelled=spelled,
    )
    if doubt is None:
        return failure
    key = None if is_misuse else error.idempotency_key or doubt.key
    settling = _settling(error, doubt) if exit_status == UNKNOWN else None
    return replace(failure, outcome=error.outcome.value, idempotency_key=key, doubt=settling)


def _notes(error: VictorError, *, is_local: bool) -> list[str]:
    notes: list[str] = [*getattr(error, "__notes__", ())]
    if isinstance(error, victor_ext.ConfigurationError) and "not set" in error.summary:
        notes.append(CREDENTIALS)
    # By name: `ssl` is loaded by whoever connects.
    reason = getattr(error.__cause__, "__cause__", None)
    if type(reason).__name__ == "SSLCertVerificationError":
        notes.append(CERTIFICATE)
    if not is_local and len(error.problems) > _LISTED:
        notes.append("--json shows all problems.")
    return notes


def _next_step(error: VictorError, doubt: Doubt | None) -> str:
    if not error.hint:
        return ""
    if doubt is None:
        is_late = isinstance(error, victor_ext.TimedOut)
        return "Try again, with a longer --timeout." if is_late else ""
    look = f"look with '{shlex.join(doubt.look)}'"
    option = None
    if error.idempotency_key is not None:
        option = shlex.join(["--idempotency-key", error.idempotency_key])
    is_conflict = _is_final_conflict(error)
    if is_conflict and error.outcome is victor_ext.Outcome.REJECTED:
        return f"{error.outcome.next_step(option, look)} To see the other answer, {look}."
    if _is_of_another_payment(error):
        return (
            f"Repeat it with the same values, or {look}. Take another key only when it is certain "
            "that this payment does not exist."
        )
    was_answered = error.status_code is not None
    return error.outcome.next_step(option, look, conflict=is_conflict and was_answered)


def _settling(error: VictorError, doubt: Doubt) -> Doubt | None:
    """Return how to resolve it, or None if only the message says.

    After a conflict, a repeat would end the same.
    """
    if _is_of_another_payment(error):
        return None
    if doubt.key is not None and _is_final_conflict(error):
        return replace(doubt, advice=ONLY_READS, command=doubt.look, secret=None)
    return doubt


def _is_final_conflict(error: VictorError) -> bool:
    return isinstance(error, victor_ext.Conflict) and not error.in_progress


def _is_of_another_payment(error: VictorError) -> bool:
    """Whether the key returned the request of another payment.

    Repeating the call then settles nothing.
    """
    has_key = error.idempotency_key is not None
    return has_key and isinstance(error, victor_ext.Conflict) and error.status_code is None


def broken_off(error: BaseException, doubt: Doubt, result: PaymentRequest | None = None) -> Failure:
    """Return the failure for a write that ended otherwise than by the client. It must not look like
    a rejection.

    `result` is what the provider returned, if that was read.
    """
    exchange = None if result is None else result.response_info
    failure = Failure(
        type(error).__name__,
        f"Unexpected error: {error}. The provider may have executed it.",
        UNKNOWN,
        outcome="unknown",
        idempotency_key=doubt.key,
        exchange=exchange,
        doubt=doubt,
    )
    match error:
        case KeyboardInterrupt():
            message = "Interrupted before the response arrived. The provider may have executed it."
            status = status_of(error)
            return replace(failure, kind="Interrupted", message=message, exit_status=status)
        case OutputLost():
            what = "it" if result is None else f"it (payment request {result.id})"
            message = f"The provider executed {what}, but the result could not be written: {error}."
            return replace(failure, kind="OutputLost", message=message, outcome="accepted")
        case _:
            trace = "".join(traceback.format_exception(error))
            return replace(failure, details=trace.splitlines())
