"""When a row is tried, and tried again: `settle` asks before each call."""

from __future__ import annotations

from victor_ext.settlement.backoff import pause_after, pause_asked
from victor_ext.settlement.flow import Settlement
from victor_ext.settlement.key_age import Keys, Moment, NoKey, Now, Sent

from .contact import Contact
from .pacing import RateLimiter


class Turns:
    """The turns of what is sent in one call, until its patience ends."""

    def __init__(
        self,
        contact: Contact,
        keys: Keys | NoKey,
        limiter: RateLimiter,
        patience: float,
    ) -> None:
        self._contact, self._keys, self._limiter = contact, keys, limiter
        self._ends = contact.monotonic() + patience
        self._tries = 0

    def __call__(self, so_far: Settlement, sent: Sent | Moment | None) -> Now | None:
        """Wait until it can be tried, and return the time then; None: leave it as it is."""
        tries = self._tries
        self._tries += 1
        if self._is_only_looked_up(sent, is_first=tries == 0):
            return self._contact.now()
        if tries and not self._wait_for_next(tries, so_far):
            return None
        self._contact.backoff.wait()
        self._limiter.wait()
        if isinstance(sent, Sent):
            self._contact.ask_time()
        # The time is read after the waits: a key can expire during them.
        return None if self._contact.stop.is_set() else self._contact.now()

    def _is_only_looked_up(self, sent: Sent | Moment | None, *, is_first: bool) -> bool:
        """Whether nothing is sent any more, so that it need not wait."""
        if isinstance(self._keys, NoKey):
            return sent is not None
        return is_first and self._keys.is_over(sent, self._contact.now())

    def _wait_for_next(self, tries: int, so_far: Settlement) -> bool:
        """Wait after a failure; returns whether there is patience for it.

        All rows share the back-off, and successes of other rows reset it; this wait grows for each
        row.
        """
        if self._contact.monotonic() >= self._ends:
            return False
        self._contact.stop.wait(max(pause_after(tries), pause_asked(so_far.error)))
        return True
