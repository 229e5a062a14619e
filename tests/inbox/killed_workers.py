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

from tests.providers.velo.test_velo_notifications import HEADER, body_of
from victor_ext import PreparedCall, Promise
from victor_ext.inbox import Inbox, InboxEvent
from victor_ext.outbox import Outbox
from victor_ext.providers.velo import Webhook

HANDLED = sa.Table("handled", sa.MetaData(), sa.Column("what", sa.Text, nullable=False))
CALL = PreparedCall(
    name="x",
    operation="POST /x",
    promise=Promise.KEYED,
    method="POST",
    url="/x",
    headers={},
    content=b"{}",
)
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
        what = event.subject if isinstance(event, InboxEvent) else event.entry.request_id
        session.execute(sa.insert(HANDLED).values(what=what))
        if dice.random() < 0.05:
            raise ValueError("any reason")
        if dice.random() < 0.002:
            os.kill(os.getpid(), signal.SIGKILL)

    inbox.on("payment.accepted")(handler)
    outbox.on("completed")(handler)
    for done, number in enumerate(posted):
        if number % 2:
            with Session(engine) as session, session.begin():
                inbox.receive(session, body_of(number, f"e-{number}"), {"Authorization": HEADER})
        else:
            with engine.connect() as connection:
                row = connection.execute(
                    sa.select(outbox.table).where(outbox.table.c.key == f"k-{number}")
                ).one()
            outbox._run(
                outbox._refreshed(row.id, row.status, {"status": "completed", "ended": True})
            )
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
    rows = [
        {
            "key": f"k-{number}",
            "reference": f"k-{number}",
            "provider": "Victor",
            "operation": "payment_requests.create",
            "call": CALL.to_text(),
            "look_up_by": "{}",
            "state": "sent",
            "leased_until": 0.0,
            "ended": False,
            "stored_at": 0.0,
            "changed_at": 0.0,
            "restored": False,
            "request_id": f"r-{number}",
            "status": "pending",
        }
        for number in range(0, events, 2)
    ]
    with engine.begin() as connection:
        connection.execute(sa.insert(outbox.table), rows)
    engine.dispose()
    posted = [number for number in range(events) for _ in range(dice.randint(1, 5))]
    dice.shuffle(posted)
    size = max(100, len(posted) // 60)
    parts = [posted[at : at + size] for at in range(0, len(posted), size)]
    start = multiprocessing.get_context("spawn").Process
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
            workers[worker := start(target=work, args=(url, part, dice.randrange(2**32)))] = part
            worker.start()
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
