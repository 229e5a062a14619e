"""The events of a client's calls, for `on_event`, and the log records of retries and calls.

Events hold no body, no token and no header. A listener runs in the thread or task of the call: keep
it short.
"""

import logging
import os
import secrets
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any

import httpx

from victor_ext.errors import Outcome
from victor_ext.privacy import one_own_line, redact_excerpt
from victor_ext.runtime.core.clock import Timing
from victor_ext.runtime.core.headers import header_complaint
from victor_ext.runtime.loop.evidence import READER, Reader

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, init=False, eq=False, repr=False)
class CallEvent:
    """What each event says of its call.

    Attributes:
        call_id: The same text in all events of one call, and in no other call's.
        operation: The name of the generated operation, such as `get_payment_request`; None for a
            request that no generated operation made.
        method: The HTTP method.
        path_template: The path as the provider's document has it, such as
            `/v2/payment-requests/{id}`; None where `operation` is None. With `operation` it is what
            to use as a label: neither ever holds an id.
        path: The path that is requested. It may hold the id of a payment: do not use it as a label.
        idempotency_key: The key of the call, or None.
    """

    call_id: str
    operation: str | None
    method: str
    path_template: str | None
    path: str
    idempotency_key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStarted(CallEvent):
    """A call begins. It may have to wait for its turn, or for a token, before it is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted(CallEvent):
    """A request is about to be sent.

    Attributes:
        attempt: The number of the attempt, from 1.
        for_token: Whether it asks for a token. `method` and both paths are then those of that
            request, and `attempt` is the number of attempts before it.
    """

    attempt: int
    for_token: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnded(CallEvent):
    """A request has a response, or has failed.

    Attributes:
        attempt: As in `AttemptStarted`; so is `for_token`.
        status_code: The status of the response, or None without a response.
        error: The kind of failure without a response, such as `ReadTimeout`; else None.
        seconds: How long the attempt took. What is left of it without the next two was spent on the
            wire, and waiting for the provider.
        waited: Seconds of it that it waited for a free connection of the pool. None with a
            transport of the caller's.
        connecting: Seconds of it that it took to open a connection, with name resolution and TLS;
            0.0 on a kept connection. None with a transport of the caller's.
    """

    attempt: int
    status_code: int | None
    error: str | None
    seconds: float
    waited: float | None = None
    connecting: float | None = None
    for_token: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryScheduled(CallEvent):
    """The call will be repeated.

    Attributes:
        attempt: The number of the attempt to come.
        wait: Seconds until then.
        reason: Why the last attempt does not count, in words.
        quota: What is left of the client's retry quota (see `RetryPolicy`).
    """

    attempt: int
    wait: float
    reason: str
    quota: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(CallEvent):
    """The whole call has ended.

    Attributes:
        attempts: How many times the call was sent.
        status_code: The status of the last response, or None.
        error: The class of the error, such as `BadRequest`, or None if the call succeeded.
            `Interrupted` for a cancelled task or a Ctrl-C.
        outcome: The outcome of the error, or None if the call succeeded.
        seconds: How long the whole call took, with all waits.
        waited: Seconds of it that the call waited for its turn (`max_concurrency`).
        request_id: The provider's id of the last exchange, or None.
        quota: What is left of the client's retry quota.
    """

    attempts: int
    status_code: int | None
    error: str | None
    outcome: Outcome | None
    seconds: float
    waited: float
    request_id: str | None
    quota: int


Event = CallStarted | AttemptStarted | AttemptEnded | RetryScheduled | CallEnded


class CallReport:
    """The events of one call. The arguments of its methods are the attributes of the events."""

    def __init__(self, emit: Callable[..., None], request: httpx.Request, key: str | None) -> None:
        reader: Reader | None = request.extensions.get(READER)
        self._emit = emit
        self._call: dict[str, Any] = {
            "call_id": secrets.token_hex(8),
            "operation": None if reader is None else reader.declared.name,
            "method": request.method,
            "path_template": None if reader is None else reader.declared.path,
            "path": one_own_line(request.url.path),
            "idempotency_key": key,
        }

    def call_started(self) -> None:
        self._emit(CallStarted(**self._call))

    def attempt_started(self, request: httpx.Request, attempt: int, *, for_token: bool) -> None:
        about = self._of(request, for_token=for_token)
        self._emit(AttemptStarted(**about, attempt=attempt, for_token=for_token), request.headers)

    def attempt_ended(
        self, request: httpx.Request, timing: Timing, *, for_token: bool, **attributes: Any
    ) -> None:
        attributes |= {
            "waited": timing.waited,
            "connecting": timing.connecting,
            "for_token": for_token,
        }
        self._emit(AttemptEnded(**self._of(request, for_token=for_token), **attributes))

    def retry_scheduled(self, request: httpx.Request, *, for_token: bool, **about: Any) -> None:
        event = RetryScheduled(**self._of(request, for_token=for_token), **about)
        if logger.isEnabledFor(logging.INFO):
            path = event.path_template or event.path
            before = event.attempt - 1
            what = event.reason
            text = "%s %s: attempt %d failed (%s), next attempt in %.2f s"
            logger.info(text, event.method, path, before, what, event.wait, extra=_extra(event))
        self._emit(event)

    def call_ended(self, **about: Any) -> None:
        event = CallEnded(**self._call, **about)
        if logger.isEnabledFor(logging.DEBUG):
            path = event.path_template or event.path
            how = event.error or event.status_code
            text = "%s %s: %s after %d attempts, %.3f s"
            logger.debug(
                text, event.method, path, how, event.attempts, event.seconds, extra=_extra(event)
            )
        self._emit(event)

    def _of(self, request: httpx.Request, *, for_token: bool) -> dict[str, Any]:
        if not for_token:
            return self._call
        # The address that issues tokens is a setting, so it holds no id.
        path = one_own_line(request.url.path)
        return {**self._call, "method": request.method, "path": path, "path_template": path}


def _extra(event: Event) -> dict[str, Any]:
    """The event's attributes for a log record: `call_id`, `call_operation`, `call_attempts` ...

    The prefix keeps them apart from those that the application gives to every record, such as
    `request_id`.
    """
    return {
        name if name == "call_id" else f"call_{name}": value
        for name, value in asdict(event).items()
    }


LISTENER_ERRORS = "VICTOR_LISTENER_ERRORS"
"""The variable that is `raise` where a listener's exception is to end the call.

