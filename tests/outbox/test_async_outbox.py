"""The awaited outbox: the passes are those of the blocking one, whose tests are in test_outbox.py."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from tests.providers.victor.adapter import invoice
from victor_ext import AsyncVictor
from victor_ext.outbox import AsyncOutbox, EntryState
from victor_ext.testing import Faults, TimeTravel

pytestmark = pytest.mark.slow
KEY = invoice()["idempotency_key"]


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[tuple[AsyncOutbox, AsyncSession]]:
    engine = create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:"))
    outbox = AsyncOutbox(engine, lease=timedelta(days=1), keys_kept=timedelta(hours=1))
    await outbox.create_table()
    async with AsyncSession(engine) as session:
        yield outbox, session
    await engine.dispose()


@pytest.mark.victor_sandbox(key_life=3600)
def test_one_is_stored_sent_settled_and_followed(
    database_url: str, async_victor: AsyncVictor, faults: Faults, time_travel: TimeTravel, sent_once: Any
) -> None:
    async def check() -> None:
        async with opened(database_url) as (outbox, session), async_victor as victor:
            await outbox.add(session, **invoice())
            await session.rollback()
            assert await outbox.entries() == []
            await outbox.add(session, **invoice())
            await session.commit()
            faults.status(503, operation="create", work=True, headers={"Retry-After": "7200"})
            assert await outbox.send(victor.with_options(deadline=80_000.0)) == []  # no call outlasts its key
            assert await outbox.entries("sending") == [await outbox.entry(KEY)]
            await session.execute(sa.update(outbox.table).values(leased_until=0.0))
            await session.commit()
            assert [entry.state for entry in await outbox.send(victor)] == [EntryState.SENT]
            time_travel.advance(minutes=1)
            assert [entry.status for entry in await outbox.refresh(victor)] == ["completed"]
            assert await outbox.refresh(victor) == []
            assert (await outbox.counts())[EntryState.SENT] == 1
            assert await outbox.entry("another-key-0123456789") is None

    anyio.run(check)
    assert len(sent_once(KEY)) == 2


def test_a_worker_goes_on_after_failures_and_ends_with_its_block(
    tmp_path: Path, async_victor: AsyncVictor, faults: Faults, caplog: pytest.LogCaptureFixture
) -> None:
    async def check() -> None:
        async with opened(f"sqlite:///{tmp_path / 'invoices.sqlite'}") as (outbox, session):
            await outbox.add(session, **invoice())
            await session.commit()
            faults.status(401, times=None)
            async with async_victor as victor, outbox.worker(victor, interval=0.001):
                with anyio.fail_after(20):
                    while "outbox.send failed" not in caplog.text:  # noqa: ASYNC110 - a log has no event
                        await anyio.sleep(0.001)
                    faults.clear()
                    while (await outbox.counts())[EntryState.SENT] == 0:  # noqa: ASYNC110 - a table has no event
                        await anyio.sleep(0.001)
            calls = len(caplog.records)
            await anyio.sleep(0.01)
            assert len(caplog.records) == calls

    with caplog.at_level(logging.WARNING, logger="victor_ext.outbox"):
        anyio.run(check)


@pytest.mark.parametrize("statement", range(1, 6))
def test_a_worker_that_is_ended_within_a_transaction_ends_it(
    statement: int, tmp_path: Path, async_victor: AsyncVictor
) -> None:
    async def check() -> None:
        begun: list[str] = []
        async with opened(f"sqlite:///{tmp_path / 'invoices.sqlite'}") as (outbox, session):
            await outbox.add(session, **invoice())
            await session.commit()
            engine = outbox._engine.sync_engine
            async with async_victor as victor, anyio.create_task_group() as tasks:

                @sa.event.listens_for(engine, "before_cursor_execute")
                def end(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
                    begun.append(text)
                    if len(begun) - begun.count("COMMIT") == statement:
                        tasks.cancel_scope.cancel()

                @sa.event.listens_for(engine, "commit")
                def commit(_connection: Any) -> None:
                    begun.append("COMMIT")

                tasks.start_soon(outbox.run, victor)
            assert begun[-1] == "COMMIT"

    anyio.run(check)
