"""The parts of an outbox, put together. The public classes hold an `OutboxEngine`, and so does bulk
sending: what differs is their `EntryPolicy`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import NamedTuple

from victor_ext._event_queue.handlers import Handlers
from victor_ext._event_queue.queue import EventQueue
from victor_ext._event_queue.transactions import Transactions
from victor_ext._event_queue.vault import Vault
from victor_ext._settlement.failures import Backoff, RefusalStreak

from ._entries import Entry, OutboxEvent
from ._holding import Holding
from ._life import Life
from ._policy import EntryPolicy
from ._rivals import Rivals
from ._storing import EntryStore, event_kind
from ._tables import OutboxTables


class EngineTerms(NamedTuple):
    """The terms of an outbox: see the arguments of `Outbox`. Times are in seconds. `kept` is what
    was said of keys; None: nothing was. The `lease` is that of events: of an outbox that has none
    it never ends.
    """

    kept: float | None
    settle_for: float
    workers: int
    lease: float = inf


class OutboxEngine:
    """The parts of an outbox. The arguments are attributes, too.

    Args:
        tables: Of the outbox.
        transactions: On its database.
        vault: Encrypts and decrypts its entries.
        policy: Of its entries.
        terms: Of the outbox.
        handlers: Of this process; None: it has none.
        log_done: Logs the entries that have come to a result, if a round ends with an error.

    Attributes:
        holding: Whether the outbox is held.
        queue: Of the events of its entries.
        store: Changes its entries.
        rivals: Look for the ids of others.
        workers: The maximum number of calls under way at once.
        backoff: The pauses of a worker.
        refusals: The refusals of each client's calls, over all rounds, by its system, address and
            credentials.
    """

    def __init__(
        self,
        tables: OutboxTables,
        transactions: Transactions,
        vault: Vault,
        policy: EntryPolicy,
        terms: EngineTerms,
        handlers: Handlers[OutboxEvent] | None = None,
        log_done: Callable[[Sequence[Entry]], object] = len,
    ) -> None:
        entries, events, control, _ = tables
        if handlers is None:
            handlers = Handlers(events, transactions.driver)
        self.tables = tables
        self.transactions = transactions
        self.vault = vault
        self.policy = policy
        self.terms = terms
        self.log_done = log_done
        life = Life(entries, control)
        self.holding = Holding(entries, control, life, terms.settle_for, policy.payments)
        kind = event_kind(entries, vault, self.holding)
        self.queue = EventQueue(transactions, events, handlers, kind, terms.lease)
        self.store = EntryStore(entries, vault, self.queue, transactions)
        self.rivals = Rivals(tables, vault, policy)
        self.workers = terms.workers
        self.backoff = Backoff()
        self.refusals: dict[tuple[str, str, str | None], RefusalStreak] = {}
