"""The tables of an outbox."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from victor_ext._event_queue.events import event_table

from ._holding import control_table


class OutboxTables(NamedTuple):
    """The tables of an outbox: of its entries, of their events, and of what concerns it as a
    whole.
    """

    entries: sa.Table
    events: sa.Table
    control: sa.Table

    @classmethod
    def of(cls, entries: sa.Table, name: str) -> OutboxTables:
        """The tables of an outbox with this table of entries, and this name."""
        metadata = entries.metadata
        events = event_table(f"{name}_events", metadata)
        control = control_table(f"{name}_control", metadata)
        return cls(entries, events, control)
