"""What a client tells about its calls, to whoever asks with `on_event`.

Events hold no body, no token and no header; a path may hold the id of a payment. A callback runs in the
thread or task of the call: keep it short. What it raises is raised from the call as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import httpx

from .flow import Flow
from .outcome import Outcome


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """One request is about to leave."""

    method: str
    path: str
    attempt: int
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """One request has been answered, or has failed.

    `status_code` is None when no answer came; `error` is then the kind of failure, such as `ReadTimeout`.
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
    """The call will be tried again after `wait` seconds, because of `reason`."""

    method: str
    path: str
    attempt: int
    idempotency_key: str | None
    wait: float
    reason: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call as a whole is over; `outcome` is None when it succeeded."""

    method: str
    path: str
    attempts: int
    idempotency_key: str | None
    outcome: Outcome | None
    seconds: float


Event = AttemptStarted | AttemptEnded | RetryScheduled | CallEnded
OnEvent = Callable[[Event], None]
T = TypeVar("T")


class CallbackRaised(Exception):
    """Carries what a callback raised to the end of the call, past everything that deals with errors on the way."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class Reporter:
    """Tells a callback about one client's calls. What the callback raises is raised as a `CallbackRaised`."""

    def __init__(self, on_event: OnEvent) -> None:
        self._on_event = on_event

    def _tell(self, event: Event) -> None:
        try:
            self._on_event(event)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the caller's, and not for us to deal with
            theirs = error
        else:
            return
        raise CallbackRaised(theirs)

    def attempt_started(self, request: httpx.Request, attempt: int, key: str | None) -> None:
        """One request is about to leave."""
        self._tell(AttemptStarted(request.method, request.url.path, attempt, key))

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
        """One request has been answered, or has failed."""
        self._tell(AttemptEnded(request.method, request.url.path, attempt, key, status, error, seconds))

    def retry_scheduled(
        self, request: httpx.Request, attempt: int, key: str | None, *, wait: float, reason: str
    ) -> None:
        """The call will be tried again."""
        self._tell(RetryScheduled(request.method, request.url.path, attempt, key, wait, reason))

    def call_ended(
        self, request: httpx.Request, attempts: int, key: str | None, *, outcome: Outcome | None, seconds: float
    ) -> None:
        """The call as a whole is over."""
        self._tell(CallEnded(request.method, request.url.path, attempts, key, outcome, seconds))

    @staticmethod
    def raising_theirs(flow: Flow[T]) -> Flow[T]:
        """The same flow; what a callback raised in it is raised as it is."""
        try:
            return (yield from flow)
        except CallbackRaised as raised:
            theirs = raised.error
        raise theirs
