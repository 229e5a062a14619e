"""The transactions of one run of a chunk, in their order: `claim_chunk`; `begin_payments`, before
some of its payments are sent; and `finish_chunk`. The last two store results, too.

Each run has a name of its own (`worker`). Each transaction checks that this run still has a
payment: another worker may have claimed the payment meanwhile, a file may have replaced its row, or
a person may have had it asked once more. A result that is certain is stored all the same, if the
payment still has the key that the result is about (`again`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext.ids import canonical_id
from victor_ext.settlement.flow import MAY_EXIST, why_not_its_own
from victor_ext.settlement.key_age import Sent

from .chunks import enqueue, move
from .contents import IdHolder, id_holders, result_values, row_of, sent_of
from .holding import is_held
from .layout import ChunkTerms, next_try
from .payments import ENDED, IN_DOUBT, LINES, PAYMENTS, UNDER_WAY, Condition, is_in, lock_payments
from .rows import Result, Row, RowOutcome
from .state_errors import StateLost
from .store import Store

RowResults: TypeAlias = Sequence[tuple[Row, Result]]
"""Rows as they were claimed, and what became of each."""
_WAS_SENT = MAY_EXIST | {RowOutcome.CREATED, RowOutcome.REJECTED}
"""Outcomes of rows that have left this machine."""
_PAYMENT_KEY = "payment_key"
_EARLIER_KEYS = "earlier_keys"
"""Parameters of a statement for many payments: the key of each, and how many keys it had before."""
_Values: TypeAlias = dict[str, Any]
_CLAIM_COLUMNS = tuple(PAYMENTS.c[name] for name in ("key", "place", "worker", "state", "sent"))
"""Which worker has a payment, and its state, without what the payment asks for."""


def claim_chunk(
    store: Store,
    chunk: str,
    worker: str,
) -> list[Row]:
    """Claim the payments of a chunk for this run. Earlier runs of the chunk lose them.

    Returns the rows of the payments; none if the state is held.
    """
    is_open = sa.and_(PAYMENTS.c.chunk == chunk, PAYMENTS.c.state.not_in(ENDED))
    with store.transaction() as connection:
        if is_held(connection):
            return []
        stored = lock_payments(connection, is_open)
        connection.execute(sa.update(PAYMENTS).where(is_open).values(worker=worker))
        unlisted_keys = _unlisted_keys(connection, is_open)
    rows = list[Row]()
    for payment in stored:
        row = row_of(store.vault, payment)
        is_looked_up = payment.restored or payment.key in unlisted_keys
        rows.append(_only_looked_up(row) if is_looked_up else row)
    return rows


def _unlisted_keys(connection: Connection, is_chosen: Condition) -> set[str]:
    """Return the keys of those payments that the latest file of no batch has."""
    lines, columns = LINES.c, PAYMENTS.c
    is_its_line = sa.and_(lines.owner == columns.owner, lines.key == columns.key, lines.number > 0)
    query = sa.select(columns.key).where(is_chosen, sa.not_(sa.exists().where(is_its_line)))
    return set(connection.execute(query).scalars())


def _only_looked_up(row: Row) -> Row:
    """Return a row that no file has, or that a restored state has: if the row may have been sent,
    it is looked up and not sent again. It may exist under a later key, or with other values.
    """
    if row.sent is None:
        return row
    return replace(row, sent=row.sent._replace(looked_up=True))


def begin_payments(
    store: Store,
    worker: str,
    keys: Sequence[str],
    sent: Sent | None,
    results: RowResults,
) -> set[str]:
    """Store results, and that the payments with these keys may have been sent from now on.

    Returns the keys of the payments that this worker still has, and that have not ended meanwhile.
    """
    with store.transaction() as connection:
        locked = _lock(store, connection, keys, results)
        _save_results(store, connection, worker, locked, results)
        if is_held(connection):
            return set()
        own_keys = {row.key for row in locked if row.worker == worker and row.state not in ENDED}
        to_send = own_keys.intersection(keys)
        if to_send:
            # The earliest time of sending counts: a payment that has one keeps it.
            is_new = sa.and_(store.has_key(to_send), PAYMENTS.c.sent.is_(None))
            values = {"state": UNDER_WAY, "sent": json.dumps(sent)}
            connection.execute(sa.update(PAYMENTS).where(is_new).values(values))
    return to_send


def _lock(
    store: Store,
    connection: Connection,
    keys: Sequence[str],
    results: RowResults,
) -> list[Any]:
    """Lock the payments with these keys or results. Return their `_CLAIM_COLUMNS`.

    Raises `StateLost` if a payment that was sent is not in the table any more.
    """
    keys_with_result = [row.payment for row, _ in results]
    is_chosen = store.has_key([*keys, *keys_with_result])
    locked = lock_payments(connection, is_chosen, columns=_CLAIM_COLUMNS)
    sent_keys = {row.payment for row, result in results if result.outcome in _WAS_SENT}
    if sent_keys - {row.key for row in locked}:
        raise StateLost.deleted("What the state has of payments")
    return locked


def finish_chunk(
    store: Store,
    worker: str,
    results: RowResults,
    chunk: str,
    left: Sequence[str],
    terms: ChunkTerms,
) -> None:
    """Store the last results of a chunk, and queue the rest in its next try.

    Args:
        left: The keys of the payments for the next try. Those that this worker has no more are
            not in it.
        terms: The terms of the next try.
    """
    with store.transaction() as connection:
        locked = _lock(store, connection, left, results)
        _save_results(store, connection, worker, locked, results)
        if left:
            is_left = sa.and_(store.has_key(left), PAYMENTS.c.chunk == chunk, _is_held_by(worker))
            _queue_in_chunk(store, connection, is_left, next_try(chunk), terms)


def _queue_in_chunk(
    store: Store,
    connection: Connection,
    is_left: Condition,
    chunk: str,
    terms: ChunkTerms,
) -> None:
    """Put payments into a new chunk, in their order."""
    query = sa.select(PAYMENTS.c.key).where(is_left).order_by(PAYMENTS.c.place)
    keys = list(connection.execute(query).scalars())
    if keys:
        move(connection, is_left, chunk)
        enqueue(store, connection, chunk, {**terms, "keys": keys})


def _is_held_by(worker: str) -> Condition:
    """Whether this worker still has a payment, and the payment has not ended."""
    return sa.and_(PAYMENTS.c.worker == worker, sa.not_(is_in(ENDED)))


def _save_results(
    store: Store,
    connection: Connection,
    worker: str,
    locked: Sequence[Any],
    results: RowResults,
) -> None:
    """Store results, each only where the state of its payment may still change to it.

    Args:
        locked: The payments, of `_lock`.
    """
    created = list[_Values]()
    certain = list[_Values]()
    uncertain = list[_Values]()
    for row, result in _with_own_ids(store, connection, locked, results):
        values: _Values = {
            _PAYMENT_KEY: row.payment,
            _EARLIER_KEYS: row.again,
            **result_values(store.vault, result),
        }
        if result.outcome is RowOutcome.CREATED:
            created.append(values)
        elif result.is_certain:
            certain.append(values)
        else:
            uncertain.append(values)
    # A created payment exists, whichever worker has it now, and whatever its state says.
    _update(store, connection, PAYMENTS.c.state != RowOutcome.CREATED.value, created)
    # What a payout says of its payments is as certain. It is stored whichever worker has them: else
    # the payments of one payout would have results of different times.
    _update(store, connection, is_in(IN_DOUBT), certain)
    _update(store, connection, _is_held_by(worker), uncertain)


def _with_own_ids(
    store: Store,
    connection: Connection,
    locked: Sequence[Any],
    results: RowResults,
) -> Iterator[tuple[Row, Result]]:
    """Yield results. One whose id is that of another payment is in doubt: the row is looked up, and
    not sent again. The rows of one call have the id of one payout.
    """
    digests: dict[str, str] = {}
    keys_by_unit: dict[str | None, set[str]] = {}
    for row, result in results:
        keys_by_unit.setdefault(result.unit, set()).add(row.payment)
        # What a later step of a payout changes was there before: the row has the id.
        id_of_step = canonical_id((row.arguments or {}).get("id"))
        if result.is_certain and result.made and result.made != id_of_step:
            digests[row.payment] = store.vault.fingerprint(result.made)
    holders = id_holders(connection, store, set(digests.values())) if digests else {}
    sent = {stored.key: sent_of(stored) for stored in locked}
    for row, result in results:
        own_holders = holders.get(digests.get(row.payment, ""), [])
        keys_of_call = keys_by_unit[result.unit] if result.unit else {row.payment}
        other = _other_holder(row.payment, own_holders, keys_of_call)
        if other is None:
            own_holders.append(IdHolder(row.payment, row.name, "", is_earlier=False))
            yield row, result
            continue
        reason = why_not_its_own(str(result.made), row.name, other)
        since = sent.get(row.payment) or row.sent
        looked_up = None if since is None else since._replace(looked_up=True)
        yield row, Result(RowOutcome.UNKNOWN, error=reason, sent=looked_up)


def _other_holder(
    key: str,
    holders: Sequence[IdHolder],
    keys_of_call: Collection[str],
) -> str | None:
    """Return the name of a payment of another call that has an id; None: there is none, or the
    payment with this key has the id already.
    """
    others = list[str]()
    for holder in holders:
        if holder.key == key and not holder.is_earlier:
            return None
        if holder.is_earlier or holder.key not in keys_of_call:
            others.append(holder.name)
    return others[0] if others else None


def _update(
    store: Store,
    connection: Connection,
    is_chosen: Condition,
    values: list[_Values],
) -> None:
    """Change many payments with one statement, those that are chosen.

    Each item of `values` names its payment by `_PAYMENT_KEY` and `_EARLIER_KEYS`: if a person has
    had the payment asked once more meanwhile, the result is about an earlier key, and is dropped.
    """
    if not values:
        return
    columns = PAYMENTS.c
    is_same_key = sa.and_(
        columns.owner == store.owner,
        columns.key == sa.bindparam(_PAYMENT_KEY),
        columns.again == sa.bindparam(_EARLIER_KEYS),
    )
    connection.execute(sa.update(PAYMENTS).where(is_same_key, is_chosen), values)
