"""What every caller observed, kept small: a run has a hundred thousand of them."""

from __future__ import annotations

import threading
from array import array
from collections import Counter
from dataclasses import dataclass

from victor_ext import idempotency_key_for

REPEATED = 50
"""After this number of calls, another worker repeats the payment of the call before, with its key."""


@dataclass(frozen=True, slots=True)
class Payment:
    """What one call asks for. A repeat asks for the payment of the call before."""

    seed: int
    call: int

    @property
    def number(self) -> int:
        """Which payment it is."""
        return self.call - 1 if self.call % REPEATED == REPEATED - 1 else self.call

    @property
    def key(self) -> str:
        """Its idempotency key: the same in every call for it."""
        return idempotency_key_for("soak", self.seed, self.number)

    @property
    def reference(self) -> str:
        """Its client reference, by which it is known again at the provider."""
        return f"SOAK-{self.seed}-{self.number}"


class Observed:
    """Collects from all workers at once: each call writes to a place of its own.

    Attributes:
        words: By call: "success", an outcome, or "broken" for what is no error of the client.
        ids: By call: the id of the request that was reported.
        seconds: How long the calls took.
        wrong: Results that were false as soon as they were observed.
        attempts: How often something was sent, by the client's own count.
    """

    def __init__(self) -> None:
        self.words: dict[int, str] = {}
        self.ids: dict[int, str] = {}
        self.seconds = array("d")
        self.wrong: list[str] = []
        self.attempts = 0
        self._lock = threading.Lock()

    def attempt(self) -> None:
        """Something is about to be sent."""
        with self._lock:
            self.attempts += 1

    @property
    def counts(self) -> Counter[str]:
        """The number of calls by result."""
        return Counter(self.words.copy().values())
