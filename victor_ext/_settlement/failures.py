"""What a failed call says of other calls, those of this payment and those of all payments: whether
they would fail, too (`failure_scope`, `RefusalStreak`), and how long they wait (`pause_after`,
`Backoff`).
"""

import time
from collections.abc import Callable
from enum import Enum, auto

from victor_ext import (
    AuthenticationError,
    BadRequest,
    ConfigurationError,
    Conflict,
    InvalidRequest,
    NotFound,
    Outcome,
    PermissionDenied,
    RateLimited,
    StatusError,
    VictorError,
)
from victor_ext.errors import TRANSIENT_STATUSES


class FailureScope(Enum):
    """Where the cause of a failed call lies."""

    PAYMENT = auto()  # in the values or the key of this payment
    CLIENT = auto()  # in the client, such as its credentials: it can send nothing
    EITHER = auto()  # in the client or in this payment: the response does not tell
    INTERMEDIARY = auto()  # in somebody in front of the provider, who says nothing of either
    PROVIDER = auto()  # in the provider, or in the connection to it


def failure_scope(error: VictorError) -> FailureScope:
    """Where the cause of an error lies, as far as its type and its author tell."""
    if _is_of_intermediary(error):
        return FailureScope.INTERMEDIARY
    if isinstance(error, BadRequest | Conflict | InvalidRequest):
        return FailureScope.PAYMENT
    if isinstance(error, AuthenticationError | ConfigurationError):
        return FailureScope.CLIENT
    is_rejected = isinstance(error, StatusError) and error.outcome is Outcome.REJECTED
    if is_rejected and not isinstance(error, RateLimited):
        return FailureScope.EITHER
    return FailureScope.PROVIDER


def _is_of_intermediary(error: VictorError) -> bool:
    """Whether somebody in front of the provider wrote an error that has no meaning of its own: what
    is temporary, too many requests and a 401 mean the same whoever writes them.
    """
    if error.intermediary is None or isinstance(error, AuthenticationError | RateLimited):
        return False
    return error.status_code not in TRANSIENT_STATUSES


def is_about_all(error: VictorError) -> bool:
    """Whether an error concerns all payments: calls of others would fail, too."""
    return failure_scope(error) in (FailureScope.CLIENT, FailureScope.PROVIDER) and not isinstance(
        error, NotFound
    )


def is_refusal(error: VictorError) -> bool:
    """Whether an error refuses a call for good: the same call would be refused later, too.

    A 401, 403 or 429 is no such refusal.
    """
    if isinstance(error, PermissionDenied) or failure_scope(error) not in (
        FailureScope.PAYMENT,
        FailureScope.EITHER,
    ):
        return False
    return error.outcome in (Outcome.REJECTED, Outcome.NOT_SENT)


def is_taken(error: VictorError | None) -> bool:
    """Whether the end of a call shows that the provider takes calls of this client, whatever it
    says of the payment. None: the call was done.
    """
    if error is None:
        return True
    is_of_payment = failure_scope(error) is FailureScope.PAYMENT
    return is_of_payment and not isinstance(error, InvalidRequest)


_MOST_REFUSED = 10
_MAY_BE_OF_CLIENT = (FailureScope.EITHER, FailureScope.INTERMEDIARY)


class RefusalStreak:
    """How many payments were refused one after the other, maybe for the client and not for the
    payment: a 404 may come from a wrong address. Those count, too, to which somebody in front of
    the provider responded.

    Ten of them mean the client: nothing more is sent, and they wait. A call that the provider takes
    ends the streak.

    Attributes:
        is_of_client: Whether there were ten, and the provider has taken no call since.
        error: What ends this pass: the error of the tenth, or one of too many requests, whoever
            wrote it; None: nothing does.
    """

    def __init__(self) -> None:
        self._length = 0
        self.is_of_client = False
        self.error: VictorError | None = None

    @property
    def is_undecided(self) -> bool:
        """Whether the last calls were refused, and the next ones show whose the refusals are."""
        return self._length > 0 and self.error is None

    def restart(self) -> None:
        """After ten, let ten more be tried: the client may have been corrected."""
        self.error = None
        if self.is_of_client:
            self._length = 0

    def note(self, error: VictorError | None) -> bool:
        """Note the end of the call of a payment. Returns whether nothing more is to be sent."""
        if is_taken(error):
            self._length = 0
            self.is_of_client = False
            self.error = None
        elif error is not None and failure_scope(error) in _MAY_BE_OF_CLIENT:
            self._length += 1
            if self._length >= _MOST_REFUSED and self.error is None:
                self.is_of_client = True
                self.error = error
                error.add_note(
                    f"{_MOST_REFUSED} payments in a row ended so: nothing more is sent in this "
                    "pass. Correct the cause, not the payments; they are sent later."
                )
        elif isinstance(error, RateLimited):
            self.error = error
        return self.error is not None


_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
_LONGEST_ASKED = 86_400.0
"""The maximum seconds of a `Retry-After`: more could exceed the maximum timeout of a lock."""


def pause_after(tries: int) -> float:
    """Return the seconds before the next attempt after `tries` failures: 1, 2, 4, ... up to 30."""
    # Limit the exponent to avoid float overflow.
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(tries - 1, 60))


def pause_asked(error: VictorError | None) -> float:
    """Return the seconds that the provider asks to wait, at most one day."""
    asked = None if error is None else error.retry_after
    return min(_LONGEST_ASKED, asked or 0.0)


class Backoff:
    """Pauses all payments of a process while the provider fails, so that an outage does not exhaust
    a batch, and a refusal does not become a storm.

    A failure after a pause doubles the next pause, up to 30 seconds; a success after a pause resets
    it. A success during a pause has no effect: its call started before the failure.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._pause = 0.0
        self._until = 0.0

    def record_failure(self, at_least: float = 0.0) -> None:
        """Record a failed call, and pause for at least `at_least` seconds.

        Failures during a pause do not double it.
        """
        now = self._monotonic()
        if now >= self._until:
            self._pause = min(_LONGEST_PAUSE, max(_FIRST_PAUSE, self._pause * 2))
            self._until = now + self._pause
        self._until = max(self._until, now + at_least)

    def record_success(self) -> None:
        """Record a call that succeeded: after a pause, the next pause is a short one again."""
        if self._monotonic() >= self._until:
            self._pause = 0.0

    def left(self) -> float:
        """Return the seconds that are left of the pause; 0: there is none."""
        return max(0.0, self._until - self._monotonic())
