"""A worker that is to end ends the calls that it has begun, and begins no other one."""

import asyncio
import gc
import os
import signal
import sqlite3
import threading
from contextlib import closing, suppress

import anyio
import pytest
import sqlalchemy as sa

from tests.outbox.kinds import Box, Provider, async_engine, run_command, tables_of
from tests.outbox.rows import inbox_of, received_number, states, stored
from tests.payments import invoice
from victor_ext import VictorError
from victor_ext.outbox import AsyncOutbox, Outbox
from victor_ext.outbox.django import DjangoOutbox

pytestmark = pytest.mark.slow


def test_a_stop_ends_the_worker_after_its_calls(outbox, engine):
    """And that of an inbox after the event that it has begun."""
    stop = threading.Event()
    stored(outbox, *map(invoice, range(3)))
    with Provider(lambda _reference: stop.set()).client() as victor:
        Outbox(engine, workers=2).run(victor, stop=stop)
    assert states(outbox.entries()) == ["sent", "sent", "waiting"]
    inbox = inbox_of(engine)
    for number in (1, 2):
        received_number(inbox, number)
    stop.clear()
    inbox.on()(lambda _session, _event: stop.set())
    inbox.run(stop=stop)
    assert sum(inbox.event_counts().values()) == 1


class Held(Provider):
    """A provider whose answer to the first call waits until it is let go."""

    def __init__(self):
        super().__init__()
        self.has_begun, self.may_end = anyio.Event(), anyio.Event()

    async def _awaited(self, request):
        if b"client_reference_id" in request.content:
            self.has_begun.set()
            await self.may_end.wait()
        return self._answer(request)


@pytest.mark.parametrize("ends", ["block", "error", "cancel", "task"])
def test_the_end_of_an_awaited_worker_waits_for_its_calls(sqlite, ends):
    """Two calls are under way when its block is left, by an error or not, or when it is cancelled:
    both are ended, and the third entry waits.
    """
    box = Box("blocking", sqlite)
    for number in range(1, 4):
        box.add(**invoice(number))

    async def work(outbox, victor, provider):
        with anyio.CancelScope() as scope, suppress(ExceptionGroup):
            async with outbox.worker(victor):
                await provider.has_begun.wait()
                if ends == "error":
                    raise ValueError("of the service")
                if ends == "cancel":
                    scope.cancel()
                if ends != "block":
                    await anyio.sleep_forever()

    async def check():
        engine, provider = async_engine(sqlite), Held()
        outbox = AsyncOutbox(engine, workers=2)
        async with provider.client(awaited=True) as victor:
            task = asyncio.create_task(work(outbox, victor, provider))
            await provider.has_begun.wait()
            if ends == "task":
                task.cancel()
            await anyio.wait_all_tasks_blocked()  # the worker is told to end
            assert not task.done()
            provider.may_end.set()
            with suppress(asyncio.CancelledError):
                await task
        await engine.dispose()

    anyio.run(check)
    assert box.states() == ["sent", "sent", "waiting"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_lets_the_call_of_the_command_end(engine, monkeypatch, number):
    before = signal.getsignal(number)
    provider = Provider(lambda _reference: os.kill(os.getpid(), number))
    with tables_of("django", engine), provider.client() as victor:
        box = Box("django", engine)
        for each in range(2):
            box.add(**invoice(each))
        run_command(monkeypatch, DjangoOutbox(client=victor, workers=1))
        assert box.states() == ["sent", "waiting"]
    assert signal.getsignal(number) is before


def test_a_transaction_ends_at_whatever_statement_the_task_of_a_pass_is_cancelled(sqlite):
    """By `asyncio.timeout` or by `cancel`, which no shield of anyio stops."""
    box = Box("awaited", sqlite)
    for number in range(4):
        box.add(**invoice(number))

    async def check():
        engine = async_engine(sqlite)
        database = sqlite.url.database
        statements = last = 0

        @sa.event.listens_for(engine.sync_engine, "before_cursor_execute")
        def cancel(*_):
            nonlocal statements
            statements += 1
            if statements == last:
                task.cancel()

        for last in range(1, 30):  # noqa: B007 - the listener reads it
            statements = 0
            provider = Held()
            provider.may_end.set()
            async with provider.client(awaited=True) as victor:
                task = asyncio.create_task(AsyncOutbox(engine).send(victor))
                with suppress(asyncio.CancelledError, VictorError):
                    await task
            with closing(sqlite3.connect(database, timeout=0)) as other:
                other.execute("BEGIN IMMEDIATE")  # nobody holds the lock
        await engine.dispose()

    gc.disable()  # it would end a transaction that nobody knows any more
    try:
        anyio.run(check)
    finally:
        gc.enable()
