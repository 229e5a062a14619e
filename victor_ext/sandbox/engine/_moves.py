"""What becomes of a resource: by a call, from which states and to which one; and by itself, at a
time of the business clock.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import count

from victor_ext.sandbox.server._provider import Refused


@dataclass(frozen=True, slots=True)
class Move:
    """A move of a resource.

    Args:
        leaves: The states in which it may be made.
        enters: The state that it leads to.
        otherwise: Why it is refused in another state, which stands in place of the braces.
        status: Of the response then.
        field: What is wrong then; empty: nothing alone.
    """

    leaves: Collection[str]
    enters: str
    otherwise: str
    status: int = 409
    field: str = ""

    def check(self, state: str) -> None:
        """Raise `Refused` in a state in which the move is not made."""
        if state not in self.leaves:
            raise Refused(self.status, self.otherwise.format(state), self.field)


class Timeline:
    """Moves that are made by themselves, in order of the times at which they are due."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], bool]]] = []
        self._numbers = count()

    def plan(self, at: float, move: Callable[[], bool]) -> None:
        """Plan a move for a time in epoch seconds. It returns False if there was nothing to move
        any more. Of moves at one time, the one that was planned first comes first.
        """
        heapq.heappush(self._due, (at, next(self._numbers), move))

    def pass_time(self, now: float) -> int:
        """Make every move that is due by `now`, also those that a move plans. Returns their
        number.
        """
        moved = 0
        while self._due and self._due[0][0] <= now:
            _, _, move = heapq.heappop(self._due)
            moved += move()
        return moved
