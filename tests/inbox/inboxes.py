"""Inboxes of each kind, and what they read of a provider."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any

import anyio
import httpx
import sqlalchemy as sa
from django.core.management import call_command
from django.db import transaction
from sqlalchemy.ext.asyncio import AsyncSession

from tests.outbox.kinds import async_engine
from tests.outbox.rows import inbox_of, received
from victor_ext import BadRequest, NotFound, Outcome
from victor_ext.inbox import AsyncInbox
from victor_ext.inbox.django import DjangoInbox


class AnyInbox:
    """An inbox of one kind. It has a handler of all events."""

    def __init__(self, kind: str, engine: sa.Engine, webhook: Any) -> None:
        self.kind, self.engine = kind, engine
        if kind == "django":
            call_command("migrate", "victor_inbox", verbosity=0)
            self.box: Any = DjangoInbox(webhook)
        else:
            self.box = inbox_of(engine, webhook)
        if kind == "awaited":
            self.box = AsyncInbox(async_engine(engine), webhook)
        self.box.on()(lambda _session, _event: None)

    def receive(self, body: Any, headers: Any, **named: Any) -> Any:
        if self.kind == "awaited":
            return anyio.run(partial(self._received, body, headers, **named))
        if self.kind == "blocking":
            return received(self.box, body, headers, **named)
        with transaction.atomic():
            return self.box.receive(body, headers, **named)

    def handle(self) -> list[Any]:
        return list(anyio.run(self._handled) if self.kind == "awaited" else self.box.handle())

    async def _received(self, body: Any, headers: Any, **named: Any) -> Any:
        async with self._closing() as engine, AsyncSession(engine) as session, session.begin():
            return await self.box.receive(session, body, headers, **named)

    async def _handled(self) -> Any:
        async with self._closing():
            return await self.box.handle()

    @asynccontextmanager
    async def _closing(self) -> AsyncIterator[Any]:
        """The connections of an event loop end with it."""
        try:
            yield self.box._engine
        finally:
            await self.box._engine.dispose()


OWN = httpx.Response(404, json={"result": {"code": "700.400.580"}})
"""What EastPay itself says of an id that it does not know."""


def unknown(error: type[NotFound | BadRequest], response: httpx.Response | None = OWN) -> Exception:
    return error("p-1", outcome=Outcome.REJECTED, response=response)


class Gateway:
    """An inquiry of payments, and what it says next: the code of each, or an error."""

    def __init__(self, says: str | Exception = "000.200.000") -> None:
        self.payments, self.asked, self.says = self, 0, says

    def inquire(self, payment_id: str) -> Any:
        self.asked += 1
        if isinstance(self.says, Exception):
            raise self.says
        result = SimpleNamespace(code=self.says)
        return SimpleNamespace(id=payment_id, payment_type="DB", result=result)


def posted(inbox: Any, members: Any, headers: Any = None, **named: Any) -> Any:
    """Receive a notification with these members, or with this body."""
    body = members if isinstance(members, bytes) else json.dumps(members).encode()
    return received(inbox, body, headers or {}, **named)
