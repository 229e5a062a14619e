"""Notifications, each several times and out of order, over processes that are killed at a step: the
begin or the end of a commit.
"""

import multiprocessing
import os
import random
import signal
from collections import Counter
from datetime import timedelta
from itertools import count

import sqlalchemy as sa

from tests.outbox.rows import NOTES, change_events, inbox_of, notes, received_number, write

WORKERS, PATIENCE, MOST_STEPS = 3, 300.0, 100


def new_inbox(url):
    connection = {"timeout": 60} if url.startswith("sqlite") else {}
    engine = sa.create_engine(url, connect_args=connection)
    return inbox_of(engine, lease=timedelta(seconds=0.3))


def work(url, events, seed, kill_at):
    """Receive all, in any order, and handle in between; be killed at this step."""
    dice, steps = random.Random(seed), count(1)
    inbox = new_inbox(url)

    def step(*_):
        if next(steps) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    @inbox.on("payment.accepted")
    def handle(session, event):
        write(session, event.subject)
        if dice.random() < 0.05 and kill_at:
            raise ValueError("any reason")

    for name in ("commit", "checkin"):
        sa.event.listen(inbox._engine, name, step)
    for number in dice.sample(range(1, events + 1), events):
        received_number(inbox, number)
        if dice.random() < 0.1:
            inbox.handle()
    inbox.handle()


def run(url, events, rounds, seed):
    """How many events were handled how often, after so many rounds of workers that are killed."""
    dice = random.Random(seed)
    inbox = new_inbox(url)
    NOTES.create(inbox._engine)
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
        change_events(inbox, due_at=0.0)  # nobody waits for the lease of one that was killed
    handled = Counter(notes(inbox))
    inbox._engine.dispose()
    return Counter(handled.values())
