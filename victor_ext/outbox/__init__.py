"""An outbox: payment requests that are stored in your own database, in the transaction of the invoice, and sent later.

`Outbox(engine).add(session, ...)` stores one, and the worker, `outbox.run(victor)`, sends it and follows its status.
`AsyncOutbox` is the same, awaited. A process may be killed between any two steps. See docs/outbox.md.
"""

try:
    from .entries import Entry, EntryState, PaymentRequestArguments
    from .outboxes import AsyncOutbox, Outbox
except ImportError as error:
    raise ImportError(
        f"victor_ext.outbox needs {error.name}; install its extra: pip install 'victor-ext[outbox]', or "
        "'victor-ext[django]' for victor_ext.outbox.django",
        name=error.name,
    ) from error

__all__ = ("AsyncOutbox", "Entry", "EntryState", "Outbox", "PaymentRequestArguments")
