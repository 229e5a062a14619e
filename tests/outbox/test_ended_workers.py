"""A worker that is to end ends the calls that it has begun, and begins no other one."""

import asyncio
import json
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from tests.outbox.django_project import set_up, use_database
from tests.outbox.test_outbox import stored
from tests.providers.velo.test_velo_notifications import HEADER, body_of
from tests.providers.victor.adapter import invoice
from victor_ext import AsyncVictor, Victor, VictorJwt
from victor_ext.inbox import AsyncInbox, Inbox
from victor_ext.outbox import AsyncOutbox, EntryState, Outbox
from victor_ext.providers import velo

pytestmark = pytest.mark.slow
set_up()
SENT_ONE = [EntryState.SENT, EntryState.WAITING, EntryState.WAITING]
SENT_TWO = [EntryState.SENT, EntryState.SENT, EntryState.WAITING]


def accepted(request: httpx.Request) -> httpx.Response:
    """What Victor answers: it has made what was asked for."""
    body: dict[str, Any] = {"page": 0, "page_size": 1, "results": []}
    if request.method == "POST":
        body = {
            "victor_payment_request_id": "ID-1",
            "client_reference_id": json.loads(request.content)["client_reference_id"],
            "direction": "outbound",
            "status": "created",
        }
    date = format_datetime(datetime.now(UTC), usegmt=True)
    return httpx.Response(200, json=body, headers={"Date": date})


@pytest.fixture
def auth(victor_key_pair: tuple[str, str]) -> VictorJwt:
    return VictorJwt("an-api-key-for-tests", victor_key_pair[0])


def states(box: Any) -> list[EntryState]:
    return [entry.state for entry in box.entries()]


def test_a_stop_ends_the_worker_after_its_calls(
    engine: sa.Engine, outbox: Outbox, auth: VictorJwt
) -> None:
    stop = threading.Event()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            stop.set()
        return accepted(request)

    stored(outbox, *map(invoice, range(3)))
    with Victor(auth, transport=httpx.MockTransport(answer)) as victor:
        Outbox(engine, workers=2).run(victor, stop=stop)
        assert states(outbox) == SENT_TWO
        assert len(outbox.send(victor)) == 1  # a pass of nobody's worker is made whole


def test_a_stop_ends_the_worker_of_an_inbox_after_the_event(engine: sa.Engine) -> None:
    stop, told = threading.Event(), list[str]()
    inbox = Inbox(engine, velo.Webhook(HEADER))
    inbox.create_table()
    with engine.begin() as connection:
        for number in range(1, 4):
            inbox.receive(connection, body_of(number, f"e-{number}"), {"Authorization": HEADER})

    @inbox.on()
    def handle(_session: object, event: Any) -> None:
        told.append(event.subject)
        stop.set()

    inbox.run(stop=stop)
    assert (told, sum(inbox.event_counts().values())) == (["e-1"], 2)


class Held:
    """A provider whose answer to the first write waits until it is let go."""

    def __init__(self) -> None:
        self.has_begun, self.may_end = anyio.Event(), anyio.Event()

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            self.has_begun.set()
            await self.may_end.wait()
        return accepted(request)


async def leave_the_block(work: Callable[[], Any], provider: Held) -> None:
    async with work():
        await provider.has_begun.wait()


async def leave_by_an_error(work: Callable[[], Any], provider: Held) -> None:
    with suppress(ExceptionGroup):
        async with work():
            await provider.has_begun.wait()
            raise ValueError("of the service")


async def be_cancelled(work: Callable[[], Any], provider: Held) -> None:
    with anyio.CancelScope() as scope:
        async with work():
            await provider.has_begun.wait()
            scope.cancel()
            await anyio.sleep_forever()


async def be_cancelled_by_asyncio(work: Callable[[], Any], provider: Held) -> None:
    async def serve() -> None:
        async with work():
            await anyio.sleep_forever()

    task = asyncio.create_task(serve())
    await provider.has_begun.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


WAYS = [leave_the_block, leave_by_an_error, be_cancelled, be_cancelled_by_asyncio]


