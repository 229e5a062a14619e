"""A restored state: `hold_state` keeps everything from being sent, and `release_state` ends that.

A backup knows only the past. Every payment in it may have been asked for since, also under a later
key, under another number or with other values. So each hold marks every payment as `restored`. The
mark stays until a person has resolved the payment: until then it is looked up and not sent, by
`resume` (`claims.claim_chunk`) and by a file that has it (`deciding.decide`). A payment that waits
may have been sent since it was stored: the release marks it as under way since then.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import ConfigurationError

from .payments import PAYMENTS, STATE_KEY, TO_BE_SENT, UNDER_WAY


def hold_state(connection: Connection, keep_key: Callable[[Connection], None]) -> int:
    """Keep everything in the state from being sent.

    A state that is held already may be a copy from that time: its payments are marked, too, also
    those that a person has resolved since the first hold.

    Args:
        keep_key: Stores the key of the state, if the state has none. The hold is a column of the
            same row.

    Returns:
        How many payments are marked.
    """
    keep_key(connection)
    held_at = sa.func.coalesce(STATE_KEY.c.held_at, time.time())
    connection.execute(sa.update(STATE_KEY).values(held_at=held_at))
    return connection.execute(sa.update(PAYMENTS).values(restored=True)).rowcount


def release_state(connection: Connection, no_chunk: str) -> int | None:
    """Let rows be sent again. Those that wait count as maybe sent since they were stored: they are
    looked up.

    Args:
        no_chunk: The chunk that a payment without a chunk gets, so that it is retried.

    Returns:
        How many payments waited; None: the state was not held.
    """
    if not is_held(connection):
        return None
    columns = PAYMENTS.c
    is_waiting = columns.state.in_(TO_BE_SENT)
    values = {
        "state": UNDER_WAY,
        "sent": columns.stored,
        "chunk": sa.func.coalesce(columns.chunk, no_chunk),
        "worker": None,
    }
    result = connection.execute(sa.update(PAYMENTS).where(is_waiting).values(values))
    connection.execute(sa.update(STATE_KEY).values(held_at=None))
    return int(result.rowcount)


def refuse_held(connection: Connection) -> None:
    """Raise `ConfigurationError` if the state is held."""
    if is_held(connection):
        raise ConfigurationError(
            "The state is held, because it was restored: nothing is sent. Compare its batches with "
            "the provider ('victor reconcile') and stop all other copies of it; then release it "
            "('victor bulk release')."
        )


def is_held(connection: Connection) -> bool:
    """Whether the state is held: nothing may be sent."""
    return held_since(connection) is not None


def held_since(connection: Connection) -> datetime | None:
    """Return since when the state is held, aware; None: it is not."""
    moment = connection.execute(sa.select(STATE_KEY.c.held_at)).scalar()
    return None if moment is None else datetime.fromtimestamp(moment, UTC)
