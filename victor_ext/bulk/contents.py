"""Convert a stored payment to the `Row` that it asks for and the `Result` that it has, which are
encrypted; and find the payments that an id settles (`id_holders`), or that an entry asks for
(`name_of_entry`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext.event_queue.rows import lock_texts
from victor_ext.outbox.files import ENTRIES
from victor_ext.settlement.flow import SETTLED

from .payments import ASKED, LEFT_OUT, UNDER_WAY, WITH_ENTRIES
from .rows import Result, Row, RowOutcome
from .store import Store
from .vault import Vault

_NOT_DECIDED = "It was sent, and the provider has not said yet whether it accepts this row."


def row_of(vault: Vault, stored: Any) -> Row:
    """Return what a stored payment asks for.

    Args:
        stored: A row with the `PAYMENT_COLUMNS`.
    """
    return Row.of_stored(stored.key, vault.deserialize(stored.row), stored.again)


def result_of(vault: Vault, stored: Any) -> Result | None:
    """Return what became of a stored payment; None: it is under way, left out, or not tried."""
    if stored.state in (None, UNDER_WAY, LEFT_OUT):
        return None
    outcome = RowOutcome(stored.state)
    if stored.own_state is not None:
        id_, status, error, unit = (
            [None] * 4 if stored.result is None else vault.deserialize(stored.result)
        )
        return Result(outcome, id_, status, error, unit)
    error = vault.opened_error(stored.error)
    if not stored.shared:
        return Result(outcome, stored.request_id, stored.status, error)
    if outcome is RowOutcome.ACCEPTED and stored.request_id is not None:
        return Result(outcome, error=_NOT_DECIDED, unit=stored.request_id)
    return Result(outcome, error=error)


def own_values(vault: Vault, result: Result) -> dict[str, Any]:
    """Return the columns of a payment, with their values, that store a result beside its entry."""
    return {
        "state": result.outcome.value,
        "result": vault.sealed([result.id, result.status, result.error, result.unit]),
        "made": result.made if result.outcome in SETTLED else None,
    }


class IdHolder(NamedTuple):
    """A payment that the id of a request, or of a payout, settles.

    Attributes:
        key: Its key in the database.
        name: What people call it; of one that was asked once more since: its earlier request.
        reference_digest: As of `ASKED`.
        is_earlier: Whether it was asked once more since.
    """

    key: str
    name: str
    reference_digest: str
    is_earlier: bool


def id_holders(connection: Connection, store: Store, id: str) -> list[IdHolder]:
    """Return the payments that have this id, or had it before they were asked once more.

    Until the transaction ends, no worker stores the id.
    """
    lock_texts(connection, ENTRIES, [f"{store.system} {id}"])
    of_payment = ASKED.c.key, ASKED.c.row, ASKED.c.reference_digest
    has_id = sa.or_(ENTRIES.c.request_id == id, ASKED.c.made == id)
    query = sa.select(*of_payment).select_from(WITH_ENTRIES)
    present = connection.execute(query.where(ASKED.c.owner == store.owner, has_id)).all()
    holders = [_holder(store.vault, *row, is_earlier=False) for row in present]
    # An entry that no payment has any more is of an earlier key. What it was stored for is known
    # by the payment, whose keys count up.
    earlier = sa.select(ENTRIES.c.key).where(
        ENTRIES.c.scope == store.owner,
        ENTRIES.c.request_id == id,
        ENTRIES.c.key.not_in(
            sa.select(ASKED.c.entry).where(ASKED.c.owner == store.owner, ASKED.c.entry.is_not(None))
        ),
    )
    for key in connection.execute(earlier).scalars():
        holders += _of_earlier_key(connection, store, key)
    return holders


def name_of_entry(store: Store, connection: Connection, entry: str) -> str:
    """Return what people call the payments that an entry asks for, or has asked for."""
    of_payment = ASKED.c.key, ASKED.c.row, ASKED.c.reference_digest
    has_entry = sa.and_(ASKED.c.owner == store.owner, ASKED.c.entry == entry)
    present = connection.execute(sa.select(*of_payment).where(has_entry).order_by(ASKED.c.key))
    holders = [_holder(store.vault, *row, is_earlier=False) for row in present]
    first, *others = holders or _of_earlier_key(connection, store, entry)
    return f"{first.name} and {len(others)} more" if others else first.name


def _holder(
    vault: Vault, key: str, row: str, reference_digest: str, *, is_earlier: bool
) -> IdHolder:
    name = Row.of_stored(key, vault.deserialize(row)).name
    if is_earlier:
        name = f"an earlier request of {name}"
    return IdHolder(key, name, reference_digest, is_earlier)


def _of_earlier_key(connection: Connection, store: Store, entry: str) -> list[IdHolder]:
    """Return the payments that an entry with an earlier key of theirs asked for."""
    columns = ASKED.c.key, ASKED.c.row, ASKED.c.reference_digest, ASKED.c.again
    again = sa.select(*columns).where(ASKED.c.owner == store.owner, ASKED.c.again > 0)
    holders: list[IdHolder] = []
    for key, row, reference_digest, count in connection.execute(again):
        if any(Row.key_after(key, number) == entry for number in range(count)):
            holders.append(_holder(store.vault, key, row, reference_digest, is_earlier=True))
    return holders or [IdHolder("", f"an earlier request, {entry}", "", is_earlier=True)]
