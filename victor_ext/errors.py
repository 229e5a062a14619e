"""The exceptions of this package.

    VictorError
      + InvalidRequest         an argument is invalid; nothing was sent   (also a ValueError)
      + ConfigurationError     the client is not configured correctly     (also a ValueError)
      + ConnectionFailed       no connection, or it broke before the response was complete
      + TimedOut               no response within the timeout
      |   + DeadlineExceeded   no response within the deadline of the whole call
      + UnreadableResponse     the response cannot be read
      + PaginationError        a list does not end, or contradicts itself
      + StatusError            the response has an error status
          + BadRequest         400, 422; at FlexFactor, also a 200 that reports a refusal
          + AuthenticationError  401
          + PermissionDenied   403
          + NotFound           404, or a 400 that says so of the id
          + Conflict           409, 423, or another 4xx that names the key or an earlier request
          + RateLimited        429
          + ServerError        5xx

Each error has an `outcome`: `Outcome` says when a repeat is safe.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import httpx

from ._privacy import SecretBytes, body_of, shown_headers
from ._values.response_info import ResponseInfo

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

TRANSIENT_STATUSES = frozenset({408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524})
"""The provider, or a server in front of it, failed.

The work may have been done: a repeatable call is tried again.
"""
_MOST_LISTED = 20
"""Problems that a message lists, at most: 2,000 rows may be wrong in the same way."""


class Outcome(StrEnum):
    """The known effect of a failed call at the provider.

    The members are ordered from no effect to a certain effect. Of several attempts, the member
    latest in this order counts: an `UNKNOWN` attempt followed by a `REJECTED` one is `UNKNOWN`.
    """

    NOT_SENT = "not_sent"
    """The request was not sent. A repeat is safe."""

    REJECTED = "rejected"
    """The provider rejected the request. Nothing was created."""

    UNKNOWN = "unknown"
    """The request may have been executed.

    Repeat it with the same idempotency key, or read the state first.
    """

    ACCEPTED = "accepted"
    """The request was executed, but its response could not be read.

    The error's `body` has the raw bytes.
    """

    def next_step(
        self, key: str | None, look: str, *, conflict: bool = False, is_blocked: bool = False
    ) -> str:
        """Return what to do after a failed write, for messages of the client and of the command.

        Args:
            key: How the caller passes the idempotency key, such as `idempotency_key='...'`. None:
                the call has none.
            look: How the caller looks for the work, such as "look with ...".
            conflict: Whether the provider reported an earlier use of the key.
            is_blocked: Whether somebody in front of the provider responded, who may block the same
                request for good.
        """
        if self is Outcome.NOT_SENT:
            return "This call was not sent, so it can be repeated."
        if self is Outcome.REJECTED:
            return "The provider did not execute it."
        if self is Outcome.ACCEPTED:
            with_key = f"Repeat only with the same key: {key}."
            return f"Do not send it again: {look}." if key is None else with_key
        if key is None:
            return (
                f"The provider may have executed it, and no key makes a repeat safe: {look} "
                "before you repeat it."
            )
        if not conflict:
            step = f"The provider may have executed it: repeat it with {key}, or {look}."
            if is_blocked:
                step += (
                    " If something on the way blocks these values for good, correct them under the "
                    "same key: with a new key the provider could execute it a second time."
                )
            return step
        return (
            f"The provider may have executed it: {key} may have been used before, with other "
            "values or by a call that is still in progress. So repeat it later with the same key "
            f"and the values of that call, or {look}. With a new key the provider could execute it "
            "a second time."
        )

    def combined_with(self, other: Outcome) -> Outcome:
        """Return the outcome that comes later in the order of the members."""
        return self if _STRENGTH[self] >= _STRENGTH[other] else other


_STRENGTH = {outcome: strength for strength, outcome in enumerate(Outcome)}


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a request is invalid.

    Attributes:
        field: The argument's name in a local check; the field's name in the JSON body
            (`payment_details.amount`) when the provider reported the problem.
        code: A stable code.
        message: A sentence that describes the problem. If it names the field, it begins with the
            name.
        provider_field: The field's name as the provider wrote it (`paymentDetails.amount`), or
            None.
        hint: What to write in Python instead, or an empty string.
    """

    field: str
    code: str
    message: str
    provider_field: str | None = None
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.message.rstrip('.')}: {self.hint}." if self.hint else self.message


