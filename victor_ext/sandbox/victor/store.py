"""All payment requests in memory, in the order in which they were made; the journal is written first."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from victor_ext.sandbox.victor.journal import Journal, KeyRecord
    from victor_ext.sandbox.victor.model import PaymentRequest


class Store:
    """Lookups by id and by idempotency key take constant time; the order is kept, never sorted."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.requests: dict[str, PaymentRequest] = {}
        self.order: list[str] = []
        self.created: array[float] = array("d")
        """`created_at` of each request of `order`: never falling, so that time ranges can be bisected."""
        self.keys: dict[tuple[str, str], KeyRecord] = {}
        self.work_by_key: dict[str, int] = {}
        """How many requests were really made under a key. More than one would be the sandbox's failure."""
        self.version = 0
        """Changes with every commit; tells a cached list that it is stale."""

    def restore(self, requests: Iterable[PaymentRequest], keys: Iterable[KeyRecord]) -> None:
        """Take over what the journal held."""
        for request in requests:
            self._keep(request)
        for key in keys:
            self.keys[key.owner, key.key] = key

    def commit(self, requests: Sequence[PaymentRequest], key: KeyRecord | None = None) -> None:
        """Write new or changed requests, then show them. When writing fails, nothing has changed."""
        self._journal.commit(requests, key)
        for request in requests:
            self._keep(request)
        if key is not None:
            self.keys[key.owner, key.key] = key

    def clear(self) -> None:
        """Forget every request and key."""
        self.requests.clear()
        self.order.clear()
        del self.created[:]
        self.keys.clear()
        self.work_by_key.clear()
        self.version += 1

    def not_before(self, now: float) -> float:
        """A creation time that keeps `created` from falling when the clock was set back."""
        return max(now, self.created[-1]) if self.created else now

    def _keep(self, request: PaymentRequest) -> None:
        self.version += 1
        if request.id not in self.requests:
            self.order.append(request.id)
            self.created.append(request.created_at)
            if request.idempotency_key is not None and request.direction == "outbound":
                key = request.idempotency_key
                self.work_by_key[key] = self.work_by_key.get(key, 0) + 1
        self.requests[request.id] = request
