"""The steps of an entry that is delivered: what `Sending` yields, and `Deliveries` makes."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from victor_ext import VictorError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A step that waits until it is known whether an entry was refused, or the client; its result
    is whether it was the entry.
    """

    error: VictorError


class CallNotMade(Exception):
    """Raised in the steps of an entry in place of a call: after an error that concerns all entries,
    none begins.
    """


Step: TypeAlias = Callable[[], Any] | Refusal
Steps: TypeAlias = Generator[Step, Any, T]
"""The steps of an entry: those of a `Pass`, and refusals."""
