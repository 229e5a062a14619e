"""An inbox: notifications that are stored in your own database when they arrive, once, and handled
once.

    inbox = Inbox(engine, Webhook(authorization_header), client=velo)
    inbox.create_table()

    with Session(engine) as session, session.begin():  # in the view
        inbox.receive(session, body, headers, source=payor_id)

    @inbox.on("payment.accepted")  # in the worker, which calls inbox.run()
    def accepted(session: Session, event: InboxEvent) -> None: ...

`AsyncInbox` is the same, awaited, and `victor_ext.inbox.django` has that of Django. See
docs/webhooks.md.
"""

from victor_ext._version import needs_extra

with needs_extra(__name__, "outbox", "django"):
    from victor_ext import Delivery
    from victor_ext._event_queue.events import DeadLetter, EventState

    from ._inboxes import AsyncInbox, Inbox, InboxEvent

__all__ = ("AsyncInbox", "DeadLetter", "Delivery", "EventState", "Inbox", "InboxEvent")
