"""What a provider shows of its state on the page: its records, such as payment requests."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from victor_ext.sandbox.server.operations import JsonObject
from victor_ext.sandbox.server.received import Received

Tone = Literal["waiting", "good", "bad", "plain"]


@dataclass(frozen=True, kw_only=True)
class Field:
    """One input of an action."""

    name: str
    """The parameter of the command."""
    label: str
    value: str = ""
    required: bool = False
    longest: int = 150


@dataclass(frozen=True, kw_only=True)
class Action:
    """A button that sends one control command."""

    label: str
    path: str
    parameters: JsonObject
    shortcut: str
    """The key on the keyboard."""
    fields: tuple[str, ...] = ()
    """The names of the inputs that are sent with it."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One record in a list and on a page of its own. Every text may come from a caller: it is escaped when shown."""

    id: str
    group: str
    """The id of the record that it belongs to; its own when it belongs to none."""
    at: float
    """When it was made, in epoch seconds of the wall clock."""
    status: str
    tone: Tone
    amount: str
    incoming: bool
    who: str
    """The other party."""
    key: str | None = None
    """The idempotency key that led to it, also when that made another record first."""
    reference: str | None = None
    notes: str | None = None


@dataclass(frozen=True)
class Move:
    """A status that a record came into."""

    status: str
    tone: Tone
    at: float
    """Epoch seconds of the wall clock: when the sandbox made the move."""
    due: float
    """Epoch seconds of the business clock: when the status began."""


@dataclass(frozen=True, kw_only=True)
class Details:
    """All that is known of one record."""

    record: Record
    facts: Sequence[tuple[str, str]]
    moves: Sequence[Move]
    related: Sequence[tuple[str, str]] = ()
    """What the link says, and the id of the record."""
    fields: Sequence[Field] = ()
    actions: Sequence[Action] = ()
    ids: frozenset[str] = frozenset()
    """The ids whose calls belong to the life of the record."""


class Records(ABC):
    """The records of a provider."""

    title: str
    """What they are called, in the plural."""

    @abstractmethod
    def count(self) -> int:
        """The number of all of them; one and those that belong to it count as one."""

    @abstractmethod
    def latest(self, count: int) -> Sequence[Record]:
        """The last records, newest first."""

    @abstractmethod
    def details(self, record_id: str) -> Details:
        """One record; raises `NotFound`."""

    @abstractmethod
    def as_test(self, record_id: str, calls: Sequence[Received]) -> str:
        """A test that repeats the life of a record; `calls` are those about it, oldest first."""
