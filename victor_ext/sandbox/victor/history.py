"""When the last requests came into which status: kept in memory, for the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from victor_ext.sandbox.victor.model import PaymentRequest, Status

_KEPT = 2_000
_HALF_MILLISECOND = 0.0005
"""By so much may a time of the provider, which is rounded, lie before the call that led to it."""


class Came(NamedTuple):
    """A request came into a status."""

    status: Status
    at: float
    """Epoch seconds of the wall clock."""
    due: float
    """Epoch seconds of the business clock."""


class History:
    """The moves of the last requests."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._moves: dict[str, list[Came]] = {}

    def add(self, before: PaymentRequest | None, now: PaymentRequest) -> None:
        """Note a request that is new, or in another status than before."""
        if before is not None and before.status == now.status:
            return
        self._moves.setdefault(now.id, []).append(Came(now.status, self._wall(), now.changed_at))
        if len(self._moves) > _KEPT:
            del self._moves[next(iter(self._moves))]

    def of(self, request: PaymentRequest, advanced: float) -> list[Came]:
        """The moves of a request; of one whose beginning is not remembered, what the request itself tells.

        `advanced` is how far the business clock is ahead of the wall clock.
        """
        moves = self._moves.get(request.id, [])
        if moves and moves[0].status == ("pending" if request.direction == "inbound" else "created"):
            return moves
        first: Status = "pending" if request.direction == "inbound" else "created"
        told: list[tuple[Status, float]] = [(first, request.created_at)]
        if request.status != first and not moves:
            told.append((request.status, request.changed_at))
        return [Came(status, due - advanced + _HALF_MILLISECOND, due) for status, due in told] + moves

    def clear(self) -> None:
        """Forget everything."""
        self._moves.clear()
