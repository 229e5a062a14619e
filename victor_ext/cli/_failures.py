"""Failures of commands: exit statuses and messages on standard error.

A command fails with `Misuse`, which `_app.py` reports, or with a `CommandFailure`: `failure_of`
makes it of the client's error, `broken_write_failure` of anything else that ends a write. Its
`Recovery` says how to find out what became of the write.
"""

from __future__ import annotations

import json
import shlex
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import victor_ext
from victor_ext._privacy import short_mask
from victor_ext._values.exit_status import FAILED, FOR_NOW, MISUSE, UNKNOWN
from victor_ext.cli._output import OutputLost

from ._screen import complain
from ._signals import signal_exit_status
from ._wording import CERTIFICATE, CREDENTIALS, in_options, option_of, sentence

if TYPE_CHECKING:
    from victor_ext import PaymentRequest, Problem, ResponseInfo, VictorError

_PROBLEMS_IN_MESSAGE = 10
"""Maximum number of problems that the client's message of an error lists."""
_EXCHANGE_FIELDS: Mapping[str, Any] = {
    "status_code": None,
    "attempts": 0,
    "request_id": None,
    "retry_after": None,
}
"""What the JSON of a failure has of an exchange with the provider, by its name there; the values
are those without an exchange.
"""
ONLY_READS = "This command only reads:"
"""The advice of a `Recovery` whose command changes nothing."""


