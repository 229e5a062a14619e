"""Every error of a call, and what each says of the money.

    VictorError
      + InvalidRequest         refused on this side, before anything was sent      (also a ValueError)
      + ConfigurationError     the client itself cannot work as it was set up      (also a ValueError)
      + ConnectionFailed       no connection, or it broke before the whole answer
      + TimedOut               this side stopped waiting
      |   + DeadlineExceeded   ... for the call as a whole, all attempts included
      + UnreadableResponse     an answer came, and cannot be read
      + PaginationError        a list that does not end
      + StatusError            the provider answered with an error status
          + BadRequest         400, 422, and a 200 whose body says no
          + AuthenticationError  401
          + PermissionDenied   403
          + NotFound           404
          + Conflict           409
          + RateLimited        429
          + ServerError        5xx

All of them carry an `outcome`; see `Outcome` for what each value permits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import httpx

from .redaction import without_secrets

__all__ = (
    "AuthenticationError",
    "BadRequest",
    "ConfigurationError",
    "Conflict",
    "ConnectionFailed",
    "DeadlineExceeded",
    "InvalidRequest",
    "NotFound",
    "Outcome",
    "PaginationError",
    "PermissionDenied",
    "Problem",
    "RateLimited",
    "ServerError",
    "StatusError",
    "TimedOut",
    "UnreadableResponse",
    "VictorError",
)


class Outcome(StrEnum):
    """What a failed call did at the provider, as far as this side can know.

    The order of the members is the order of certainty that something happened: over several attempts
    of one call the strongest one counts, so a refusal that follows a lost answer stays `UNKNOWN`.
    """

    NOT_SENT = "not_sent"
    """Nothing left this machine. Repeat as you like."""

    REJECTED = "rejected"
    """The provider refused. Nothing was created."""

    UNKNOWN = "unknown"
    """It may have happened. Repeat it with the same idempotency key, or look."""

    ACCEPTED = "accepted"
    """It happened, and the answer could not be read. The raw body is on the error."""

    def combined_with(self, other: Outcome) -> Outcome:
        """The stronger of two outcomes of the same call."""
        return self if _STRENGTH[self] >= _STRENGTH[other] else other


_STRENGTH = {outcome: strength for strength, outcome in enumerate(Outcome)}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a request.

    `field` is the argument's name for a local check, and the wire's spelling (`payment_details.amount`)
    when the provider complained; `provider_field` keeps the provider's own spelling (`paymentDetails.amount`).
    `code` is a stable word. `message` is a sentence that says what is wrong; where it names the field, it begins
    with it. `hint` says what to write instead in Python, where that differs from what is written in a file or on a
    command line: those have hints of their own. Errors that list problems show both.
    """

    field: str
    code: str
    message: str
    provider_field: str | None = None
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.message.rstrip('.')}: {self.hint}." if self.hint else self.message


class VictorError(Exception):
    """The base of all errors of this package.

    Attributes:
        message: Sentences: what happened, to what, and what to do next (the hint).
        hint: The end of the message: what to do next, in Python; empty when there is nothing to say.
        outcome: What is known of the call as a whole, over all its attempts.
        idempotency_key: The key the call was sent with; repeat an unknown outcome with it.
        status_code: The HTTP status of the last answer, or None.
        request: The last request, without its body and without its token.
        response: The last answer, or None.
        attempts: How often the call was sent, 0 when it never was.
        request_id: The provider's own id for the exchange, when it gave one.
        retry_after: Seconds the provider asked to wait, when it did.
        problems: What was wrong, item by item, when that is known.
    """

    def __init__(
        self,
        message: str,
        *,
        outcome: Outcome = Outcome.NOT_SENT,
        idempotency_key: str | None = None,
        request: httpx.Request | None = None,
        response: httpx.Response | None = None,
        attempts: int = 0,
        request_id: str | None = None,
        retry_after: float | None = None,
        problems: Iterable[Problem] = (),
        hint: str = "",
    ) -> None:
        message = f"{message} {hint}".rstrip() if hint else message
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.outcome = outcome
        self.idempotency_key = idempotency_key
        self.request = None if request is None else without_secrets(request)
        self.response = None if response is None else _detached(response, self.request)
        self.attempts = attempts
        self.request_id = request_id
        self.retry_after = retry_after
        self.problems: Sequence[Problem] = tuple(problems)

    @classmethod
    def of(cls, problems: Sequence[Problem], *, doing: str = "") -> Self:
        """One error for all problems at once; `doing` says what was not done."""
        lines = "; ".join(str(problem).removesuffix(".") for problem in problems) + "."
        return cls(f"{doing}{': ' if doing else ''}{lines}", problems=problems)

    @property
    def summary(self) -> str:
        """The message without its hint: what happened, in words that hold for every user interface."""
        return self.message.removesuffix(self.hint).rstrip()

    @property
    def status_code(self) -> int | None:
        """The HTTP status of the last answer, or None when there was none."""
        return None if self.response is None else self.response.status_code

    @property
    def body(self) -> bytes | None:
        """The raw body of the last answer, or None. It may hold account numbers: think before logging it."""
        return None if self.response is None else self.response.content

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        status = f", status_code={self.status_code}" if self.status_code is not None else ""
        return f"{type(self).__name__}({self.message!r}, outcome={self.outcome.value!r}{status})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuilt, (type(self), self.message), self.__dict__)


def _rebuilt(cls: type[VictorError], message: str) -> VictorError:
    error = cls.__new__(cls, message)
    VictorError.__init__(error, message)
    return error


_NOT_KEPT = frozenset({b"set-cookie", b"content-encoding", b"transfer-encoding", b"content-length"})


def _detached(response: httpx.Response, request: httpx.Request | None) -> httpx.Response:
    """The answer without its connection, so that it can be kept, pickled and copied."""
    try:
        content = response.content
    except httpx.ResponseNotRead:
        content = b""
    # As bytes: what is not ASCII can be read as text, and not be written back as it.
    headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _NOT_KEPT]
    return httpx.Response(response.status_code, headers=headers, content=content, request=request)


class InvalidRequest(VictorError, ValueError):
    """A request that was refused on this side, before anything was sent; `problems` lists every reason."""


class ConfigurationError(VictorError, ValueError):
    """The client cannot work as it was set up: a key, a URL, a variable, a client that was closed."""


class ConnectionFailed(VictorError):
    """No connection could be made, or it broke before the whole answer had come."""


class TimedOut(VictorError):
    """This side stopped waiting for an answer."""


class DeadlineExceeded(TimedOut):
    """The time for the whole call, all attempts and waits included, ran out."""


class UnreadableResponse(VictorError):
    """An answer came and cannot be read; its raw bytes are in `body`."""


class PaginationError(VictorError):
    """A list that the provider does not end: it repeats pages that were read already."""


class StatusError(VictorError):
    """The provider answered with a status that says no."""


class BadRequest(StatusError):
    """400 or 422: the provider found the request wrong; `problems` says where, when it could be read.

    Also a 200 whose body says that the call was refused: `status_code` is 200 then.
    """


class AuthenticationError(StatusError):
    """401, or no token to be had: the credentials were not taken."""


class PermissionDenied(StatusError):
    """403: the credentials are good, and not for this."""


class NotFound(StatusError):
    """404: there is no such thing."""


class Conflict(StatusError):
    """409, or a state that contradicts what was meant."""


class RateLimited(StatusError):
    """429: too many requests; `retry_after` says when to come back, when the provider said so."""


class ServerError(StatusError):
    """5xx: the provider failed, possibly after doing the work."""
