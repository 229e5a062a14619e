"""Who is told of a client's calls: its listener (`on_event`) and the log. The events are made where there is one."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable
from itertools import count

import httpx

from victor_ext.privacy import redact_excerpt

from .events import CallReport, Event, logger
from .headers import header_complaint

LISTENER_ERRORS = "VICTOR_LISTENER_ERRORS"
"""The environment variable that is `raise` where an exception of a listener is to end the call, as in tests: there the
package's pytest plugin sets it."""

_FRAMES = 5
"""The most frames of a listener's exception that are logged, the innermost ones."""

OnEvent = Callable[[Event], None]


class Reporter:
    """Reports the calls of one client to its listener and to the log.

    Attributes:
        failures: How many times the listener has raised.
    """

    def __init__(self, on_event: OnEvent | None = None) -> None:
        self._on_event = on_event
        self._failed = count(1)
        self.failures = 0

    @property
    def is_active(self) -> bool:
        """Whether anybody wants to know of each call. If not, only retries are reported."""
        return self._on_event is not None or logger.isEnabledFor(logging.DEBUG)

    def report(self, request: httpx.Request, key: str | None) -> CallReport:
        """The report of one call."""
        return CallReport(self.emit, request, key)

    def emit(self, event: Event, headers: httpx.Headers | None = None) -> None:
        """Give an event to the listener. What it raises is logged and counted, or raised in tests.

        Args:
            event: The event.
            headers: Those of a request that is about to be sent. A listener that is a tracer (it has a method
                `inject(event, carrier)`) adds its own.
        """
        if self._on_event is None:
            return
        try:
            self._on_event(event)
            inject = None if headers is None else getattr(self._on_event, "inject", None)
            if headers is not None and inject is not None:
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
