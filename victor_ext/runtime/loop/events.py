"""The events of a client's calls, for `on_event`.

Events hold no body, no token and no header; a path may hold the id of a payment. A listener runs in the thread or task
of the call: keep it short. What it raises is logged, and does not change the result of the call.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from victor_ext.errors import Outcome
from victor_ext.redaction import redact_excerpt

logger = logging.getLogger(__name__)

_FRAMES = 5
"""The most frames of a listener's exception that are logged, the innermost ones."""


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """A request is about to be sent."""

    method: str
    path: str
    attempt: int
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """A request has a response, or has failed.

    `status_code` is None without a response; `error` is then the kind of failure, such as `ReadTimeout`.
    `seconds` is how long the attempt took.
    """

    method: str
    path: str
    attempt: int
    idempotency_key: str | None
    status_code: int | None
    error: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class RetryScheduled:
    """The call will be repeated after `wait` seconds, because of `reason`."""

    method: str
    path: str
    attempt: int
    idempotency_key: str | None
    wait: float
    reason: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The whole call has ended after `seconds`. `outcome` is None if it succeeded."""

    method: str
    path: str
    attempts: int
    idempotency_key: str | None
    outcome: Outcome | None
    seconds: float


Event = AttemptStarted | AttemptEnded | RetryScheduled | CallEnded
OnEvent = Callable[[Event], None]


class Reporter:
    """Calls a listener with the events of one client."""

    def __init__(self, on_event: OnEvent) -> None:
        self._on_event = on_event

    def _report(self, event: Event) -> None:
        try:
            self._on_event(event)
        except Exception as error:  # noqa: BLE001 - a listener's failure is not the call's
            _log(error, event)

    def attempt_started(self, request: httpx.Request, attempt: int, key: str | None) -> None:
        """Report `AttemptStarted`."""
        self._report(AttemptStarted(request.method, request.url.path, attempt, key))

    def attempt_ended(
        self,
        request: httpx.Request,
        attempt: int,
        key: str | None,
        *,
        status: int | None,
        error: str | None,
        seconds: float,
    ) -> None:
        """Report `AttemptEnded`."""
        self._report(AttemptEnded(request.method, request.url.path, attempt, key, status, error, seconds))

    def retry_scheduled(
        self, request: httpx.Request, attempt: int, key: str | None, *, wait: float, reason: str
    ) -> None:
        """Report `RetryScheduled`."""
        self._report(RetryScheduled(request.method, request.url.path, attempt, key, wait, reason))

    def call_ended(
        self, request: httpx.Request, attempts: int, key: str | None, *, outcome: Outcome | None, seconds: float
    ) -> None:
        """Report `CallEnded`."""
        self._report(CallEnded(request.method, request.url.path, attempts, key, outcome, seconds))


def _log(error: Exception, event: Event) -> None:
    """Log what a listener raised, and where; no source lines, no causes, and no long number in its text."""
    try:
        said = redact_excerpt(str(error))
    except Exception:  # noqa: BLE001 - the listener's code makes the text too
        said = ""
    frames = traceback.extract_tb(error.__traceback__, -_FRAMES)
    where = " > ".join(f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
    logger.error(
        "on_event raised %s: %s (at %s) for %s of %s %s; the call continues",
        type(error).__name__,
        said,
        where,
        type(event).__name__,
        event.method,
        redact_excerpt(event.path),
    )
