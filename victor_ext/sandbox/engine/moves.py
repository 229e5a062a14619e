"""What a call makes of a resource: from which states, to which one, and why not from others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from victor_ext.sandbox.engine.refused import Refused

if TYPE_CHECKING:
    from collections.abc import Collection


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
