"""An outbox: payment requests that are stored in your own database, in the transaction of the
invoice, and sent later.

    outbox = Outbox(engine)
    outbox.create_table()

    with Session(engine) as session, session.begin():
        session.add(Invoice(number=1042, ...))
        outbox.add(session, ..., client_reference_id="INV-1042",
                   idempotency_key=idempotency_key_for("invoice", 1042))

    with Victor.from_env() as victor:  # the worker: it sends, and reads statuses, again and again
        outbox.run(victor)

`AsyncOutbox` is the same, awaited, on an `AsyncEngine` and with `AsyncVictor`.

A process may be killed between any two steps. See docs/outbox.md.
"""

from victor_ext._version import needs_extra

with needs_extra(__name__, "outbox", "django"):
    from victor_ext import PaymentRequestArguments
    from victor_ext._event_queue.events import DeadLetter, EventState

    from ._entries import Entry, EntryPayment, EntryState, OutboxEvent
    from ._outboxes import AsyncOutbox, Outbox
    from ._scope import AnotherScope, Owner

__all__ = (
    "AnotherScope",
    "AsyncOutbox",
    "DeadLetter",
    "Entry",
    "EntryPayment",
    "EntryState",
    "EventState",
    "Outbox",
    "OutboxEvent",
    "Owner",
    "PaymentRequestArguments",
)
