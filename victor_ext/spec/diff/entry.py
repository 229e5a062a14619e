"""One changed component of a document, and what the change does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["breaks", "look", "fine", "none"]
"""What a change does: it breaks something; a person has to look; it does no harm; it does nothing."""
Direction = Literal["sent", "received", "both"]
"""Whether the component is part of requests, of responses, or of both."""

LEVELS: tuple[Level, ...] = ("none", "fine", "look", "breaks")
"""From the least to the worst."""


def worst(levels: Iterable[Level]) -> Level:
    """The worst of some levels; "none" when there are none."""
    return LEVELS[max(map(LEVELS.index, levels), default=0)]


@dataclass(frozen=True)
class PythonChange:
    """What a change does to the code that uses the generated package."""

    level: Literal["breaks", "look", "fine"]
    names: tuple[str, ...]
    """The Python names that are gone, renamed or retyped: `pkg.models.Card.price`."""
    what: str
    """What happened to them, in one sentence without a full stop."""
    whole: str = ""
    """The same with all that `what` only counts (`and 2 more`); empty when it leaves out nothing."""


@dataclass(frozen=True)
class Entry:
    """One changed component."""

    place: str
    """The dotted path of the component: `components.schemas.Card.properties.price`. See `components`."""
    operations: tuple[str, ...]
    """The operations that it reaches, sorted: `get /v1/cards`."""
    direction: Direction
    what: str
    wire: Level
    python: Level
    names: tuple[str, ...]
    fingerprint: str
    """It stays the same when other components, texts or versions change."""
    whole: str = ""
    """The same as `what` with all that it only counts (`and 2 more`); empty when it leaves out nothing."""
