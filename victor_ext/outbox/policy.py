"""What differs between the entries of an outbox and those of files: `EntryPolicy`, and that of an
outbox. That of files is `FilePolicy`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import NoResultFound

from victor_ext import PreparedCall, VictorError
from victor_ext.event_queue.databases import Condition
from victor_ext.settlement.failures import is_refusal
from victor_ext.settlement.flow import PaymentOutcome, Settlement, Write

from .claims import Claims, Group
from .digests import reference_digest
from .entries import references_of, write_of
from .scope import Owner, Scope


class Payments(Protocol):
    """The payments that entries are for. Some have no entry, and may have an id nevertheless."""

    def name(self, connection: Connection, key: str) -> str:
        """Return what people call the payment of an entry."""
        ...

    def has_one_of(self, connection: Connection, ids: Collection[str]) -> bool:
        """Return whether a payment without an entry has one of these ids."""
        ...

    def holder_of(self, connection: Connection, id: str) -> str | None:
        """Return what people call a payment without an entry that has this id; None: none has."""
        ...

    def has_rival(self, connection: Connection, key: str, references: Collection[str]) -> bool:
        """Return whether what is found by these references may be that of a payment which this
        entry does not ask for.
        """
        ...

    def only_looked_up(self, connection: Connection, keys: Sequence[str]) -> Collection[str]:
        """Return those of these keys whose entries are not sent again if they may have been sent:
        no file asks for them any more.
        """
        ...

    def require_entry(self, connection: Connection, key: str) -> None:
        """Raise an error if an entry that could not be taken up was deleted, and its payment asks
        for it.
        """

    def count(self, call: PreparedCall, outcome: PaymentOutcome) -> None:
        """Count the payments of a call by what it has come to."""

    def hold(self, connection: Connection) -> None:
        """Hold a database that is another copy, with its entries and payments."""


class EntryPolicy(Protocol):
    """What a pass asks of the entries that it sends. `row` is an entry in clear."""

    payments: Payments | None
    """What the entries are for; None: they are all that there is."""

    # Which are taken up, and when

    def require(self, connection: Connection, client: Any) -> None:
        """Raise an error if the entries are not this client's."""

    def chosen(self) -> Condition:
        """Holds for the entries that a pass may take up at all."""
        ...

    def in_turn(self, claims: Claims, group: Group, connection: Connection) -> Group:
        """A group without the entries whose turn is later."""
        ...

    def turn(self, row: Any) -> Callable[[], Any] | None:
        """What waits until it is the turn of an entry; None: it is."""
        ...

    # How one is sent

    def write(self, row: Any, ahead: float) -> Write[PreparedCall]:
        """The entry as the write that `settle` takes. `ahead` is as of `write_of`."""
        ...

    def kept(self, row: Any) -> float:
        """Seconds for which the provider keeps the key of an entry."""
        ...

    def call(self, row: Any, client: Any, *, is_repeat: bool) -> Any:
        """Make the call of an entry. Its result is as of `create` of `settle`."""

    # What is stored of it

    def ends(self, refusal: VictorError) -> bool:
        """Whether an entry that was refused, and not the client, is not sent again."""
        ...

    def values_of_call(self, settlement: Settlement) -> dict[str, Any]:
        """The column values that say what came of a call that has settled nothing."""
        ...

    def values_of_end(
        self, row: Any, settlement: Settlement, values: dict[str, Any]
    ) -> dict[str, Any]:
        """The column values of an entry that was done, or was looked up; `values` are the usual
        ones.
        """
        ...

    def lost(self, *, is_certain: bool) -> None:
        """An entry that was called is not there. Raises an error, unless that costs nothing."""

    # Whose is what was made

    def beside(self, row: Any) -> Condition:
        """Holds for entries whose ids and references may be those of an entry."""
        ...

    def references(self, row: Any) -> tuple[Collection[str], Collection[str]]:
        """The references of an entry as the table of entries has them, and as that of references
        has them.
        """
        ...


class OutboxPolicy:
    """That of an outbox: each entry is sent by itself, and stays until it is forgotten.

    Args:
        table: Of the entries.
        scope: Whose they are.
        kept: Seconds for which the provider keeps keys.
    """

    payments: Payments | None = None

    def __init__(self, table: sa.Table, scope: Scope, kept: float) -> None:
        self._table = table
        self._scope = scope
        self._kept = kept

    def require(self, connection: Connection, client: Any) -> None:
        """The entries are those of one account and environment."""
        self._scope.require(connection, Owner.of(client))

    def chosen(self) -> Condition:
        """All."""
        return sa.true()

    def in_turn(self, claims: Claims, group: Group, connection: Connection) -> Group:  # noqa: ARG002 - each has its turn
        """All of them."""
        return group

    def turn(self, row: Any) -> Callable[[], Any] | None:  # noqa: ARG002 - as above
        """It is."""
        return None

    def write(self, row: Any, ahead: float) -> Write[PreparedCall]:
        """As it is stored."""
        return write_of(row, ahead)

    def kept(self, row: Any) -> float:  # noqa: ARG002 - one time for all
        """The time that the outbox was given."""
        return self._kept

    def call(self, row: Any, client: Any, *, is_repeat: bool) -> Any:  # noqa: ARG002 - rows of files differ
        """Send it."""
        return client.send(row.prepared)

    def ends(self, refusal: VictorError) -> bool:
        """Those that say that the same values are refused each time."""
        return is_refusal(refusal)

    def values_of_call(self, settlement: Settlement) -> dict[str, Any]:  # noqa: ARG002 - rows of files show it
        """None."""
        return {}

    def values_of_end(
        self,
        row: Any,  # noqa: ARG002 - rows of files say more
        settlement: Settlement,  # noqa: ARG002 - as above
        values: dict[str, Any],
    ) -> dict[str, Any]:
        """The usual ones."""
        return values

    def lost(self, *, is_certain: bool) -> None:  # noqa: ARG002 - both are a mistake
        """Somebody has deleted it by hand."""
        raise NoResultFound("The entry was deleted while it was sent.")

    def beside(self, row: Any) -> Condition:
        """Those of its system."""
        is_of_system: Condition = self._table.c.provider == row.provider
        return is_of_system

    def references(self, row: Any) -> tuple[Collection[str], Collection[str]]:
        """In clear, and their digests."""
        references = references_of(row)
        return references, [*map(reference_digest, references)]
