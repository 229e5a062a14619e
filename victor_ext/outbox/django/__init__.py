"""The outbox on Django's transactions.

    INSTALLED_APPS = [..., "victor_ext.outbox.django"]  # then: manage.py migrate

    outbox = DjangoOutbox()

    with transaction.atomic():
        Invoice.objects.create(number=1042, ...)
        outbox.add(..., client_reference_id="INV-1042", idempotency_key=idempotency_key_for("invoice", 1042))

The worker is `manage.py send_payment_requests --interval 5`, or a Celery task of `send_payment_requests()`.
Each may be killed at any step. Table, states and rules are those of `victor_ext.outbox`. See docs/django.md.
"""

try:
    from .driver import DjangoOutbox, send_payment_requests
except ImportError as error:
    raise ImportError(
        f"victor_ext.outbox.django needs {error.name}; install its extra: pip install 'victor-ext[django]'",
        name=error.name,
    ) from error

__all__ = ("DjangoOutbox", "send_payment_requests")
