"""A budget for retries, so that a failing provider is not stormed by those who wait for it.

The idea and the figures are those of the AWS SDKs' standard retry mode: a bucket of 500 tokens, a
retry costs 5, one after a timeout 10, and a call that succeeds without a retry gives 1 back. In a long
outage a client therefore sends about a hundred requests more than it has calls, however many workers
share it, and recovers with its first successes.
"""

from __future__ import annotations

import threading

from victor_ext.runtime.http.places import PerProcess


class RetryQuota:
    """A token bucket shared by all threads and tasks of a client."""

    RETRY = 5
    RETRY_AFTER_TIMEOUT = 10
    REFUND = 1

    def __init__(self, capacity: int = 500) -> None:
        self._capacity = capacity
        self._available = capacity
        self._locks = PerProcess(threading.Lock)

    @property
    def available(self) -> int:
        """How many tokens are left."""
        return self._available

    def take(self, cost: int) -> bool:
        """Pay for a retry; False, and nothing is taken, when the bucket does not hold that much."""
        with self._locks.here():
            if self._available < cost:
                return False
            self._available -= cost
            return True

    def give_back(self, amount: int) -> None:
        """Return what a retry cost once it succeeded, or `REFUND` after a success without any."""
        # The usual case, a full bucket, takes no lock: a stale read only skips one refund of one token.
        if self._available >= self._capacity:
            return
        with self._locks.here():
            self._available = min(self._available + amount, self._capacity)
