"""Convert a stored payment to the `Row` that it asks for and the `Result` that it has, which are
encrypted; and find the payments that have the id of a request (`id_holders`), or may have made it
(`rivals`).
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext.event_queue.rows import lock_texts
from victor_ext.settlement.key_age import Sent

from .payments import EARLIER_IDS, IN_DOUBT, LEFT_OUT, PAYMENTS, UNDER_WAY
from .rows import Result, Row, RowOutcome
from .store import Store
from .vault import Vault

_NO_RESULT = frozenset({UNDER_WAY, LEFT_OUT})
"""States in which a stored result does not count: it is of an earlier try."""


def row_of(vault: Vault, stored: Any) -> Row:
    """Return what a stored payment asks for, and when the payment may have been sent.

    Args:
        stored: A row of the table, with all columns of `PAYMENTS`.
    """
    row = Row.of_stored(stored.key, vault.deserialize(stored.row), stored.again)
    result = result_of(vault, stored)
    unit = None if result is None else result.unit
    return replace(
        row,
        sent=sent_of(stored),
        place=stored.place,
        unit=unit,
        key_retention=stored.kept,
    )


def result_of(vault: Vault, stored: Any) -> Result | None:
    """Return what became of a stored payment; None: it has no result that counts."""
    if stored.result is None or stored.state in _NO_RESULT:
        return None
    id_, status, error, unit = vault.deserialize(stored.result)
    return Result(RowOutcome(stored.state), id_, status, error, sent_of(stored), unit)


def sent_of(stored: Any) -> Sent | None:
    """Return when a stored payment may have been sent first; None: it was not sent."""
    return None if stored.sent is None else Sent.from_json(json.loads(stored.sent))


def result_values(vault: Vault, result: Result) -> dict[str, Any]:
    """Return the columns of a payment, with their values, that store its result."""
    return {
        "state": result.outcome.value,
        "result": vault.serialize([result.id, result.status, result.error, result.unit]),
        "sent": None if result.sent is None else json.dumps(result.sent),
        "made_digest": None if result.made is None else vault.fingerprint(result.made),
    }


class IdHolder(NamedTuple):
    """A payment that the id of a request, or of a payout, settles.

    Attributes:
        key: Its key in the database.
        name: What people call it; of one that was asked once more since: its earlier request.
        reference_digest: As of `PAYMENTS`.
        is_earlier: Whether it was asked once more since.
    """

    key: str
    name: str
    reference_digest: str
    is_earlier: bool


def id_holders(
    connection: Connection,
    store: Store,
    digests: Collection[str],
) -> dict[str, list[IdHolder]]:
    """Return the payments that have ids with these digests, or had them before they were asked once
    more, by digest. Until the transaction ends, nobody else stores one of the ids.
    """
    lock_texts(connection, PAYMENTS, digests)
    columns, earlier = PAYMENTS.c, EARLIER_IDS.c
    of_payment = columns.key, columns.row, columns.reference_digest
    present = sa.select(columns.made_digest, *of_payment, sa.false()).where(
        columns.owner == store.owner, columns.made_digest.in_(digests)
    )
    before = sa.select(earlier.made_digest, *of_payment, sa.true()).where(
        earlier.owner == store.owner,
        earlier.made_digest.in_(digests),
        columns.owner == earlier.owner,
        columns.key == earlier.key,
    )
    holders: dict[str, list[IdHolder]] = {digest: [] for digest in digests}
    for digest, key, row, reference_digest, is_earlier in connection.execute(
        sa.union_all(present, before)
    ):
        name = Row.of_stored(key, store.vault.deserialize(row)).name
        if is_earlier:
            name = f"an earlier request of {name}"
        holders[digest].append(IdHolder(key, name, reference_digest, bool(is_earlier)))
    return holders


def rivals(
    store: Store,
    references: Collection[str],
) -> dict[str, set[str]]:
    """Return the keys of the payments with these references that may have made a request and are
    not settled, by reference.
    """
    columns = PAYMENTS.c
    by_digest = {store.vault.fingerprint(reference): reference for reference in references}
    may_exist = sa.or_(columns.state.in_(IN_DOUBT), columns.restored)
    query = sa.select(columns.reference_digest, columns.key).where(
        columns.owner == store.owner, columns.reference_digest.in_(by_digest), may_exist
    )
    keys: dict[str, set[str]] = {reference: set() for reference in references}
    with store.engine.connect() as connection:
        for digest, key in connection.execute(query):
            keys[by_digest[digest]].add(key)
    return keys
