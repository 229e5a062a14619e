"""`python -m tests.outbox.one_worker DATABASE DEADLINE WORKERS KIND`: a worker of an outbox until
it is ended, blocking or awaited.
"""

import sys

import anyio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from victor_ext import AsyncVictor, RetryPolicy, Victor
from victor_ext._event_queue.workers import stop_at_signals
from victor_ext.outbox import AsyncOutbox, Outbox

EACH = 0.1
"""Seconds between two passes."""


def work(database: str, deadline: float, workers: int) -> None:
    outbox = Outbox(sa.create_engine(database), workers=workers)
    victor = Victor.from_env(deadline=deadline, retry=RetryPolicy(max_attempts=1))
    with victor, stop_at_signals() as stop:
        outbox.run(victor, interval=EACH, stop=stop)


async def work_awaited(database: str, deadline: float, workers: int) -> None:
    url = database.replace("sqlite:", "sqlite+aiosqlite:")
    outbox = AsyncOutbox(create_async_engine(url), workers=workers)
    retry = RetryPolicy(max_attempts=1)
    async with AsyncVictor.from_env(deadline=deadline, retry=retry) as victor:
        await outbox.run(victor, interval=EACH)


if __name__ == "__main__":
    place, seconds, at_once, kind = sys.argv[1:]
    if kind == "blocking":
        work(place, float(seconds), int(at_once))
    else:
        anyio.run(work_awaited, place, float(seconds), int(at_once))
