"""Outboxes of each kind over one database: blocking, awaited and Django's."""

import json
import threading
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial

import anyio
import httpx
from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from sqlalchemy.ext.asyncio import create_async_engine

from tests.outbox.django_project import set_up, use_database
from tests.outbox.rows import states
from tests.providers.running import ONCE, TOKEN
from tests.providers.victor.adapter import REFUSAL
from victor_ext import AsyncVictor, Victor, VictorOAuth
from victor_ext.outbox import AsyncOutbox, Outbox

set_up()

from victor_ext.outbox.django import DjangoOutbox  # noqa: E402 - Django is set up before

KINDS = {"blocking": Outbox, "awaited": AsyncOutbox, "django": DjangoOutbox}
ADDING = ("add", "add_call", "receive")
COMMAND = "send_payment_requests"
"""The worker of Django's outbox."""
NAMED = f"{__name__}.named_outbox"
"""The place that `settings.VICTOR_OUTBOX` names: `run_command` puts an outbox there."""


def async_url(url):
    return url.replace("sqlite:", "sqlite+aiosqlite:")


def async_engine(engine):
    """An engine of the same database for awaited calls."""
    return create_async_engine(async_url(engine.url.render_as_string(hide_password=False)))


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

    handler = None
    classes = KINDS

    def __init__(self, kind, engine, client=lambda _awaited: nullcontext(), **options):
        self.kind, self.engine, self.options = kind, engine, options
        self.client = client

    def __getattr__(self, method):
        return partial(self._act, method)

    def _act(self, method, *args, **named):
        if self.kind == "awaited":
            return anyio.run(partial(self._awaited, method, *args, **named))
        begun = nullcontext()
        if method in ADDING:
            begun = transaction.atomic() if self.kind == "django" else self.engine.begin()
        engines = () if self.kind == "django" else (self.engine,)
        with self.client(False) as client, begun as connection:
            return self._method(method, connection, client, *engines)(*args, **named)

    def _method(self, name, connection, client, *engines):
        """A method of an outbox with the handler. Django's have no engine and no connection."""
        outbox = self.classes[self.kind](*engines, client=client, **self.options)
        if self.handler is not None:
            outbox.on()(self.handler)
        method = getattr(outbox, name)
        return method if connection is None else partial(method, connection)

    async def _awaited(self, method, *args, **named):
        engine = async_engine(self.engine)
        begun = engine.begin() if method in ADDING else nullcontext()
        try:
            async with self.client(True) as client, begun as connection:
                return await self._method(method, connection, client, engine)(*args, **named)
        finally:
            await engine.dispose()

    def states(self):
        return states(self.entries())


@contextmanager
def tables_of(kind, engine, **options):
    """The tables of an outbox of this kind, while the block lasts. The options are those of
    `use_database`.
    """
    if kind != "django":
        Box(kind, engine).create_table()
        yield
        return
    with use_database(engine.url, **options):
        call_command("migrate", verbosity=0)
        yield


def run_command(monkeypatch, outbox, **options):
    """Run the command with this outbox until it ends."""
    monkeypatch.setattr(settings, "VICTOR_OUTBOX", NAMED, raising=False)
    monkeypatch.setitem(globals(), "named_outbox", outbox)
    call_command(COMMAND, **options)


def dated(status, **content):
    """A response that says what time it is at the provider."""
    date = format_datetime(datetime.now(UTC), usegmt=True)
    return httpx.Response(status, headers={"Date": date}, **content)


def refused(status, body=REFUSAL, **headers):
    """A refusal, Victor's or with another body, that says what time it is at the provider."""
    response = dated(status, json=body)
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return response


def page(status=403, **headers):
    """The page of a gateway in front of a provider, perhaps after the provider did the work."""
    response = dated(status, html="<!DOCTYPE html><title>Forbidden</title>")
    response.headers.update({"Server": "Apache", **headers})
    return response


class Provider:
    """Takes payment requests: `meet` is told of each, by its reference, and may answer it.

    `issue` answers a request for a token.
    """

    tells_time = True
    """Whether responses have a `Date`."""

    def __init__(self, meet=lambda _reference: None):
        self.references = []
        self.bodies = []
        self.keys = []
        self.meet = meet
        self.issue = lambda: httpx.Response(200, json=TOKEN)
        self._lock = threading.Lock()

    def client(self, awaited=False, **options):
        """A client of it. Its calls are in a thread, if they are awaited."""
        kind, answer = (AsyncVictor, self._awaited) if awaited else (Victor, self._answer)
        given = {"retry": ONCE, "transport": httpx.MockTransport(answer), **options}
        return kind(VictorOAuth("an-id", "a-secret"), **given)

    def _answer(self, request):
        if request.url.path.endswith("/token"):
            return self.issue()
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

    async def _awaited(self, request):
        return await anyio.to_thread.run_sync(self._answer, request)

    def _accept(self, body):
        return dated(200, json=body) if self.tells_time else httpx.Response(200, json=body)
