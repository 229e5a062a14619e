"""The events that are not handled yet: their states, and their table."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from .databases import ROW_ID, split_name


class EventState(StrEnum):
    """What is known of an event that is stored. An event that was handled is deleted."""

    WAITING = "waiting"
    """It is handled by the next pass, or tried again at its `due_at`."""
    DEAD = "dead"
    """Its handler has failed too often. It is tried again after `retry_dead_letters`."""
    NOT_FOUND = "not_found"
    """Anybody could post it, and the system does not know its id. Only the newest ones are kept."""
    DISCARDED = "discarded"
    """Somebody has given it up by `discard`: its error says who, and why."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event whose handler has failed too often.

    Attributes:
        id: Its number, for `retry_dead_letters` and `discard`.
        name: What happened: `completed`, `payment.paid`.
        source: The operation of an entry (`payouts.submit`), or the source of what was received.
        subject: The key of the entry, or the id of what was received.
        tries: How often it was tried.
        error: What its handler raised at last, without long numbers.
        stored_at: When it was stored, aware.
        provider: The name of the system that it is of.
    """

    id: int
    name: str
    source: str
    subject: str
    tries: int
    error: str
    stored_at: datetime
    provider: str


def event_table(name: str, metadata: sa.MetaData) -> sa.Table:
    """The table of the events of an outbox or inbox. Times are epoch seconds by the clock of the
    database; `data` is the event, as JSON.

    `once` is unique: while an event waits, no other event with the same text there is stored.
    """
    schema, own_name = split_name(name)
    return sa.Table(
        own_name,
        metadata,
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("once", sa.Text, unique=True),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("due_at", sa.Double, nullable=False),
        sa.Column("stored_at", sa.Double, nullable=False),
        sa.Column("error", sa.Text),
        schema=schema,
    )