class Misuse(Exception):
    """Invalid command line. The message explains the correction; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """How to find out, or to settle, what became of a write whose outcome is not known."""

    advice: str
    """What the `command` does, as the line above it."""
    command: Sequence[str]
    """Command that settles the outcome. With a `key` it repeats the write; else it only reads."""
    look: Sequence[str]
    """Command that shows the outcome and changes nothing."""
    key: str | None = None
    """The idempotency key of the write."""
    secret: str | None = None
    """Part of the command that logs must not show: an account number."""

    def command_line(self, *, in_full: bool) -> str:
        """Return the command in shell syntax, with the secret masked unless `in_full`."""
        hidden = None if in_full else self.secret
        return shlex.join(short_mask(word) if word == hidden else word for word in self.command)

    def lines(self, *, in_full: bool) -> list[str]:
        """Return the advice and the command. `in_full` is that of `command_line`."""
        lines = [self.advice, f"  {self.command_line(in_full=in_full)}"]
        if self.secret is not None and not in_full:
            lines.append(
                "  (Account numbers are masked in logs: write the full number where it is "
                "masked here.)"
            )
        return lines


@dataclass(frozen=True, slots=True)
class CommandFailure:
    """Why a command failed, with what became of a write, and what to do next."""

    kind: str
    """The `type` of the JSON: the name of the client's error, or a word such as `Misuse`."""
    message: str
    exit_status: int
    outcome: str | None = None
    """The outcome of the write; None: the command only reads, or did not come so far."""
    idempotency_key: str | None = None
    exchange: VictorError | ResponseInfo | None = None
    """What knows the exchange with the provider; None: there was no exchange."""
    problems: Sequence[Problem] = ()
    notes: Sequence[str] = ()
    """Sentences that follow the message, each on its line."""
    recovery: Recovery | None = None
    """None: the message says what to do."""
    option_names: Mapping[str, str] = field(default_factory=dict[str, str])
    """Option names by parameter."""
    details: Sequence[str] = ()
    """Lines that precede the message: a traceback."""

    def report(self, *, as_json: bool) -> None:
        """Print the failure on standard error, as one JSON document or as text."""
        if as_json:
            complain(json.dumps(self.as_dict()))
        else:
            complain("\n".join(self._lines()))

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON document, with account numbers in full."""
        error: dict[str, Any] = {
            "type": self.kind,
            "message": self.message,
            "outcome": self.outcome,
            "idempotency_key": self.idempotency_key,
        }
        for name, default in _EXCHANGE_FIELDS.items():
            error[name] = getattr(self.exchange, name, default)
        error["problems"] = [
            {
                "option": option_of(problem.field, self.option_names),
                "field": problem.field,
                "code": problem.code,
                "message": sentence(problem, self.option_names),
            }
            for problem in self.problems
        ]
        error["notes"] = list(self.notes)
        error["next_command"] = None
        if self.recovery is not None:
            error["next_command"] = self.recovery.command_line(in_full=True)
        return {"error": error, "exit_status": self.exit_status}

    def _lines(self) -> list[str]:
        """Return the text of the failure, as lines."""
        lines = [*self.details, f"Error: {self.message}", *self.notes]
        if self.outcome is not None:
            lines.append(f"Outcome: {self.outcome}")
        if self.idempotency_key is not None:
            lines.append(f"Idempotency key: {self.idempotency_key}")
        if self.recovery is not None:
            # A terminal may show an account number. Elsewhere, standard error is a log.
            lines += self.recovery.lines(in_full=sys.stderr.isatty())
        return lines


def exit_status_of(error: VictorError, *, wrote: bool, one_is_a_result: bool = False) -> int:
    """Return the exit status of a command that ends with an error of the client.

    Args:
        wrote: Whether the command writes, so that its outcome may be unknown.
        one_is_a_result: Whether 1 is a result of the command, as that of `reconcile` is if the
            books differ: no failure ends with it then.
    """
    # A local error may end the second attempt of a write, such as when its private key can no
    # longer be read: the first attempt may have been executed.
    if wrote and error.outcome in ("unknown", "accepted"):
        return UNKNOWN
    if isinstance(error, victor_ext.InvalidRequest | victor_ext.ConfigurationError):
        return MISUSE
    # The errors of bulk sending know what became of the rows.
    status_of_rows: int | None = getattr(error, "exit_status", None)
    if status_of_rows is not None:
        return status_of_rows
    is_of_caller = isinstance(error, victor_ext.AuthenticationError | victor_ext.PermissionDenied)
    if one_is_a_result and is_of_caller:
        return MISUSE  # to run the command again changes nothing
    return FOR_NOW if one_is_a_result or _is_transient(error) else FAILED


def _is_transient(error: VictorError) -> bool:
    """Whether nothing was executed, and the same command may succeed later."""
    if isinstance(error, victor_ext.RateLimited):
        return True
    # `rejected`: an attempt that was rejected and repeated all the same had a 429. A `ServerError`
    # after which nothing can have been executed comes from the token endpoint.
    transient_errors = (
        victor_ext.ConnectionFailed
        | victor_ext.TimedOut
        | victor_ext.ServerError
        | victor_ext.UnreadableResponse
    )
    return error.outcome in ("not_sent", "rejected") and isinstance(error, transient_errors)


def failure_of(
    error: VictorError,
    recovery: Recovery | None,
    option_names: Mapping[str, str],
    *,
    one_is_a_result: bool = False,
) -> CommandFailure:
    """Return the failure of a command that ends with an error of the client.

    Args:
        error: The error.
        recovery: What settles the write of the command; None: the command only reads, and its
            failure has no outcome.
        option_names: Option names by parameter.
        one_is_a_result: As for `exit_status_of`.
    """
    exit_status = exit_status_of(error, wrote=recovery is not None, one_is_a_result=one_is_a_result)
    is_misuse = exit_status == MISUSE
    is_local = is_misuse and error.response is None and len(error.problems) > 0
    if is_local:
        message = in_options(error.problems, option_names)
    else:
        message = f"{error.summary} {_next_step(error, recovery)}".rstrip()
    failure = CommandFailure(
        type(error).__name__,
        message,
        exit_status,
        exchange=error,
        problems=error.problems,
        notes=_notes(error, is_local=is_local),
        option_names=option_names,
    )
    if recovery is None:
        return failure
    key = None if is_misuse else error.idempotency_key or recovery.key
    helpful_recovery = None
    if exit_status == UNKNOWN:
        helpful_recovery = _recovery_after(error, recovery)
    return replace(
        failure, outcome=error.outcome.value, idempotency_key=key, recovery=helpful_recovery
    )


def _notes(error: VictorError, *, is_local: bool) -> list[str]:
    """Return what to add to the message of an error. One that `is_local` lists all problems."""
    notes: list[str] = [*getattr(error, "__notes__", ())]
    if isinstance(error, victor_ext.ConfigurationError) and "not set" in error.summary:
        notes.append(CREDENTIALS)
    # The class is compared by its name: a command that does not connect need not load `ssl`.
    reason = getattr(error.__cause__, "__cause__", None)
    if type(reason).__name__ == "SSLCertVerificationError":
        notes.append(CERTIFICATE)
    if not is_local and len(error.problems) > _PROBLEMS_IN_MESSAGE:
        notes.append("--json shows all problems.")
    return notes


def _next_step(error: VictorError, recovery: Recovery | None) -> str:
    """Return what to do next, in words of the command line, in place of the hint of an error;
    empty: there is no hint.
    """
    if not error.hint:
        return ""
    if recovery is None:
        is_late = isinstance(error, victor_ext.TimedOut)
        return "Try again, with a longer --timeout." if is_late else ""
    look = f"look with '{shlex.join(recovery.look)}'"
    key_option = None
    if error.idempotency_key is not None:
        key_option = shlex.join(["--idempotency-key", error.idempotency_key])
    is_conflict = _is_final_conflict(error)
    if is_conflict and error.outcome is victor_ext.Outcome.REJECTED:
        return f"{error.outcome.next_step(key_option, look)} To see the other answer, {look}."
    if _key_has_another_payment(error):
        return (
            f"Repeat it with the same values, or {look}. Take another key only when it is certain "
            "that this payment does not exist."
        )
    has_response = error.status_code is not None
    return error.outcome.next_step(
        key_option,
        look,
        conflict=is_conflict and has_response,
        is_blocked=error.intermediary is not None,
    )


def _recovery_after(error: VictorError, recovery: Recovery) -> Recovery | None:
    """Return how to settle a write after this error; None: the message of the error says it.

    After a conflict, a repeat would end the same: the command then only looks.
    """
    if _key_has_another_payment(error):
        return None
    if recovery.key is not None and _is_final_conflict(error):
        return replace(recovery, advice=ONLY_READS, command=recovery.look, secret=None)
    return recovery


def _is_final_conflict(error: VictorError) -> bool:
    """Whether an error is a conflict that does not end by itself, as one does whose first call is
    still in progress.
    """
    return isinstance(error, victor_ext.Conflict) and not error.in_progress


def _key_has_another_payment(error: VictorError) -> bool:
    """Whether the provider's response to a create has another payment, which had the same key.

    The client found that by comparing: a conflict that the provider reports has a status. A repeat
    with the same key settles nothing.
    """
    has_key = error.idempotency_key is not None
    return has_key and isinstance(error, victor_ext.Conflict) and error.status_code is None


def broken_write_failure(
    error: BaseException, recovery: Recovery, result: PaymentRequest | None = None
) -> CommandFailure:
    """Return the failure of a command that writes, and ended with no error of the client, such as
    Ctrl-C. A program must not take it for a rejection.

    `result` is what the provider returned; None: that was not read.
    """
    exchange = None if result is None else result.response_info
    failure = CommandFailure(
        type(error).__name__,
        f"Unexpected error: {error}. The provider may have executed it.",
        UNKNOWN,
        outcome="unknown",
        idempotency_key=recovery.key,
        exchange=exchange,
        recovery=recovery,
    )
    match error:
        case KeyboardInterrupt():
            message = "Interrupted before the response arrived. The provider may have executed it."
            status = signal_exit_status(error)
            return replace(failure, kind="Interrupted", message=message, exit_status=status)
        case OutputLost():
            write = "it" if result is None else f"it (payment request {result.id})"
            message = (
                f"The provider executed {write}, but the result could not be written: {error}."
            )
            return replace(failure, kind="OutputLost", message=message, outcome="accepted")
        case _:
            text = "".join(traceback.format_exception(error))
            return replace(failure, details=text.splitlines())