class VictorError(Exception):
    """The base class of all errors of this package.

    Attributes:
        message: What happened, followed by the hint.
        hint: What to do next, in Python, or an empty string.
        outcome: The outcome of all attempts together.
        idempotency_key: The key of the call, or None. Repeat a call with an unknown outcome under
            this key.
        request: The last request, without its body, its token and unknown headers, or None.
        response: The last response, or None.
        attempts: The number of times that the call was sent.
        request_id: The provider's id of the exchange, or None.
        retry_after: The seconds that the provider asked to wait, or None.
        problems: The reasons, if they are known.
        intermediary: Who seems to have responded in place of the provider, in words, where an error
            is not in the provider's format: a gateway, a firewall or a proxy. None: the provider
            did, or nobody.
    """

    intermediary: str | None = None

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
        self.request = request
        if request is not None:
            self.request = httpx.Request(
                request.method, request.url, headers=shown_headers(request.headers.items())
            )
        self.response = None if response is None else _without_connection(response, self.request)
        self.attempts = attempts
        self.request_id = request_id
        self.retry_after = retry_after
        self.problems: Sequence[Problem] = tuple(problems)

    @classmethod
    def of(cls, problems: Sequence[Problem], *, doing: str = "") -> Self:
        """Return one error for all problems.

        The message begins with `doing`, and lists the first 20 problems.
        """
        sentences = [str(problem).removesuffix(".") for problem in problems[:_MOST_LISTED]]
        if len(problems) > _MOST_LISTED:
            sentences.append(f"and {len(problems) - _MOST_LISTED:,} more, in `problems`")
        beginning = f"{doing}: " if doing else ""
        return cls(f"{beginning}{'; '.join(sentences)}.", problems=problems)

    @property
    def summary(self) -> str:
        """The message without its hint, for any user interface."""
        return self.message.removesuffix(self.hint).rstrip()

    @property
    def status_code(self) -> int | None:
        """The HTTP status of the last response, or None."""
        return None if self.response is None else self.response.status_code

    @property
    def response_info(self) -> ResponseInfo | None:
        """The last response without its body, as on a record: status, headers, request id,
        attempts; or None.
        """
        if self.response is None:
            return None
        return ResponseInfo(
            self.response.status_code, self.response.headers, self.attempts, (), self.request_id
        )

    @property
    def body(self) -> bytes | None:
        """The raw body of the last response, or None.

        It may contain account numbers: do not log it.
        """
        return None if self.response is None else self.response.content

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        status = f", status_code={self.status_code}" if self.status_code is not None else ""
        return f"{type(self).__name__}({self.message!r}, outcome={self.outcome.value!r}{status})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), self.message), self.__dict__


def _rebuilt(cls: type[VictorError], message: str) -> VictorError:
    """Make an error again, for `pickle` and `copy`, which then set its attributes. Pickles have the
    name of this function.

    The constructor of the class is not called: that of a caller's own class may take other
    arguments.
    """
    error = cls.__new__(cls, message)
    VictorError.__init__(error, message)
    return error


# The body of the copy is decompressed, and in one piece.
_DROPPED_HEADERS = frozenset(
    {b"set-cookie", b"content-encoding", b"transfer-encoding", b"content-length"}
)


def _without_connection(response: httpx.Response, request: httpx.Request | None) -> httpx.Response:
    """A copy of the response that has no connection, so that it can be pickled."""
    try:
        body = body_of(response)
    except httpx.ResponseNotRead:
        body = SecretBytes()
    # Raw bytes: httpx cannot encode a header value that is not ASCII again.
    headers = [
        (name, value)
        for name, value in response.headers.raw
        if name.lower() not in _DROPPED_HEADERS
    ]
    copy = httpx.Response(
        response.status_code, headers=headers, content=bytes(body), request=request
    )
    copy.stream = httpx.ByteStream(b"")  # `copy` has read its body, and would hold it twice
    with suppress(RuntimeError):  # it is not known
        copy.elapsed = response.elapsed
    return copy


class InvalidRequest(VictorError, ValueError):
    """An argument is invalid, and nothing was sent. `problems` has every reason."""


class ConfigurationError(VictorError, ValueError):
    """The client cannot be used: a key, a URL or a variable is wrong, or the client is closed."""


class ConnectionFailed(VictorError):
    """No connection could be made, or it broke before the response was complete."""


class TimedOut(VictorError):
    """No response arrived within the timeout."""


class DeadlineExceeded(TimedOut):
    """The deadline of the whole call, with all attempts and pauses, has passed."""


class UnreadableResponse(VictorError):
    """The response cannot be read. `body` has its raw bytes."""


class PaginationError(VictorError):
    """A list does not end: the provider repeats pages, or the list changes faster than it is read.

    Or a page contradicts itself or the document: taken for the end, it would hide items.
    """


class StatusError(VictorError):
    """The response has an error status."""


class BadRequest(StatusError):
    """400 or 422; at FlexFactor, also a 200 that reports a refusal.

    `problems` has the provider's reasons, if readable. After a lost response, the `outcome` is
    `UNKNOWN`: then correct nothing, and repeat the same request with the same key.
    """


class AuthenticationError(StatusError):
    """401, or no token could be obtained: the provider did not accept the credentials."""


class PermissionDenied(StatusError):
    """403: the credentials are valid, but do not permit this call."""


class NotFound(StatusError):
    """404: the resource does not exist."""


class Conflict(StatusError):
    """409, 423, or another 4xx that names the key or an earlier request; or the state at the
    provider contradicts the call.

    Attributes:
        in_progress: Whether the provider says that a call with this key goes on. Only then may a
            repeat end otherwise.
        names_key: Whether the provider says of the idempotency key that it was used. Any other
            conflict may be about anything.
    """

    in_progress = False
    names_key = False


class RateLimited(StatusError):
    """429: too many requests. `retry_after` has the seconds to wait, if the provider sent them."""


class ServerError(StatusError):
    """5xx: the provider failed, possibly after it executed the request."""
