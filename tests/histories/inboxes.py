"""Workers of one inbox. Each notification that was answered is handled once, by the one that has a
handler of it, on machines with clocks of their own.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.histories import settling
from tests.histories.provider import Rules
from tests.histories.world import BEGINS, Pausing, Process, World, in_world_time
from tests.providers.velo.test_velo_notifications import HEADER, body_of
from victor_ext.inbox import Inbox, InboxEvent
from victor_ext.providers import velo

DAY, LEASE = 86_400.0, 120.0
HANDLED = sa.Table("handled", sa.MetaData(), sa.Column("what", sa.Text, nullable=False))
"""What handlers write."""


def _note(session: Session, event: InboxEvent) -> None:
    session.execute(sa.insert(HANDLED).values(what=event.record or event.subject))


AHEAD = (0.0, 0.0, 8 * DAY, 91 * DAY, -8 * DAY, 365 * DAY)
KINDS = ("payment.accepted", "payment.rejected")
"""The events that each of the two workers has a handler of."""
NOTIFICATIONS = 4
WAITED_FOR = 6 * DAY
"""Less than an event waits for a worker that wants it."""


@cache
def shared_inboxes(database: str) -> tuple[Inbox, Inbox]:
    """The inboxes of all histories, one for each worker."""
    engine: Any = Pausing(in_world_time(sa.create_engine(database, poolclass=sa.pool.StaticPool)))
    inboxes = Inbox(engine, velo.Webhook(HEADER)), Inbox(engine, velo.Webhook(HEADER))
    for inbox, kind in zip(inboxes, KINDS, strict=True):
        inbox.create_table()
        inbox.on(kind)(_note)
    HANDLED.create(engine._engine, checkfirst=True)
    return inboxes


class Inboxes:
    """Two workers that receive and handle what comes from one system, some of it repeatedly, each
    with a clock of its own.
    """

    settled = frozenset({"handled"})

    def __init__(self, rules: Rules, ahead: tuple[float, ...]) -> None:
        self.inboxes = shared_inboxes(settling.DATABASE[0])
        self.world, self._engine = World(rules), self.inboxes[0]._engine
        self.processes = [Process(self.world, ahead=each) for each in ahead]
        with self._engine.begin() as connection:
            for table in (HANDLED, self.inboxes[0].table, self.inboxes[0].events):
                connection.execute(sa.delete(table))
        self.answered: set[int] = set()

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        return {"rules": Rules.draw(dice), "ahead": (dice.choice(AHEAD), dice.choice(AHEAD))}

    def start(self, number: int, choice: int) -> None:
        """A notification comes to this process, for the first time or again; or its worker makes a
        pass.
        """
        inbox, which = self.inboxes[number], choice // 2 % NOTIFICATIONS
        if choice % 2:
            self.processes[number].start(lambda: self._receive(inbox, which))
        else:
            self.processes[number].start(inbox.handle)

    def meanwhile(self, choice: int) -> None:
        """Another process receives a notification, for the first time or again."""
        self._receive(self.inboxes[0], choice % NOTIFICATIONS)

    def _receive(self, inbox: Inbox, which: int) -> None:
        body = json.loads(body_of(which + 1, f"e-{which}")) | {"eventName": KINDS[which % 2]}
        with self._engine.begin() as connection:
            content = json.dumps(body).encode()
            inbox.receive(connection, content, {"Authorization": HEADER})
        self.answered.add(which)

    def kill(self, number: int) -> None:
        """The next process knows all that this one has known: the tables."""

    def end(self) -> None:
        """All workers make passes, and what was answered comes once more."""
        for _ in range(2):
            for number, process in enumerate(self.processes):
                self.world.now += 3 * LEASE
                process.at_once(self.inboxes[number].handle)
            for which in sorted(self.answered):
                self.meanwhile(which)

    def counts(self) -> Counter[str]:
        """How often each was handled."""
        with self._engine.begin() as connection:
            return Counter(connection.scalars(sa.select(HANDLED.c.what)))

    def words(self) -> Iterator[str]:
        counts = self.counts()
        return ("handled" if counts[f"e-{each}"] else "waiting" for each in sorted(self.answered))

    def judge(self) -> Iterator[str]:
        counts = self.counts()
        for what, times in counts.items():
            if times > 1:
                yield f"handled twice: {what}, {times} times"
        if self.world.now - BEGINS.timestamp() > WAITED_FOR:
            return  # nobody may have wanted it for as long as the page says
        for which in sorted(self.answered):
            if not counts[f"e-{which}"]:
                yield f"lost: e-{which} was answered, and never handled"
