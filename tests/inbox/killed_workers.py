"""Changes and deliveries, each several times and out of order, over processes that are killed again
and again.

`python -m tests.inbox.killed_workers URL --events 10000` prints what it has counted, and fails if
anything was handled twice or not at all. Half of the events are notifications of Velo's; the others
are changes of entries of an outbox.
"""

import argparse
import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.outbox.rows import key_of, received_number
from tests.providers.velo.test_velo_notifications import HEADER
from tests.providers.victor.adapter import invoice
from victor_ext.inbox import Inbox, InboxEvent
from victor_ext.outbox import Outbox
from victor_ext.providers.velo import Webhook

HANDLED = sa.Table("handled", sa.MetaData(), sa.Column("what", sa.Text, nullable=False))
LEASE = 0.3


def boxes(url: str) -> tuple[sa.Engine, Inbox, Outbox]:
    engine = sa.create_engine(url, connect_args={"timeout": 60} if url.startswith("sqlite") else {})
    # a commit does not wait for the disk: no machine is switched off here
    if url.startswith("sqlite"):
        sa.event.listen(
            engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF")
        )
    inbox, outbox = Inbox(engine, Webhook(HEADER)), Outbox(engine)
    inbox._lease = outbox._lease = LEASE
    return engine, inbox, outbox


def work(url: str, posted: list[int], seed: int) -> None:
    """Receive and refresh, and handle in between, until the process is killed or nothing is left to
    do.
    """
    dice = random.Random(seed)
    engine, inbox, outbox = boxes(url)

    def handler(session: Session, event: Any) -> None:
        what = event.subject if isinstance(event, InboxEvent) else event.entry.reference
        session.execute(sa.insert(HANDLED).values(what=what))
        if dice.random() < 0.05:
            raise ValueError("any reason")
        if dice.random() < 0.002:
            os.kill(os.getpid(), signal.SIGKILL)

    inbox.on("payment.accepted")(handler)
    outbox.on("completed")(handler)
    for done, number in enumerate(posted):
        if number % 2:
            received_number(inbox, number)
        else:
            is_it = outbox.table.c.key == key_of(number)
            with engine.connect() as connection:
                row = connection.execute(sa.select(outbox.table).where(is_it)).one()
            change = {"status": "completed", "ended": True}
            outbox._run(outbox._store_status(row, change))
        if done % 50 == 49:
            inbox.handle()
            outbox.handle()
    inbox.handle()
    outbox.handle()


def run(url: str, events: int, processes: int, kills: int, seed: int) -> Counter[int]:
    """How many events were handled how often."""
    dice = random.Random(seed)
    engine, inbox, outbox = boxes(url)
    inbox.create_table()
    outbox.create_table()
    HANDLED.create(engine)
    with engine.begin() as connection:
        for number in range(0, events, 2):
            outbox.add(connection, **invoice(number))
        connection.execute(sa.update(outbox.table).values(state="sent", status="pending"))
    engine.dispose()
    posted = [number for number in range(events) for _ in range(dice.randint(1, 5))]
    dice.shuffle(posted)
    size = max(100, len(posted) // 60)
    parts = [posted[at : at + size] for at in range(0, len(posted), size)]
    start = multiprocessing.get_context("forkserver")
    start.set_forkserver_preload([__name__])  # so a worker imports nothing
    workers: dict[Any, list[int]] = {}
    killed = done = 0
    while done < events or workers:
        for worker in [each for each in workers if not each.is_alive()]:
            part = workers.pop(worker)
            assert worker.exitcode <= 0, "a worker has failed, and was not killed"
            if worker.exitcode != 0:  # what was not answered is delivered again
                killed += 1
                parts.append(part)
        while len(workers) < processes and done < events:
            part = parts.pop() if parts else []
            worker = start.Process(target=work, args=(url, part, dice.randrange(2**32)))
            worker.start()
            workers[worker] = part
        for worker in [*workers][:1]:
            worker.join(0.3)
        if workers and killed < kills and dice.random() < 0.5:
            dice.choice([*workers]).kill()
        late = time.time() + LEASE
        with suppress(DBAPIError), engine.begin() as connection:
            for box in (inbox, outbox):
                soon = sa.update(box.events).values(due_at=0.0).where(box.events.c.due_at > late)
                connection.execute(soon)  # nobody waits for a next try
        with engine.connect() as connection:
            done = connection.scalar(sa.select(sa.func.count(HANDLED.c.what.distinct()))) or 0
    with engine.connect() as connection:
        counts = Counter(connection.scalars(sa.select(HANDLED.c.what)))
        left = [
            connection.scalar(sa.select(sa.func.count()).select_from(box.events))
            for box in (inbox, outbox)
        ]
    engine.dispose()
    print(f"{events} events came {len(posted)} times, {killed} workers killed, rows left: {left}")
    return Counter(counts.values())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    handled = run(given.url, given.events, 3, given.kills, given.seed)
    print(dict(handled))
    sys.exit(handled != {1: given.events})
