"""A restored state: `hold_state` keeps everything from being sent, and `release_state` ends that.

A backup knows only the past. Every payment in it may have been asked for since, also under a later
key, under another number or with other values. So each hold marks every payment as `restored`. The
mark stays until a person has resolved the payment: until then it is looked up and not sent, by
`resume`, and by a file that has it (`deciding.decide`). The entries of payments that wait are
marked by the outbox (`victor_ext.outbox.holding`): they may have been sent.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import ConfigurationError
from victor_ext.event_queue.rows import change_rows
from victor_ext.outbox.files import hold_entries, moment_of_hold, release_entries

from .payments import ASKED


def hold_state(connection: Connection) -> int:
    """Keep everything in the state from being sent.

    A state that is held already may be a copy from that time: its payments are marked, too, also
    those that a person has resolved since the first hold.

    Returns:
        How many payments are marked.
    """
    hold_entries(connection)
    return change_rows(connection, ASKED, sa.true(), restored=True)


def release_state(connection: Connection) -> int | None:
    """Let rows be sent again. Those that waited count as maybe sent: they are looked up.

    Returns:
        How many entries waited; None: the state was not held.
    """
    if held_since(connection) is None:
        return None
    return release_entries(connection)


def refuse_held(connection: Connection) -> None:
    """Raise `ConfigurationError` if the state is held."""
    if held_since(connection) is not None:
        raise ConfigurationError(
            "The state is held, because it was restored: nothing is sent. Compare its batches with "
            "the provider ('victor reconcile') and stop all other copies of it; then release it "
            "('victor bulk release')."
        )


def held_since(connection: Connection) -> datetime | None:
    """Return since when the state is held, aware; None: it is not."""
    moment = moment_of_hold(connection)
    return None if moment is None else datetime.fromtimestamp(moment, UTC)
