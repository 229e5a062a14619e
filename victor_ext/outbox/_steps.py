"""The steps of an entry that is delivered: what `Sending` yields, and `Deliveries` makes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from victor_ext import VictorError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A step that waits until it is known whether an entry was refused, or the client; its result
    is whether it was the entry.
    """

    error: VictorError


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


Step: TypeAlias = Callable[[], Any] | SharedCall | Refusal
Steps: TypeAlias = Generator[Step, Any, T]
"""The steps of an entry: those of a `Pass`, calls that it shares, and refusals."""
