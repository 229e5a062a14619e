"""What a client tells about its calls, to whoever asks with `on_event`.

Events hold no body, no token and no header; a path may hold the id of a payment. A callback runs in the
thread or task of the call: keep it short. What it raises is raised from the call as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
