"""A worker that is to end ends the calls that it has begun, and begins no other one."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from types import SimpleNamespace
from typing import Any

import anyio
import httpx
import pytest
import sqlalchemy as sa
from django.conf import settings
from django.core.management import call_command
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.outbox.kinds import Box, Provider, async_engine, tables_of
from tests.outbox.rows import inbox_of, received_number, states, stored
from tests.providers.velo.test_velo_notifications import HEADER
from tests.providers.victor.adapter import invoice
from victor_ext.event_queue.workers import stop_at_signals
from victor_ext.inbox import AsyncInbox
from victor_ext.outbox import AsyncOutbox, Outbox
from victor_ext.providers import velo

pytestmark = pytest.mark.slow


def test_a_stop_ends_the_worker_after_its_calls(outbox: Outbox, engine: sa.Engine) -> None:
    stop = threading.Event()
    stored(outbox, *map(invoice, range(3)))
    with Provider(lambda _reference: stop.set()).client() as victor:
        Outbox(engine, workers=2).run(victor, stop=stop)
        assert states(outbox.entries()) == ["sent", "sent", "waiting"]
        assert len(outbox.send(victor)) == 1  # a pass of nobody's worker is made whole


def test_a_stop_ends_the_worker_of_an_inbox_after_the_event(engine: sa.Engine) -> None:
    stop, told = threading.Event(), list[str]()
    inbox = inbox_of(engine)
    for number in range(1, 4):
        received_number(inbox, number)

    @inbox.on()
    def handle(_session: object, event: Any) -> None:
        told.append(event.subject)
        stop.set()

    inbox.run(stop=stop)
    assert told == ["e-1"]
    assert sum(inbox.event_counts().values()) == 2


class Held(Provider):
    """A provider whose answer to the first call waits until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.has_begun, self.may_end = anyio.Event(), anyio.Event()

    async def hold(self) -> None:
        self.has_begun.set()
        await self.may_end.wait()

    async def _awaited(self, request: httpx.Request) -> httpx.Response:
        if b"client_reference_id" in request.content:
            await self.hold()
        return self._answer(request)


Work = Callable[[], AbstractAsyncContextManager[None]]


async def leave_the_block(work: Work, provider: Held) -> None:
    async with work():
        await provider.has_begun.wait()


async def leave_by_an_error(work: Work, provider: Held) -> None:
    with suppress(ExceptionGroup):
        async with work():
            await provider.has_begun.wait()
            raise ValueError("of the service")


async def be_cancelled(work: Work, provider: Held) -> None:
    with anyio.CancelScope() as scope:
        async with work():
            await provider.has_begun.wait()
            scope.cancel()
            await anyio.sleep_forever()


async def be_cancelled_by_asyncio(work: Work, provider: Held) -> None:
    async def serve() -> None:
        async with work():
            await anyio.sleep_forever()

    task = asyncio.create_task(serve())
    await provider.has_begun.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def outbox_ends(engine: AsyncEngine, way: Any) -> None:
    """Two calls are under way: both are ended, and the third entry waits."""
    outbox, provider = AsyncOutbox(engine, workers=2), Held()
    async with provider.client(awaited=True) as victor:
        await ended_in_its_call(way, lambda: outbox.worker(victor), provider)
    assert states(await outbox.entries()) == ["sent", "sent", "waiting"]


async def inbox_ends(engine: AsyncEngine, way: Any) -> None:
    """A payment is being read: its event is handled, and the other one waits."""
    provider, told = Held(), list[str]()

    async def get(payment_id: str) -> str:
        await provider.hold()
        return payment_id

    client = SimpleNamespace(payments=SimpleNamespace(get=get))
    inbox = AsyncInbox(engine, velo.Webhook(HEADER), client=client)
    inbox.on()(lambda _session, event: told.append(event.record))
    await ended_in_its_call(way, inbox.worker, provider)
    assert told == ["p-1"]
    assert sum((await inbox.event_counts()).values()) == 1


async def ended_in_its_call(way: Any, work: Work, provider: Held) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(way, work, provider)
        await provider.has_begun.wait()
        await anyio.wait_all_tasks_blocked()  # the worker is told to end
        provider.may_end.set()


@pytest.mark.parametrize("box_ends", [outbox_ends, inbox_ends])
@pytest.mark.parametrize(
    "way", [leave_the_block, leave_by_an_error, be_cancelled, be_cancelled_by_asyncio]
)
def test_the_end_of_an_awaited_worker_waits_for_its_calls(
    sqlite: sa.Engine, box_ends: Any, way: Any
) -> None:
    inbox = inbox_of(sqlite)
    for number in range(1, 4):
        Box("blocking", sqlite).add(**invoice(number))
    for number in (1, 2):
        received_number(inbox, number, paymentId=f"p-{number}")

    async def check() -> None:
        engine = async_engine(sqlite)
        await box_ends(engine, way)
        await engine.dispose()

    anyio.run(check)


def test_it_waits_no_longer_than_the_deadline_of_the_client(sqlite: sa.Engine) -> None:
    box = Box("blocking", sqlite)
    box.add(**invoice())

    async def check() -> None:
        engine, provider = async_engine(sqlite), Held()  # its transport knows no time-out
        async with provider.client(awaited=True, deadline=0.3) as victor:
            with anyio.fail_after(30):
                await leave_the_block(lambda: AsyncOutbox(engine).worker(victor), provider)
        await engine.dispose()

    anyio.run(check)
    assert box.states() == ["sending"]


@pytest.mark.parametrize("interval", [None, 0.5], ids=["one pass", "a worker"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_lets_the_call_of_the_command_end(
    engine: sa.Engine,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    interval: float | None,
) -> None:
    before = signal.getsignal(number)
    provider = Provider(lambda _reference: os.kill(os.getpid(), number))
    with tables_of("django", engine), provider.client() as victor:
        options = {"client": victor, "workers": 1}
        monkeypatch.setattr(settings, "VICTOR_OUTBOX", options, raising=False)
        box = Box("django", engine)
        for each in range(3):
            box.add(**invoice(each))
        call_command("send_payment_requests", interval=interval)
        assert box.states() == ["sent", "waiting", "waiting"]
    assert signal.getsignal(number) is before


def test_the_second_signal_ends_the_command_at_once() -> None:
    with stop_at_signals() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(30)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
