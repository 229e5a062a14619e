"""Reports of a client's calls: the events for `on_event`, and the log records of retries and
calls.
"""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable, Mapping
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx

from victor_ext._privacy import one_own_line, redact_excerpt
from victor_ext._runtime.core.clock import Timing
from victor_ext._runtime.core.headers import header_complaint
from victor_ext._runtime.loop.evidence import reader_of

if TYPE_CHECKING:
    from .call_events import Event

    OnEvent = Callable[[Event], None]
else:  # who has no listener loads no events
    OnEvent = Callable[[Any], None]

logger = logging.getLogger("victor_ext.client")

Attributes = Mapping[str, Any]
"""The attributes of an event, by name."""


class CallReport:
    """The events of one call. The arguments of its methods are the attributes of the events.

    `emit` is that of the client's `Reporter`.
    """

    def __init__(self, emit: Callable[..., None], request: httpx.Request, key: str | None) -> None:
        reader = reader_of(request)
        self._emit = emit
        self._call: dict[str, Any] = {
            "call_id": os.urandom(8).hex(),
            "operation": None if reader is None else reader.declared.name,
            "method": request.method,
            "path_template": None if reader is None else reader.declared.path,
            "path": one_own_line(request.url.path),
            **_server_of(request),
            "idempotency_key": key,
        }

    def call_started(self) -> None:
        self._emit("CallStarted", self._call)

    def attempt_started(self, request: httpx.Request, attempt: int, *, for_token: bool) -> None:
        event = {**self._of(request, for_token=for_token), "attempt": attempt}
        self._emit("AttemptStarted", {**event, "for_token": for_token}, request.headers)

    def attempt_ended(
        self, request: httpx.Request, timing: Timing, *, for_token: bool, **attributes: Any
    ) -> None:
        times = {"waited": timing.waited, "connecting": timing.connecting}
        event = {**self._of(request, for_token=for_token), **attributes, **times}
        self._emit("AttemptEnded", {**event, "for_token": for_token})

    def retry_scheduled(self, request: httpx.Request, *, for_token: bool, **about: Any) -> None:
        event = {**self._of(request, for_token=for_token), **about}
        if logger.isEnabledFor(logging.INFO):
            method, what, wait = event["method"], event["reason"], event["wait"]
            path = event["path_template"] or event["path"]
            before = event["attempt"] - 1
            text = "%s %s: attempt %d failed (%s), next attempt in %.2f s"
            logger.info(text, method, path, before, what, wait, extra=_extra(event))
        self._emit("RetryScheduled", event)

    def call_ended(self, **about: Any) -> None:
        event = {**self._call, **about}
        if logger.isEnabledFor(logging.DEBUG):
            method, attempts, seconds = event["method"], event["attempts"], event["seconds"]
            path = event["path_template"] or event["path"]
            how = event["error"] or event["status_code"]
            text = "%s %s: %s after %d attempts, %.3f s"
            logger.debug(text, method, path, how, attempts, seconds, extra=_extra(event))
        self._emit("CallEnded", event)

    def _of(self, request: httpx.Request, *, for_token: bool) -> dict[str, Any]:
        if not for_token:
            return self._call
        # The address that issues tokens is a setting, so it holds no id.
        path = one_own_line(request.url.path)
        token_request = {"method": request.method, "path": path, "path_template": path}
        return {**self._call, **token_request, **_server_of(request)}


def _server_of(request: httpx.Request) -> dict[str, Any]:
    """The attributes of the server that a request is for."""
    url = request.url
    port = url.port or (443 if url.scheme == "https" else 80)  # httpx leaves out the usual one
    return {"server_address": url.host, "server_port": port}


def _extra(event: Attributes) -> dict[str, Any]:
    """An event's attributes for a log record: `call_id`, `call_operation`, `call_attempts` ...

    The prefix keeps them apart from those that the application gives to every record, such as
    `request_id`.
    """
    return {name if name == "call_id" else f"call_{name}": value for name, value in event.items()}


LISTENER_ERRORS = "VICTOR_LISTENER_ERRORS"
"""The variable that is `raise` where a listener's exception is to end the call.

The pytest plugin sets it.
"""


class Reporter:
    """Reports the calls of one client to its listener and to the log."""

    _classes: Mapping[str, type[Event]]
    """The classes of events, by their names."""

    def __init__(self, on_event: OnEvent | None = None) -> None:
        self._on_event = on_event
        if on_event is not None:
            # Imported here, because a client without a listener makes no events.
            from .call_events import CLASSES  # noqa: PLC0415 - as said

            self._classes = CLASSES
        self._failed = count(1)
        self.failures = 0  # how many times the listener has raised

    @property
    def is_active(self) -> bool:
        """Whether anybody wants to know of each call. If not, only retries are reported."""
        return self._on_event is not None or logger.isEnabledFor(logging.DEBUG)

    def emit(self, kind: str, attributes: Attributes, headers: httpx.Headers | None = None) -> None:
        """Give an event to the listener; `kind` is the name of its class. What the listener raises
        is logged and counted, or raised in tests.

        One that is a tracer (it has a method `inject(event, carrier)`) adds its headers to those of
        the request.
        """
        if self._on_event is None:
            return
        event = self._classes[kind](**attributes)
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
