"""The outbox on a connection of Django's."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Unpack

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, transaction

from victor_ext import Victor, VictorError
from victor_ext.event_queue.django import DjangoQueue
from victor_ext.outbox.entries import Entry, OutboxEvent
from victor_ext.outbox.outboxes import BlockingOutbox
from victor_ext.settlement.arguments import PaymentRequestArguments


class DjangoOutbox(DjangoQueue[OutboxEvent], BlockingOutbox[str]):
    """The outbox in a database of a Django project: SQLite or PostgreSQL. Safe to share between threads and workers.

    Args:
        using: The alias of the database in `settings.DATABASES` that has your invoices.
        keys_kept: As for `Outbox`.
        lease: As for `Outbox`.
    """

    def __init__(
        self,
        using: str = DEFAULT_DB_ALIAS,
        *,
        keys_kept: timedelta = timedelta(hours=24),
        lease: timedelta = timedelta(minutes=2),
    ) -> None:
        super().__init__(using, keys_kept=keys_kept, lease=lease)
        self._use(using)

    @classmethod
    def from_settings(cls) -> DjangoOutbox:
        """The outbox with the arguments in `settings.VICTOR_OUTBOX`, a dict; without it, with the defaults."""
        return cls(**getattr(settings, "VICTOR_OUTBOX", {}))

    def add(self, **arguments: Unpack[PaymentRequestArguments]) -> None:
        """Store a request in the open transaction. It is sent once that is committed, and forgotten if it is not.

        The arguments are as for `Outbox.add`. The same ones under the same key are stored once.

        Raises:
            InvalidRequest: As for `Outbox.add`.
            django.db.transaction.TransactionManagementError: No transaction of this database is open.
        """
        if transaction.get_autocommit(self._using):
            raise transaction.TransactionManagementError(
                f"No transaction of the database {self._using!r} is open: call add() within transaction.atomic(), "
                "together with what the payment is for."
            )
        self._add(self._connection, arguments)


def send_payment_requests() -> dict[str, int]:
    """One pass of a worker, with `DjangoOutbox.from_settings()` and `Victor.from_env()`: the body of a Celery task.

    Returns:
        The number of entries that have come to a result or have changed, by state.

    Raises:
        VictorError: As for `send` and `refresh`. `refresh` is done also if `send` has failed.
    """
    outbox = DjangoOutbox.from_settings()
    changed: list[Entry] = []
    failures: list[VictorError] = []
    with Victor.from_env() as victor:
        for work in (outbox.send, outbox.refresh):
            try:
                changed += work(victor)
            except VictorError as error:
                failures.append(error)
    outbox.handle()
    if failures:
        raise failures[0]
    return Counter({entry.idempotency_key: entry.state.value for entry in changed}.values())
