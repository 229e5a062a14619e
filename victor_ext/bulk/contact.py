"""What a process knows of its provider while it sends rows: its time, whether it fails, and whether
it rejects this client.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from victor_ext import InvalidRequest, VictorError
from victor_ext.settlement.backoff import Backoff, pause_asked
from victor_ext.settlement.flow import About, about
from victor_ext.settlement.key_age import Moment, Now, Sent

from .pacing import ProviderClock

_MOST_REFUSALS = 10
"""Consecutive rejections, not caused by the row's data, after which sending stops."""


class Contact:
    """Shared by all threads that send with one client, until `stop`.

    Attributes:
        given_up: Why no row can be sent with this client, or None. Sending has stopped if it is
            set.
    """

    def __init__(
        self,
        client: Any,
        stop: threading.Event,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.caller = client.caller
        self.stop, self.monotonic = stop, monotonic
        self.backoff = Backoff(stop, monotonic)
        self._clock = ProviderClock(client, monotonic)
        self._rejected_keys: set[str] = set()
        self.given_up: str | None = None

    def now(self) -> Now:
        """Return the present time."""
        return self._clock.now()

    def sent_now(self) -> tuple[Moment, Sent]:
        """Return the present time, and as what is stored of a row that is sent now."""
        now = self.now()
        return now.moment, Sent.at(now.moment, now, self.caller)

    def ask_time(self) -> None:
        """Ask for the provider's time, unless it is known; it fails if nobody responds."""
        if self.stop.is_set():
            return
        error = self._clock.ask()
        if error is not None:
            self.backoff.record_failure(pause_asked(error))

    def is_rejected(self, key: str) -> bool:
        """Whether the last call with this key may have been rejected for the client."""
        return key in self._rejected_keys

    def note_response(self) -> None:
        """Note that the provider takes calls of this client."""
        if self._rejected_keys:
            # Replace the set instead of clearing it: another thread may be reading it.
            self._rejected_keys = set()
        self.backoff.record_success()

    def note_error(self, error: VictorError, key: str) -> None:
        """Note what the error of a call with this key says of the client and the provider."""
        what = about(error)
        if what is About.CLIENT:
            self.give_up(error)
        elif what is About.EITHER:
            self._rejected_keys.add(key)
            if len(self._rejected_keys) >= _MOST_REFUSALS:
                self.give_up(error)
        elif what is About.PROVIDER:
            self.backoff.record_failure(pause_asked(error))
        elif not isinstance(error, InvalidRequest):
            self.note_response()

    def give_up(self, error: VictorError) -> None:
        """Stop sending: nothing can be sent with this client."""
        self.given_up = self.given_up or error.summary
        self.stop.set()