@pytest.mark.parametrize("way", WAYS)
def test_the_end_of_an_awaited_worker_waits_for_its_calls(
    tmp_path: Path, auth: VictorJwt, way: Any
) -> None:
    async def check() -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'invoices.sqlite'}")
        outbox, provider = AsyncOutbox(engine, workers=2), Held()
        await outbox.create_table()
        async with AsyncSession(engine) as session, session.begin():
            for number in range(3):
                await outbox.add(session, **invoice(number))
        transport = httpx.MockTransport(provider.answer)
        async with (
            AsyncVictor(auth, transport=transport) as victor,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(way, lambda: outbox.worker(victor), provider)
            await provider.has_begun.wait()
            await anyio.wait_all_tasks_blocked()  # the worker is told to end
            provider.may_end.set()
        assert [entry.state for entry in await outbox.entries()] == SENT_TWO
        await engine.dispose()

    anyio.run(check)


def test_it_waits_no_longer_than_the_deadline_of_the_client(
    tmp_path: Path, auth: VictorJwt
) -> None:
    async def check() -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'invoices.sqlite'}")
        outbox, provider = AsyncOutbox(engine), Held()
        await outbox.create_table()
        async with AsyncSession(engine) as session, session.begin():
            await outbox.add(session, **invoice())
        transport = httpx.MockTransport(provider.answer)  # knows no time-out
        async with AsyncVictor(auth, transport=transport, deadline=0.3) as victor:
            with anyio.fail_after(30):
                await leave_the_block(lambda: outbox.worker(victor), provider)
        assert [entry.state for entry in await outbox.entries()] == [EntryState.SENDING]
        await engine.dispose()

    anyio.run(check)


@pytest.mark.parametrize("way", WAYS)
def test_the_end_of_an_awaited_inbox_waits_for_the_read(tmp_path: Path, way: Any) -> None:
    async def check() -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'a.sqlite'}")
        provider, told = Held(), list[str]()

        async def get(payment_id: str) -> str:
            provider.has_begun.set()
            await provider.may_end.wait()
            return payment_id

        client = SimpleNamespace(payments=SimpleNamespace(get=get))
        inbox = AsyncInbox(engine, velo.Webhook(HEADER), client=client)
        await inbox.create_table()
        inbox.on()(lambda _session, event: told.append(event.record))
        async with AsyncSession(engine) as session, session.begin():
            for number in (1, 2):
                body = body_of(number, f"e-{number}", paymentId=f"p-{number}")
                await inbox.receive(session, body, {"Authorization": HEADER})
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(way, inbox.worker, provider)
            await provider.has_begun.wait()
            await anyio.wait_all_tasks_blocked()
            provider.may_end.set()
        assert (told, sum((await inbox.event_counts()).values())) == (["p-1"], 1)
        await engine.dispose()

    anyio.run(check)


@pytest.mark.parametrize("interval", [None, 0.5], ids=["one pass", "a worker"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_lets_the_call_of_the_command_end(
    engine: sa.Engine,
    auth: VictorJwt,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    interval: float | None,
) -> None:
    from django.conf import settings
    from django.core.management import call_command
    from django.db import transaction

    from victor_ext.outbox.django import DjangoOutbox

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            os.kill(os.getpid(), number)
        return accepted(request)

    before = signal.getsignal(number)
    with (
        use_database(engine.url),
        Victor(auth, transport=httpx.MockTransport(answer)) as victor,
    ):
        call_command("migrate", verbosity=0)
        options = {"client": victor, "workers": 1}
        monkeypatch.setattr(settings, "VICTOR_OUTBOX", options, raising=False)
        outbox = DjangoOutbox.from_settings()
        with transaction.atomic():
            for each in range(3):
                outbox.add(**invoice(each))
        call_command("send_payment_requests", interval=interval)
        assert states(outbox) == SENT_ONE
    assert signal.getsignal(number) is before


def test_the_second_signal_ends_the_command_at_once() -> None:
    from victor_ext.event_queue.signals import stop_at_signals

    with stop_at_signals() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(30)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
