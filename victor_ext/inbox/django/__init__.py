"""The inbox on Django's transactions: an app for INSTALLED_APPS, with migrations of its own."""

from datetime import timedelta
from typing import Any

from victor_ext._version import needs_extra

with needs_extra(__name__, "django"):
    from django.db import DEFAULT_DB_ALIAS

    from victor_ext._event_queue.django import DjangoDriver
    from victor_ext._event_queue.transactions import OpenBox
    from victor_ext._event_queue.workers import BlockingWorker
    from victor_ext.inbox._inboxes import InboxBase, ReceivesWebhook

__all__ = ("DjangoInbox",)


class DjangoInbox(InboxBase[str], BlockingWorker, OpenBox):
    """The inbox in a database of a Django project: SQLite or PostgreSQL. Safe to share between
    threads and workers.

    Its handlers get the alias of the database as their session.

    Args:
        webhook: As for `Inbox`; so are `client`, `lease` and `remember`.
        using: The alias of the database in `settings.DATABASES`.
    """

    _driver = DjangoDriver

    def __init__(
        self,
        webhook: ReceivesWebhook,
        *,
        client: Any = None,
        using: str = DEFAULT_DB_ALIAS,
        lease: timedelta = timedelta(minutes=2),
        remember: timedelta = timedelta(days=90),
    ) -> None:
        super().__init__(using, webhook, client=client, lease=lease, remember=remember)
