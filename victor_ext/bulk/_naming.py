"""What people call the payments that an id settles (`id_holders`) or an entry asks for
(`name_of_entry`).
"""

from __future__ import annotations

from collections.abc import Collection
from operator import attrgetter
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext._event_queue.databases import Condition, OfFewRows
from victor_ext._event_queue.rows import lock_texts
from victor_ext.outbox._files import ENTRIES

from ._payments import PAYMENTS, StoredPayment, chosen_payments
from ._rows import content_of
from ._store import Store


class IdHolder(NamedTuple):
    """A payment that the id of a request, or of a payout, settles.

    Attributes:
        key: Its key in the database; empty: it was asked once more since, and this is of its
            earlier request.
        name: What people call it.
        reference_digest: Digest of the value that the provider repeats.
    """

    key: str
    name: str
    reference_digest: str


def id_holders(connection: Connection, store: Store, id: str) -> list[IdHolder]:
    """Return the payments that have this id, or had it before they were asked once more.

    Until the transaction ends, no worker stores the id.
    """
    lock_texts(connection, ENTRIES, [f"{store.client.provider} {id}"])
    holders = _holders(connection, store, PAYMENTS.c.made == id)
    has_id = sa.and_(ENTRIES.c.scope == store.owner, ENTRIES.c.request_id == id)
    for entry in connection.execute(sa.select(ENTRIES.c.key).where(has_id)).scalars():
        holders += _holders_of_entry(connection, store, entry)
    return holders


def holders_by_hand(connection: Connection, store: Store, ids: Collection[str]) -> list[IdHolder]:
    """Return the payments that have one of these ids beside any entry, as a person has said."""
    return _holders(connection, store, _is_by_hand(ids))


def _is_by_hand(ids: Any) -> Condition:
    """Holds for payments that have one of these ids beside any entry. All payments of a payout have
    its id: they are none of these.
    """
    # Hardly any payment has one: what SQLite counts of the others says nothing.
    return sa.and_(OfFewRows(PAYMENTS.c.made.in_(ids)), PAYMENTS.c.shared.is_(False))


PAYMENT_BY_HAND = (
    sa.select(PAYMENTS.c.key)
    .where(
        PAYMENTS.c.owner == sa.bindparam("owner"),
        _is_by_hand(sa.bindparam("ids", expanding=True, type_=sa.Text())),
    )
    .limit(1)
)
"""The query for a payment of an `owner` that has one of these `ids`, as of `holders_by_hand`. It is
asked for all results that are stored: so it is made once.
"""


def name_of_entry(store: Store, connection: Connection, entry: str) -> str:
    """Return what people call the payments that an entry asks for, or has asked for."""
    first, *others = _holders_of_entry(connection, store, entry)
    return f"{first.name} and {len(others)} more" if others else first.name


def _holders_of_entry(connection: Connection, store: Store, entry: str) -> list[IdHolder]:
    """Return the payments that an entry asks for; if it was of an earlier request, what that is
    called.
    """
    holders = _holders(connection, store, PAYMENTS.c.entry == entry)
    return holders or [IdHolder("", f"an earlier request, {entry}", "")]


def _holders(connection: Connection, store: Store, chosen: Condition) -> list[IdHolder]:
    """Return the payments that are chosen, in the order of their keys."""
    asked = chosen_payments(connection, sa.and_(PAYMENTS.c.owner == store.owner, chosen))
    asked.sort(key=attrgetter("key"))
    return [IdHolder(row.key, _name(store, row), row.reference_digest) for row in asked]


def _name(store: Store, stored: StoredPayment) -> str:
    """Return what people call a payment: its value in the key column; its key, if that was
    forgotten.
    """
    return content_of(store.vault, stored.row).value or stored.key
