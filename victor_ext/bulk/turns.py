"""The turns of rows: all machines together send so many rows of a batch a second."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext.event_queue.databases import database_time
from victor_ext.outbox.files import LONGEST_TURN

from .payments import BATCHES
from .store import Store


def reserve_turns(store: Store, connection: Connection, batches: Sequence[str]) -> list[float]:
    """Reserve the next turn of each of these batches, in their order, by the clock of the database,
    which all machines share.

    Returns the seconds until each. A turn that is more than `LONGEST_TURN` away is not reserved:
    other machines get theirs between those of one worker.
    """
    columns = BATCHES.c
    query = sa.select(columns.batch, columns.rate, columns.next_turn).where(
        columns.owner == store.owner,
        columns.rate.is_not(None),
        columns.batch.in_(sorted(set(batches))),
    )
    paced = connection.execute(query.order_by(columns.batch).with_for_update()).all()
    if not paced:
        return [0.0] * len(batches)
    now = database_time(connection)
    gaps = {batch: 1.0 / rate for batch, rate, _ in paced}
    turns = {batch: _next_turn(turn, now, gaps[batch]) for batch, _, turn in paced}
    waits: list[float] = []
    for batch in batches:
        wait = turns.get(batch, now) - now
        waits.append(wait)
        if batch in gaps and wait <= LONGEST_TURN:
            turns[batch] += gaps[batch]
    for batch, turn in turns.items():
        named = sa.and_(columns.owner == store.owner, columns.batch == batch)
        connection.execute(sa.update(BATCHES).where(named).values(next_turn=turn))
    return waits


def _next_turn(stored: float, now: float, gap: float) -> float:
    """The next turn of a batch, whose turns are `gap` seconds apart."""
    # A turn that is further away than any worker can have reserved is of a clock that was ahead.
    was_ahead = stored > now + LONGEST_TURN + 2 * gap
    return now + gap if was_ahead else max(stored, now)
