"""Inboxes of each kind, and what they read of a provider."""

import json
from types import SimpleNamespace

from tests.outbox.rows import received
from victor_ext.inbox import AsyncInbox, Inbox
from victor_ext.inbox.django import DjangoInbox

INBOXES = {"blocking": Inbox, "awaited": AsyncInbox, "django": DjangoInbox}


class Gateway:
    """An inquiry of payments, and what it says next: the code of each, or an error."""

    def __init__(self, says="000.200.000"):
        self.payments, self.asked, self.says = self, 0, says

    def inquire(self, payment_id):
        self.asked += 1
        if isinstance(self.says, Exception):
            raise self.says
        result = SimpleNamespace(code=self.says)
        return SimpleNamespace(id=payment_id, payment_type="DB", result=result)


def posted(inbox, members, headers=None, **named):
    """Receive a notification with these members, or with this body."""
    body = members if isinstance(members, bytes) else json.dumps(members).encode()
    return received(inbox, body, headers or {}, **named)
