"""Following one payment request from status to status."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from .screen import complain
from .wording import at_a_shell

if TYPE_CHECKING:
    from victor_ext import PaymentRequest, Victor, VictorError

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 5.0
_LEAST_READ = 1.0
"""Seconds that a read gets, however little of the time is left: it is the one that may find the status reached."""


def changes(
    victor: Victor, request_id: str, *, until: str | None, timeout: float, deadline: float
) -> Iterator[PaymentRequest]:
    """Yield the request as it is now and each time its status has changed, until it is where it should be.

    Args:
        victor: The client to read with.
        request_id: The id of the request.
        until: The status to wait for; a later one on the way to COMPLETED counts too. None: a final one.
        timeout: Seconds in all; 0 reads it once.
        deadline: Seconds that the client gives to one read; near the end of the time it has what is left.

    Raises:
        Conflict: It ended in another status.
        TimedOut: It did not get there in time.
    """
    ends = time.monotonic() + timeout
    last: PaymentRequest | None = None
    pause = _FIRST_PAUSE
    judged = True
    while True:
        left = max(ends - time.monotonic(), _LEAST_READ)
        client = victor if timeout == 0 or left >= deadline else victor.with_options(deadline=left)
        found = _read(client, request_id)
        changed = found is not None and (last is None or found.status != last.status)
        if found is not None and (changed or not judged):
            if changed:
                last, pause = found, _FIRST_PAUSE
                yield found
            reached, judged = _reached(client, found, request_id, until)
            if reached is not None:
                if reached.status != found.status:
                    yield reached
                return
        left = ends - time.monotonic()
        if left <= 0:
            raise _too_late(request_id, until, last, timeout)
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _reached(
    victor: Victor, found: PaymentRequest, request_id: str, until: str | None
) -> tuple[PaymentRequest | None, bool]:
    """The request if it is where it is waited for, and whether that could be judged at all.

    The client knows which statuses count, and reads the request once more to say so.
    """
    from victor_ext import TimedOut  # noqa: PLC0415 - `victor --help` does not need it

    if until is None and found.is_terminal:
        return found, True
    try:
        return victor.payment_requests.wait(request_id, until=until, timeout=0), True
    except TimedOut as error:
        return None, error.__cause__ is None  # its cause is the failure of the read


def _read(victor: Victor, request_id: str) -> PaymentRequest | None:
    """The request, or None after a trouble that may pass: a watch outlives it."""
    from victor_ext import (  # noqa: PLC0415 - `victor --help` does not need it
        ConnectionFailed,
        RateLimited,
        ServerError,
        TimedOut,
        UnreadableResponse,
    )

    try:
        # The list knows the life of a request; of the status that `get` answers the document says less.
        listed = victor.payment_requests.list(victor_id=request_id)
        named = (found for found in listed if found.id.casefold() == request_id.casefold())
        return next(named, None) or victor.payment_requests.get(request_id)
    except (ConnectionFailed, TimedOut, ServerError, RateLimited, UnreadableResponse) as error:
        complain(f"Still watching: {at_a_shell(error.message)}")
        return None


def _too_late(request_id: str, until: str | None, last: PaymentRequest | None, timeout: float) -> VictorError:
    from victor_ext import Outcome, TimedOut  # noqa: PLC0415 - `victor --help` does not need it

    wanted = until or "a final status"
    seen = "it could not be read" if last is None else f"it is {last.status}"
    return TimedOut(
        f"Payment request {request_id} did not reach {wanted} within {timeout:g} s: {seen}. Watch it again, with a "
        "longer --timeout.",
        outcome=Outcome.UNKNOWN,
    )


def spinner(request_id: str, *, shown: bool) -> AbstractContextManager[object]:
    """A sign of life at a terminal while nothing changes."""
    if not shown:
        return nullcontext()
    from rich.console import Console  # noqa: PLC0415 - only people need it

    return Console(file=sys.stdout).status(f"watching {request_id}; Ctrl-C stops watching")