The pytest plugin sets it.
"""

OnEvent = Callable[[Event], None]


class Reporter:
    """Reports the calls of one client to its listener and to the log."""

    def __init__(self, on_event: OnEvent | None = None) -> None:
        self._on_event = on_event
        self._failed = count(1)
        self.failures = 0  # how many times the listener has raised

    @property
    def is_active(self) -> bool:
        """Whether anybody wants to know of each call. If not, only retries are reported."""
        return self._on_event is not None or logger.isEnabledFor(logging.DEBUG)

    def emit(self, event: Event, headers: httpx.Headers | None = None) -> None:
        """Give an event to the listener. What it raises is logged and counted, or raised in tests.

        One that is a tracer (it has a method `inject(event, carrier)`) adds its headers to those of
        the request.
        """
        if self._on_event is None:
            return
        try:
            self._on_event(event)
            if (
                headers is not None
                and (inject := getattr(self._on_event, "inject", None)) is not None
            ):
                carrier = dict[str, str]()
                inject(event, carrier)
                for name, value in carrier.items():
                    if name not in headers and header_complaint(value.encode()) is None:
                        headers[name] = value
        except Exception as error:
            self.failures = next(self._failed)
            if os.environ.get(LISTENER_ERRORS) == "raise":
                raise
            _log_failure(error, event)


def _log_failure(error: Exception, event: Event) -> None:
    # No source lines, no causes, and no long number in its text.
    try:
        text = redact_excerpt(str(error))
    except Exception:  # noqa: BLE001 - the listener's code makes the text too
        text = ""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    logger.error(
        "on_event raised %s: %s (at %s:%d in %s) for %s of %s %s; the call continues",
        *(type(error).__name__, text, frame.filename, frame.lineno, frame.name),
        *(type(event).__name__, event.method, redact_excerpt(event.path)),
    )
