"""The outbox on Django's transactions: `DjangoOutbox().add(...)` within `transaction.atomic()`, with the invoice.

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
