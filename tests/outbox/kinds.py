"""Outboxes of each kind over one database: blocking, awaited and Django's."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial
from typing import Any

import anyio
import httpx
import sqlalchemy as sa
from django.core.management import call_command
from django.db import transaction
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.outbox.django_project import set_up, use_database
from tests.outbox.rows import states
from tests.providers.running import ONCE, TOKEN
from victor_ext import AsyncVictor, Victor, VictorOAuth
from victor_ext.outbox import AsyncOutbox, Outbox

set_up()

from victor_ext.outbox.django import DjangoOutbox  # noqa: E402 - Django is set up before

KINDS = ("blocking", "awaited", "django")
ADDING = ("add", "add_call", "receive")


def async_url(url: str) -> str:
    return url.replace("sqlite:", "sqlite+aiosqlite:")


def async_engine(engine: sa.Engine) -> AsyncEngine:
    """An engine of the same database for awaited calls."""
    return create_async_engine(async_url(engine.url.render_as_string(hide_password=False)))


def _given(argument: Any) -> tuple[Any, ...]:
    """The arguments that a method is given: Django's have no engine and no session."""
    return () if argument is None else (argument,)


class Box:
    """An outbox of one kind. Each act has an outbox and a client of its own, as another process
    has.

    Its methods are those of an outbox. What adds does so in a transaction of its own.

    Args:
        kind: One of `KINDS`.
        engine: Of its database.
        client: Makes a client; it is told whether the calls of this one are awaited.
        options: Of each outbox.

    Attributes:
        handler: Each outbox has it as a handler of all events; None: there are no handlers.
        classes: Those of its outboxes, by kind.
    """

    handler: Callable[[Any, Any], object] | None = None
    classes: Mapping[str, Any] = {
        "blocking": Outbox,
        "awaited": AsyncOutbox,
        "django": DjangoOutbox,
    }

    def __init__(
        self,
        kind: str,
        engine: sa.Engine,
        client: Callable[[bool], Any] = lambda _awaited: nullcontext(),
        **options: Any,
    ) -> None:
        self.kind, self.engine, self.options = kind, engine, options
        self.client = client

    def __getattr__(self, method: str) -> Any:
        return partial(self._act, method)

    def _act(self, method: str, *args: Any, **named: Any) -> Any:
        if self.kind == "awaited":
            return anyio.run(partial(self._awaited, method, *args, **named))
        begun: Any = nullcontext()
        if method in ADDING:
            begun = transaction.atomic() if self.kind == "django" else self.engine.begin()
        engine = None if self.kind == "django" else self.engine
        with self.client(False) as client, begun as connection:
            act = getattr(self._made(client, *_given(engine)), method)
            return act(*_given(connection), *args, **named)

    def _made(self, client: Any, *engine: Any) -> Any:
        """An outbox with the handler."""
        outbox = self.classes[self.kind](*engine, client=client, **self.options)
        if self.handler is not None:
            outbox._handlers = []  # those of Django's outboxes are one list
            outbox.on()(self.handler)
        return outbox

    async def _awaited(self, method: str, *args: Any, **named: Any) -> Any:
        engine = async_engine(self.engine)
        begun: Any = engine.begin() if method in ADDING else nullcontext()
        try:
            async with self.client(True) as client, begun as connection:
                act = getattr(self._made(client, engine), method)
                return await act(*_given(connection), *args, **named)
        finally:
            await engine.dispose()

    def states(self) -> list[str]:
        return states(self.entries())


@contextmanager
def tables_of(kind: str, engine: sa.Engine) -> Iterator[None]:
    """The tables of an outbox of this kind, while the block lasts."""
    if kind != "django":
        Box(kind, engine).create_table()
        yield
        return
    with use_database(engine.url):
        call_command("migrate", verbosity=0)
        yield


def dated(status: int, **content: Any) -> httpx.Response:
    """A response that says what time it is at the provider."""
    date = format_datetime(datetime.now(UTC), usegmt=True)
    return httpx.Response(status, headers={"Date": date}, **content)


class Provider:
    """Takes payment requests: `meet` is told of each, by its reference, and may answer it."""

    tells_time = True
    """Whether responses have a `Date`."""

    def __init__(self, meet: Callable[[str], Any] = lambda _reference: None) -> None:
        self.references: list[str] = []
        self.bodies: list[bytes] = []
        self.keys: list[str] = []
        self.meet = meet
        self._lock = threading.Lock()

    def client(self, awaited: bool = False, **options: Any) -> Any:
        """A client of it. Its calls are in a thread, if they are awaited."""
        kind, answer = (AsyncVictor, self._awaited) if awaited else (Victor, self._answer)
        given = {"retry": ONCE, "transport": httpx.MockTransport(answer), **options}
        return kind(VictorOAuth("an-id", "a-secret"), **given)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json=TOKEN)
        if request.method != "POST":
            return self._accept({"page": 0, "page_size": 1, "results": []})
        reference = json.loads(request.content)["client_reference_id"]
        own_key = request.headers["idempotency-key"]
        with self._lock:  # several threads of a pass call it at once
            self.references.append(reference)
            self.bodies.append(request.content)
            self.keys.append(own_key)
            sent = zip(self.references, self.keys, strict=True)
            keys = list(dict.fromkeys(key for other, key in sent if other == reference))
        number = keys.index(own_key)
        body = {
            "victor_payment_request_id": f"ID-{reference}{f'-{number}' if number else ''}",
            "client_reference_id": reference,
            "direction": "outbound",
            "status": "created",
        }
        return self.meet(reference) or self._accept(body)

    async def _awaited(self, request: httpx.Request) -> httpx.Response:
        return await anyio.to_thread.run_sync(self._answer, request)

    def _accept(self, body: dict[str, Any]) -> httpx.Response:
        return dated(200, json=body) if self.tells_time else httpx.Response(200, json=body)
