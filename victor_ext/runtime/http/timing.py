"""How far one attempt came, and how long it waited for a connection, as the transport that has the sockets tells it."""

from __future__ import annotations

import httpx

from victor_ext.runtime.steady_clock import monotonic

TIMING = "victor_ext.timing"
"""The extension of a request with its `Timing`. Only the attempt loop sets it, and only when somebody listens."""

BEGUN = "victor_ext.begun"
"""The extension of a request that says whether any of it may have been written. Other transports do not say it."""


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
