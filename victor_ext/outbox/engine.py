"""An outbox put together. The public classes hold an `OutboxEngine`, and so does bulk sending: what
differs is their `EntryPolicy`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from victor_ext.event_queue.handlers import Handlers
from victor_ext.event_queue.queue import EventQueue
from victor_ext.event_queue.transactions import Transactions

from .entries import Entry, OutboxEvent
from .holding import Holding
from .life import Life
from .passes import EngineTerms, Parts, Refreshing, Rounds
from .policy import EntryPolicy
from .rivals import Rivals
from .sealing import Sealing
from .sending import Sending
from .storing import EntryEvents, EntryStore
from .tables import OutboxTables


class OutboxEngine:
    """The parts of an outbox.

    Args:
        tables: Of the outbox.
        transactions: On its database.
        sealing: Encrypts and decrypts its entries.
        policy: Of its entries.
        terms: Of the outbox.
        handlers: Of this process; None: it has none.
        log_done: Logs the entries that have come to a result, if a round ends with an error.
    """

    def __init__(
        self,
        tables: OutboxTables,
        transactions: Transactions,
        sealing: Sealing,
        policy: EntryPolicy,
        terms: EngineTerms,
        handlers: Handlers[OutboxEvent] | None = None,
        log_done: Callable[[Sequence[Entry]], object] = len,
    ) -> None:
        entries, events, control, _ = tables
        if handlers is None:
            handlers = Handlers(events, transactions.driver)
        self.terms = terms
        self.sealing = sealing
        self.holding = Holding(entries, control, Life(control, entries), terms.settle_for)
        kind = EntryEvents(sealing, self.holding)
        self.queue = EventQueue(transactions, events, handlers, kind, terms.lease)
        self.store = EntryStore(entries, sealing, self.queue, transactions, policy.lost)
        self.rivals = Rivals(tables, sealing, policy)
        sending = Sending(self.store, self.rivals, transactions, policy, terms.settle_for)
        parts = Parts(tables, transactions, sealing, self.holding, policy, self.store)
        self.rounds = Rounds(parts, sending, self.rivals, handlers, terms, log_done)
        self.refreshing = Refreshing(parts)
