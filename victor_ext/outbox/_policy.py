"""What differs between the entries of an outbox and those of files: `EntryPolicy`, and that of an
outbox. That of files is `FilePolicy`. `PaymentRegister` are what entries are for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext._event_queue.databases import Condition
from victor_ext._settlement.failures import is_refusal
from victor_ext._settlement.flow import Settlement

from ._scope import Scope


class PaymentRegister:
    """The payments that entries are for. These are all that there is, and are called by their keys;
    of files, some have no entry, and may have an id nevertheless.
    """

    def name(self, connection: Connection, key: str) -> str:  # noqa: ARG002 - here and below
        """Return what people call the payment of an entry."""
        return key

    def holder_of(self, connection: Connection, ids: Collection[str]) -> str | None:  # noqa: ARG002
        """Return what people call a payment without an entry that has one of these ids; None: none
        has.
        """
        return None

    def hold(self, connection: Connection) -> None:
        """Hold the payments of a database that is another copy; its entries are held."""


class EntryPolicy(Protocol):
    """What a pass asks of the entries that it sends. `row` is an entry in clear."""

    payments: PaymentRegister
    """What the entries are for."""
    owner: sa.Column[Any]
    """The column that says of which system, and environment, an entry is: two entries of one owner
    have no id in common.
    """

    # Which are taken up, and when

    def require(self, connection: Connection, client: Any) -> None:
        """Raise an error if the entries are not this client's."""

    def chosen(self) -> Condition:
        """Holds for the entries that a pass may take up at all."""
        ...

    wait_for_turn: Callable[[], None] | None
    """Waits until a call may begin; None: each may."""

    # How one is sent

    def prepare(self, rows: Sequence[Any], connection: Connection) -> Sequence[Any]:
        """Prepare the calls of those entries that were stored without one. Returns the entries that
        have a call now.
        """
        ...

    # What is stored of it

    def end(self, row: Any, settlement: Settlement, values: dict[str, Any]) -> dict[str, Any]:
        """The column values that say what has become of an entry. Without a state among them, it
        is as it was before its call: nothing was settled.

        Args:
            values: The usual ones; of a call that has settled nothing, none.
        """
        ...


class OutboxPolicy:
    """The policy of an outbox: each entry is sent by itself, and stays until it is forgotten.

    Args:
        table: Of the entries.
        scope: Whose they are.
    """

    def __init__(self, table: sa.Table, scope: Scope) -> None:
        self.payments = PaymentRegister()
        self.owner: sa.Column[Any] = table.c.provider
        self.wait_for_turn: Callable[[], None] | None = None
        self._scope = scope

    def require(self, connection: Connection, client: Any) -> None:
        """Raise an error unless the entries are those of the client's account and environment."""
        self._scope.require(connection, client)

    def chosen(self) -> Condition:
        """Holds for all entries."""
        return sa.true()

    def prepare(self, rows: Sequence[Any], connection: Connection) -> Sequence[Any]:  # noqa: ARG002
        """All of them: they were stored with their calls."""
        return rows

    def end(
        self,
        row: Any,  # noqa: ARG002 - rows of files say more
        settlement: Settlement,
        values: dict[str, Any],
    ) -> dict[str, Any]:
        """The usual column values; none after an error that does not say that the same values are
        refused each time.
        """
        error = settlement.error
        is_over = settlement.looked_up or error is None or is_refusal(error)
        return values if is_over else {}
