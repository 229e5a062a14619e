"""When a row is sent.

`RateLimiter` spaces the rows of a batch, `ProviderClock` knows the provider's time, `Contact` notes
failures and rejections for all threads of a client, and `Turns` makes one payment wait for them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from victor_ext import Outcome, RateLimited, StatusError, VictorError
from victor_ext.settlement.backoff import Backoff, pause_after, pause_asked
from victor_ext.settlement.failures import (
    FailureScope,
    RefusalStreak,
    failure_scope,
    is_taken,
)
from victor_ext.settlement.flow import Settlement
from victor_ext.settlement.key_age import Keys, Moment, NoKey, Now, Sent

_SLACK = 0.02
"""Seconds that a row may catch up after a late one: timers wake slightly late."""
_SHARED = 0.5
"""Seconds for which threads share a failed read; shorter than any retry wait."""


class RateLimiter:
    """Spaces calls evenly: never more than `rate` per second, also at the start. None: no limit."""

    def __init__(
        self,
        rate: float | None,
        stop: threading.Event,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gap = 0.0 if rate is None else 1.0 / rate
        self._stop = stop
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._next = monotonic() + self._gap

    def wait(self) -> None:
        """Wait for the next turn, or until `stop` is set."""
        if not self._gap:
            return
        with self._lock:
            now = self._monotonic()
            turn = max(self._next, now - _SLACK)
            self._next = turn + self._gap
        if turn > now:
            self._stop.wait(turn - now)


class ProviderClock:
    """The provider's time, as the responses to a client have it, for all threads of a process."""

    def __init__(self, client: Any, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._read_at = 0.0
        self._error: VictorError | None = None
        """Why the last read brought no response."""
        self._tells_no_time = False
        """Whether the provider has responded, and its response had no time."""

    def ask(self) -> VictorError | None:
        """Make a small read to get the provider's time, unless the time is known, or the provider
        tells none.

        Returns the error if no response came. Threads that ask at about the same time share one
        read.
        """
        with self._lock:
            if self.now().error is None:
                return None
            if self._error is None or self._monotonic() - self._read_at >= _SHARED:
                self._error = self._read()
                self._read_at = self._monotonic()
            return self._error

    def now(self) -> Now:
        """Return the present time, with the provider's time as far as it is known."""
        provider = self._client.provider_time()
        if provider.is_known:
            self._tells_no_time = False
        error = None
        if not provider.is_known and not self._tells_no_time:
            error = self._error or VictorError("The provider has not answered yet.")
        return Now(Moment(time.time(), self._monotonic()), provider, error)

    def sent_now(self) -> Sent:
        """Ask for the provider's time, and return the present time in a form that can be stored."""
        self.ask()
        now = self.now()
        return Sent.at(now.moment, now, self._client.caller)

    def _read(self) -> VictorError | None:
        """Make the small read. Return its error if no response came."""
        try:
            self._client.ping()
        except VictorError as error:
            # A rejection is a response, too: what it does not tell, the next one will not tell.
            if not _is_rejection(error) and not self._client.provider_time().is_known:
                return error
        except Exception as error:  # noqa: BLE001 - whatever it was, no row must be sent for want of it
            return VictorError(f"An unexpected {type(error).__name__}.")
        self._tells_no_time = not self._client.provider_time().is_known
        return None


def _is_rejection(error: VictorError) -> bool:
    """Whether the provider has responded that it rejects a read."""
    is_status = isinstance(error, StatusError) and not isinstance(error, RateLimited)
    return is_status and error.outcome is Outcome.REJECTED


class Contact:
    """What all threads that send with one client know of the provider: its time, whether it fails,
    and whether it rejects the client.

    Attributes:
        stop: Set when nothing is to be sent any more.
        refusals: The rows that were rejected, maybe for the client and not for the row, by key.
        given_up: Why no row can be sent with this client, or None. If there is a reason, `stop` is
            set, too.
    """

    def __init__(
        self,
        client: Any,
        stop: threading.Event,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.caller = client.caller
        self.stop = stop
        self.monotonic = monotonic
        self.backoff = Backoff(stop, monotonic)
        self._clock = ProviderClock(client, monotonic)
        self.refusals = RefusalStreak()
        self.given_up: str | None = None

    def now(self) -> Now:
        """Return the present time."""
        return self._clock.now()

    def sent_now(self) -> tuple[Moment, Sent]:
        """Return the present time twice: by the local clocks, and in the form that is stored of a
        row that is sent now.
        """
        now = self.now()
        return now.moment, Sent.at(now.moment, now, self.caller)

    def ask_time(self) -> None:
        """Ask for the provider's time, unless it is known. If no response comes, that counts as a
        failure of the provider.
        """
        if self.stop.is_set():
            return
        error = self._clock.ask()
        if error is not None:
            self.backoff.record_failure(pause_asked(error))

    def note(self, key: str, error: VictorError | None) -> None:
        """Note what the end of a call with this key says of the client and the provider. None: the
        call was done.
        """
        is_client_refused = self.refusals.note(key, error)
        if is_taken(error):
            self.backoff.record_success()
        elif error is not None:
            scope = failure_scope(error)
            if is_client_refused or scope is FailureScope.CLIENT:
                self.give_up(error)
            elif scope is FailureScope.PROVIDER:
                self.backoff.record_failure(pause_asked(error))

    def give_up(self, error: VictorError) -> None:
        """Stop sending: nothing can be sent with this client."""
        self.given_up = self.given_up or error.summary
        self.stop.set()


class Turns:
    """Lets one payment wait before each try, until its patience ends: the `turn` of `settle`."""

    def __init__(
        self,
        contact: Contact,
        key_rule: Keys | NoKey,
        limiter: RateLimiter,
        patience: float,
    ) -> None:
        self._contact, self._key_rule, self._limiter = contact, key_rule, limiter
        self._ends = contact.monotonic() + patience
        self._tries = 0

    def __call__(self, so_far: Settlement, sent: Sent | Moment | None) -> Now | None:
        """Wait until the payment can be tried, and return the time then.

        None: the patience has ended, or sending has stopped; the payment is left as it is. The
        arguments are those of `turn` in `settle`.
        """
        tries_before = self._tries
        self._tries += 1
        if self._is_only_looked_up(sent, is_first=tries_before == 0):
            return self._contact.now()
        if tries_before and not self._wait_after_failure(tries_before, so_far):
            return None
        self._contact.backoff.wait()
        self._limiter.wait()
        if isinstance(sent, Sent):
            self._contact.ask_time()
        if self._contact.stop.is_set():
            return None
        # The time is read after the waits: a key can expire during them.
        return self._contact.now()

    def _is_only_looked_up(self, sent: Sent | Moment | None, *, is_first: bool) -> bool:
        """Whether the payment is not sent any more, but looked up: then it need not wait."""
        if isinstance(self._key_rule, NoKey):
            return sent is not None
        return is_first and self._key_rule.is_over(sent, self._contact.now())

    def _wait_after_failure(self, tries: int, so_far: Settlement) -> bool:
        """Wait after a failed try. Return whether there was patience for it.

        The back-off is shared by all rows, and a success of another row resets it. So each row has
        a wait of its own, which grows with its tries.
        """
        if self._contact.monotonic() >= self._ends:
            return False
        self._contact.stop.wait(max(pause_after(tries), pause_asked(so_far.error)))
        return True
