"""What the attempt loop and the transport tell each other of one attempt, in the extensions of its request."""

from __future__ import annotations

import httpx

from victor_ext.runtime.core.steady_clock import monotonic

TIMING = "victor_ext.timing"
"""The extension of a request with its `Timing`. Only the attempt loop sets it, and only when somebody listens."""

BEGUN = "victor_ext.begun"
"""The extension of a request that says whether any of it may have been written. Other transports do not say it."""

ALLOW_IMMEDIATE_REUSE = "victor_ext.allow_immediate_reuse"
"""The extension of a request that says whether it may use a connection on which a late second response may come."""

REUSED_IMMEDIATELY = "victor_ext.reused_immediately"
"""The extension of a request that says whether it went over a connection that had just been used."""

MAY_HAVE_BEEN_SENT = "victor_ext.may_have_been_sent"
"""The extension of a request that says whether an error of its connection leaves open what was sent."""


class Timing:
    """The times of one attempt, in seconds. They stay None with a transport that does not tell them.

    Attributes:
        waited: How long the attempt waited for a free place in the pool.
        connecting: How long it took to open a connection; 0.0 when a kept one was used.
    """

    __slots__ = ("_since", "connecting", "waited")

    def __init__(self) -> None:
        self._since = monotonic()
        self.waited: float | None = None
        self.connecting: float | None = None

    def admitted(self) -> None:
        """The wait for a place has ended, with or without one."""
        self.waited, self.connecting = monotonic() - self._since, 0.0

    def connected(self, began: float) -> None:
        """A connection that was begun at this monotonic time is open, or has failed."""
        self.connecting = (self.connecting or 0.0) + monotonic() - began


def timing_of(request: httpx.Request) -> Timing | None:
    """The times to fill in, or None when nobody listens."""
    timing: Timing | None = request.extensions.get(TIMING)
    return timing
