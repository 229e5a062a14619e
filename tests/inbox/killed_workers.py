"""Changes and deliveries, each several times and out of order, over processes that are killed again
and again.

Half of the events are notifications of Velo's; the others are changes of entries of an outbox. A
worker is killed at a step: the begin or the end of a commit.
"""

import multiprocessing
import os
import random
import signal
from collections import Counter
from itertools import count
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.outbox.rows import change_events, key_of, received_number
from tests.providers.velo.test_velo_notifications import HEADER
from tests.providers.victor.adapter import invoice
from victor_ext.inbox import Inbox, InboxEvent
from victor_ext.outbox import Outbox
from victor_ext.providers.velo import Webhook

HANDLED = sa.Table("handled", sa.MetaData(), sa.Column("what", sa.Text, nullable=False))
WORKERS, PATIENCE, MOST_STEPS = 3, 300.0, 200


def boxes(url: str) -> tuple[sa.Engine, Inbox, Outbox]:
    is_sqlite = url.startswith("sqlite")
    engine = sa.create_engine(url, connect_args={"timeout": 60} if is_sqlite else {})
    inbox, outbox = Inbox(engine, Webhook(HEADER)), Outbox(engine)
    inbox._lease = outbox._lease = 0.3
    return engine, inbox, outbox


def work(url: str, events: int, seed: int, kill_at: int | None) -> None:
    """Receive and change all, in any order, and handle in between; be killed at this step."""
    dice, steps = random.Random(seed), count(1)
    engine, inbox, outbox = boxes(url)

    def step(*_: object) -> None:
        if next(steps) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def handler(session: Session, event: Any) -> None:
        what = event.subject if isinstance(event, InboxEvent) else event.entry.reference
        session.execute(sa.insert(HANDLED).values(what=what))
        if dice.random() < 0.05 and kill_at:
            raise ValueError("any reason")

    inbox.on("payment.accepted")(handler)
    outbox.on("completed")(handler)
    for name in ("commit", "checkin"):
        sa.event.listen(engine, name, step)
    for number in dice.sample(range(events), events):
        if number % 2:
            received_number(inbox, number)
        else:
            is_it = outbox.table.c.key == key_of(number)
            with engine.connect() as connection:
                row = connection.execute(sa.select(outbox.table).where(is_it)).one()
            outbox._run(outbox._store_status(row, {"status": "completed", "ended": True}))
        if dice.random() < 0.1:
            inbox.handle()
            outbox.handle()
    inbox.handle()
    outbox.handle()


def run(url: str, events: int, rounds: int, seed: int) -> Counter[int]:
    """How many events were handled how often, after so many rounds of workers that are killed."""
    dice = random.Random(seed)
    engine, inbox, outbox = boxes(url)
    inbox.create_table()
    outbox.create_table()
    HANDLED.create(engine)
    with engine.begin() as connection:
        for number in range(0, events, 2):
            outbox.add(connection, **invoice(number))
        connection.execute(sa.update(outbox.table).values(state="sent", status="pending"))
    start = multiprocessing.get_context("forkserver")
    start.set_forkserver_preload([__name__])  # so a worker imports nothing
    for is_last in [False] * rounds + [True]:
        workers = []
        for _ in range(1 if is_last else WORKERS):
            kill_at = None if is_last else dice.randint(1, MOST_STEPS)
            worker = start.Process(target=work, args=(url, events, dice.randrange(99), kill_at))
            worker.start()
            workers.append(worker)
        for worker in workers:
            worker.join(PATIENCE)
            assert worker.exitcode in (0, -signal.SIGKILL), "a worker has failed"
        for box in (inbox, outbox):  # nobody waits for the lease of one that was killed
            change_events(box, due_at=0.0)
    with engine.connect() as connection:
        handled = Counter(connection.scalars(sa.select(HANDLED.c.what)))
    engine.dispose()
    return Counter(handled.values())
