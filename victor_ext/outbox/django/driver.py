"""The outbox on a connection of Django's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pkgutil import resolve_name
from typing import Any, Unpack, cast

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS

from victor_ext import Victor, VictorError
from victor_ext.event_queue.django import DjangoQueue
from victor_ext.outbox.entries import Entry, OutboxEvent
from victor_ext.outbox.passes import OutboxBase, OutboxOptions
from victor_ext.settlement.arguments import PaymentRequestArguments


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

        `client` may be the place of a function that makes one, `"victor_ext.providers.velo:Velo.from_env"`.
        """
        given = dict(_settings())
        if isinstance(given.get("client"), str):
            given["client"] = resolve_name(given["client"])()
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


def _settings() -> dict[str, Any]:
    return getattr(settings, "VICTOR_OUTBOX", {})


def client_of(outbox: DjangoOutbox) -> AbstractContextManager[Any]:
    """The client of an outbox of the settings, or `Victor.from_env()`. The block closes what was made for it alone."""
    if outbox.client is not None and outbox.client is _settings().get("client"):
        return nullcontext(outbox.client)
    return cast("AbstractContextManager[Any]", outbox.client or Victor.from_env())


def send_payment_requests() -> dict[str, int]:
    """One pass of a worker, with `DjangoOutbox.from_settings()`: the body of a Celery task.

    It sends with the outbox's client, else with `Victor.from_env()`. What was made for this pass, it closes.

    Returns:
        The number of entries that have come to a result or have changed, by state.

    Raises:
        VictorError: As for `send` and `refresh`. `refresh` is done also if `send` has failed.
    """
    outbox = DjangoOutbox.from_settings()
    changed: list[Entry] = []
    failures: list[VictorError] = []
    with client_of(outbox) as client:
        for work in (outbox.send, outbox.refresh):
            try:
                changed += work(client)
            except VictorError as error:
                failures.append(error)
    outbox.handle()
    if failures:
        raise failures[0]
    return Counter({entry.idempotency_key: entry.state.value for entry in changed}.values())
