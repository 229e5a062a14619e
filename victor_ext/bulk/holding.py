"""A restored state: a hold keeps everything from being sent, and marks what may have been since.

A backup knows the past alone. Every payment that it has may have been asked for since, also under a
later key: it is `restored` until a person has resolved it, and a file that has it lets it be looked
up (`deciding.decide`). What waits may have been sent since it was stored: `release` marks it so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import ConfigurationError

from .payments import PAYMENTS, STATE_KEY, TO_BE_SENT, UNDER_WAY


def hold(connection: Connection, keep_key: Callable[[Connection], None]) -> None:
    """Keep everything from being sent.

    If the state is held already, nothing is changed: what a person has found out since then counts.

    Args:
        keep_key: Stores the key of the state, if it has none: it has what is held.
    """
    keep_key(connection)
    if is_held(connection):
        return
    connection.execute(sa.update(STATE_KEY).values(held_at=time.time()))
    connection.execute(sa.update(PAYMENTS).values(restored=True))


def release(connection: Connection, no_chunk: str) -> int | None:
    """Let rows be sent again. What waits may have been sent since it was stored.

    Args:
        no_chunk: Stands for the chunk of a payment that was in none.

    Returns:
        How many payments waited; None: the state was not held.
    """
    if not is_held(connection):
        return None
    columns = PAYMENTS.c
    may_have_left = columns.state.in_(TO_BE_SENT)
    values = {
        "state": UNDER_WAY,
        "sent": columns.stored,
        "chunk": sa.func.coalesce(columns.chunk, no_chunk),
        "worker": None,
    }
    marked = connection.execute(sa.update(PAYMENTS).where(may_have_left).values(values))
    connection.execute(sa.update(STATE_KEY).values(held_at=None))
    return int(marked.rowcount)


def refuse_held(connection: Connection) -> None:
    """Raise `ConfigurationError` if the state is held."""
    if is_held(connection):
        raise ConfigurationError(
            "The state is held, because it was restored: nothing is sent. Once no other copy "
            "of it sends any more, release it ('victor bulk release')."
        )


def is_held(connection: Connection) -> bool:
    """Whether nothing may be sent."""
    return held_since(connection) is not None


def held_since(connection: Connection) -> datetime | None:
    """Return since when the state is held, aware; None: it is not."""
    moment = connection.execute(sa.select(STATE_KEY.c.held_at)).scalar()
    return None if moment is None else datetime.fromtimestamp(moment, UTC)
