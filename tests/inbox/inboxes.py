"""Inboxes of each kind, and what they read of a provider."""

import json
from types import SimpleNamespace

import httpx
from django.core.management import call_command

from tests.outbox.kinds import Box
from tests.outbox.rows import inbox_of, received
from victor_ext import Outcome
from victor_ext.inbox import AsyncInbox, Inbox
from victor_ext.inbox.django import DjangoInbox

INBOXES = {"blocking": Inbox, "awaited": AsyncInbox, "django": DjangoInbox}


class AnyInbox(Box):
    """An inbox of one kind, whose tables are there. It has a handler of all events."""

    classes = INBOXES

    def __init__(self, kind, engine, webhook):
        super().__init__(kind, engine, webhook=webhook)
        if kind == "django":
            call_command("migrate", "victor_inbox", verbosity=0)
        else:
            inbox_of(engine, webhook)

    def handler(self, _session, _event):
        """It does nothing."""


OWN = httpx.Response(404, json={"result": {"code": "700.400.580"}})
"""What EastPay itself says of an id that it does not know."""


def unknown(error, response=OWN):
    return error("p-1", outcome=Outcome.REJECTED, response=response)


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
