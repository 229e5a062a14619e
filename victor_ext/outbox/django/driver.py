"""The outbox on a connection of Django's."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pkgutil import resolve_name
from typing import Any, Unpack

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS

from victor_ext import Victor, VictorError
from victor_ext.event_queue.django import DjangoQueue
from victor_ext.outbox.entries import Entry, OutboxEvent
from victor_ext.outbox.passes import OutboxBase, OutboxOptions
from victor_ext.settlement.arguments import PaymentRequestArguments

_clients: dict[tuple[int, str, int], Any] = {}


class DjangoOutbox(DjangoQueue[OutboxEvent], OutboxBase[str]):
    """The outbox in a database of a Django project: SQLite or PostgreSQL. Safe to share between threads and workers.

    Args:
        using: The alias of the database in `settings.DATABASES` that has your invoices.
        options: `client`, `keys_kept`, `lease` and `settle_for`, as for `Outbox`.
    """

    def __init__(self, using: str = DEFAULT_DB_ALIAS, **options: Unpack[OutboxOptions]) -> None:
        super().__init__(using, **options)
        self._use(using)

    @classmethod
    def from_settings(cls) -> DjangoOutbox:
        """The outbox with the arguments in `settings.VICTOR_OUTBOX`, a dict; without it, with the defaults.

        `client` may be the place of a function that makes one, `"victor_ext.providers.velo:Velo.from_env"`: it is
        called once in a process.
        """
        given = dict(getattr(settings, "VICTOR_OUTBOX", {}))
        if isinstance(given.get("client"), str):
            given["client"] = _client_of_process(resolve_name(given["client"]), given["client"])
        return cls(**given)

    def add(self, **arguments: Unpack[PaymentRequestArguments]) -> None:
        """Store a request in the open transaction. It is sent once that is committed, and forgotten if it is not.

        The same arguments under the same key are stored once.

        Args:
            payee_account_number: The account that receives the money.
            payer_counterparty_id: The counterparty that pays.
            amount: US dollars as Decimal, text or int, above zero, with at most two decimals.
            biller_type: `"BUSINESS"` or `"CONSUMER"`.
            due_date: A date or `YYYY-MM-DD`, at most 24 hours ahead.
            ultimate_creditor: The final recipient, only with `"BUSINESS"`.
            amount_modification_allowed: Whether the payer may pay another amount.
            notes: Notes for the payer.
            client_reference_id: Your reference, such as the number of the invoice. It is required.
            idempotency_key: One key for each payment, the same for every repeat. It is required.
            extra_body: Members of the body that this package does not know, by their names on the wire.

        Raises:
            InvalidRequest: As for `Outbox.add`.
            django.db.transaction.TransactionManagementError: No transaction of this database is open.
        """
        self._addition(**arguments)(self._open_transaction("add"))

    def add_call(
        self,
        operation: Any,
        /,
        *args: Any,
        idempotency_key: str,
        at_most_once: bool = False,
        send_before: datetime | None = None,
        look_up_by: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        """As `Outbox.add_call`, in the open transaction.

        Raises:
            InvalidRequest: As for `Outbox.add_call`, as is `ConfigurationError`.
            django.db.transaction.TransactionManagementError: No transaction of this database is open.
        """
        add = self._call_addition(operation, args, kwargs, idempotency_key, (at_most_once, send_before, look_up_by))
        add(self._open_transaction("add_call"))


def client_of(outbox: DjangoOutbox, on_event: Any = None) -> Any:
    """The client of an outbox, or `Victor.from_env()`: one in a process, which all its passes and threads share."""
    return outbox.client or _client_of_process(partial(Victor.from_env, on_event=on_event), "")


def _client_of_process(make: Callable[[], Any], place: str) -> Any:
    # A forked child makes its own, and so does a test that has set other variables.
    key = os.getpid(), place, hash(frozenset(os.environ.items()))
    if key not in _clients:
        made = make()
        if _clients.setdefault(key, made) is not made:  # another thread was faster
            made.close()
    return _clients[key]


def send_payment_requests() -> dict[str, int]:
    """One pass of a worker, with `DjangoOutbox.from_settings()`: the body of a Celery task.

    It sends with the outbox's client, else with `Victor.from_env()`. Passes of one process share the client.

    Returns:
        The number of entries that have come to a result or have changed, by state.

    Raises:
        VictorError: As for `send` and `refresh`. `refresh` is done also if `send` has failed.
    """
    outbox = DjangoOutbox.from_settings()
    changed: list[Entry] = []
    failures: list[VictorError] = []
    client = client_of(outbox)
    for work in (outbox.send, outbox.refresh):
        try:
            changed += work(client)
        except VictorError as error:
            failures.append(error)
    outbox.handle()
    if failures:
        raise failures[0]
    return Counter({entry.idempotency_key: entry.state.value for entry in changed}.values())
