"""The steps of an entry that is delivered: what `Sending` yields, and `Deliveries` makes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")


class Postponed:
    """A step that waits until no other entry of the pass is in a call; its result is whether the
    entries that were refused are the cause, and not the client.
    """


@dataclass(frozen=True, slots=True)
class SharedCall:
    """A step that is one call for all entries of the pass that wait for one of the same `group`.

    Attributes:
        item: What the call needs of this entry.
        make: Makes the call for a list of such items, and returns the result of each, or its error,
            in their order.
    """

    group: Hashable
    item: Any = field(repr=False)
    make: Callable[[Sequence[Any]], Any] = field(repr=False)


class CallNotMade(Exception):
    """Raised in the steps of an entry in place of a call: after an error that concerns all entries,
    none begins.
    """


Step: TypeAlias = Callable[[], Any] | SharedCall | Postponed
Steps: TypeAlias = Generator[Step, Any, T]
"""The steps of an entry: those of a `Pass`, calls that it shares, and waits for the others."""
