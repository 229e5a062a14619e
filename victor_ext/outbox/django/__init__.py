"""The outbox on Django's transactions.

    INSTALLED_APPS = [..., "victor_ext.outbox.django"]  # then: manage.py migrate
    VICTOR_OUTBOX = "invoicing.billing.outbox"

    outbox = DjangoOutbox()  # in invoicing/billing.py

    with transaction.atomic():
        Invoice.objects.create(number=1042, ...)
        outbox.add(..., client_reference_id="INV-1042",
                   idempotency_key=idempotency_key_for("invoice", 1042))

The worker is `manage.py send_payment_requests`, which may be killed at each step. Tables, states
and rules are those of `victor_ext.outbox`. See docs/django.md.
"""

from __future__ import annotations

from typing import Unpack

from victor_ext._version import needs_extra

with needs_extra(__name__, "django"):
    from django.db import DEFAULT_DB_ALIAS

    from victor_ext._event_queue.django import DjangoDriver
    from victor_ext._event_queue.transactions import OpenBox
    from victor_ext._event_queue.workers import BlockingWorker
    from victor_ext.outbox._outboxes import OutboxBase, OutboxOptions

__all__ = ("DjangoOutbox",)


class DjangoOutbox(OutboxBase[str], BlockingWorker, OpenBox):
    """The outbox in a database of a Django project: SQLite or PostgreSQL. Safe to share between
    threads and workers.

    Its handlers get the alias of the database as their session.

    Args:
        using: The alias of the database in `settings.DATABASES` that has your invoices.
        options: `client`, `keys_kept`, `lease`, `settle_for`, `workers` and `storage_key`, as for
            `Outbox`.
    """

    _driver = DjangoDriver

    def __init__(self, using: str = DEFAULT_DB_ALIAS, **options: Unpack[OutboxOptions]) -> None:
        super().__init__(using, **options)
