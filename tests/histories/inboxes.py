"""Workers of one inbox. Each notification that was answered is handled once, by the one that has a
handler of it, on machines with clocks of their own; and equal events of a provider that gives them
no id are handled as often as they happened, by a receiver that is down now and then.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from random import Random
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.histories import settling
from tests.histories.provider import Rules
from tests.histories.world import BEGINS, OK, Pausing, Process, World, in_world_time, pause
from tests.providers.flexfactor.test_flexfactor_webhooks import HOST, KEY, signed
from tests.providers.velo.test_velo_notifications import HEADER, body_of
from victor_ext import Outcome, ServerError, VictorError
from victor_ext.inbox import Inbox, InboxEvent
from victor_ext.providers import flexfactor, velo

DAY, LEASE = 86_400.0, 120.0
HANDLED = sa.Table("handled", sa.MetaData(), sa.Column("what", sa.Text, nullable=False))
"""What handlers write."""


def handles(inbox: Inbox, kind: str) -> None:
    """Make the tables of an inbox, and let it handle the events of this kind."""
    inbox.create_table()
    HANDLED.create(inbox._engine._engine, checkfirst=True)  # type: ignore[attr-defined] # it pauses
    inbox.on(kind)(_note)


def _note(session: Session, event: InboxEvent) -> None:
    session.execute(sa.insert(HANDLED).values(what=event.record or event.subject))


class Receivers:
    """Processes that receive and handle, each with a clock of its own."""

    settled = frozenset({"handled"})

    def __init__(self, rules: Rules, ahead: tuple[float, ...], inbox: Inbox) -> None:
        self.world, self._engine = World(rules), inbox._engine
        self.processes = [Process(self.world, ahead=each) for each in ahead]
        with self._engine.begin() as connection:
            for table in (HANDLED, inbox.table, inbox.events):
                connection.execute(sa.delete(table))

    def counts(self) -> Counter[str]:
        """How often each was handled."""
        with self._engine.begin() as connection:
            return Counter(connection.scalars(sa.select(HANDLED.c.what)))


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
        handles(inbox, kind)
    return inboxes


class Inboxes(Receivers):
    """Two workers that receive and handle what comes from one system, some of it repeatedly."""

    def __init__(self, rules: Rules, ahead: tuple[float, ...]) -> None:
        self.inboxes = shared_inboxes(settling.DATABASE[0])
        super().__init__(rules, ahead, self.inboxes[0])
        self.answered: set[int] = set()
        for number in range(2):
            self.kill(number)

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
        """The next process has not deleted anything."""
        self.inboxes[number]._forgotten_at = float("-inf")

    def end(self) -> None:
        """All workers make passes, and what was answered comes once more."""
        for _ in range(2):
            for number, process in enumerate(self.processes):
                self.world.now += 3 * LEASE
                process.at_once(self.inboxes[number].handle)
            for which in sorted(self.answered):
                self.meanwhile(which)

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


LONGEST_AGE = 30 * DAY


@cache
def shared_inbox(database: str) -> Inbox:
    """The inbox of all histories, as `shared_outbox` is the outbox."""
    engine: Any = Pausing(sa.create_engine(database, poolclass=sa.pool.StaticPool))
    client = SimpleNamespace(orders=SimpleNamespace(get=_read_order))
    clock = lambda: time.time()  # noqa: E731, PLW0108 - that of the history
    made = Inbox(
        engine,
        flexfactor.Webhook(KEY, host=HOST, tolerance=LONGEST_AGE, now=clock),
        client=client,
    )
    made._lease = LEASE
    handles(made, "order.refunded")
    return made


@dataclass(eq=False)
class Refund:
    """What happened to an order, and how often it was posted."""

    order: str
    at: float
    posted: int = 0
    is_under_way: bool = False
    is_answered: bool = False


@dataclass(frozen=True, eq=False)
class Request:
    """A signed request of the provider's."""

    order: str
    nonce: str
    body: bytes
    headers: dict[str, str]


def _read_order(order_id: str) -> str:
    if pause() != OK:
        raise ServerError("the provider is away", outcome=Outcome.UNKNOWN)
    return order_id


class Deliveries(Receivers):
    """An order of FlexFactor's is refunded again and again, by the same amount: the notifications
    are equal but for their time, which has only seconds. Each request is signed with a nonce of its
    own. One that was not answered is posted again, and says so. Nobody can tell which of the equal
    events it is of.
    """

    def __init__(self, rules: Rules, orders: int) -> None:
        self.inbox = shared_inbox(settling.DATABASE[0])
        super().__init__(rules, (0.0, 0.0), self.inbox)
        self.orders = orders
        self.refunds: list[Refund] = []
        self.requests: list[Request] = []
        self.posting: dict[int, Refund] = {}
        self.arrived: set[Request] = set()

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        return {"rules": Rules.draw(dice), "orders": dice.choice([1, 1, 2])}

    def start(self, number: int, choice: int) -> None:
        """The provider refunds and posts, or posts again; or this process handles."""
        process, kind = self.processes[number], choice % 4
        if kind == 0:
            process.start(self._handle_all)
        elif kind == 1:
            self.refunds.append(Refund(f"o-{choice % self.orders}", self.world.now))
        if kind in (1, 2):
            waiting = [each for each in self.refunds if not (each.is_answered or each.is_under_way)]
            if waiting:
                process.start(partial(self._post, number, waiting[choice % len(waiting)]))
        elif kind == 3 and self.requests:  # somebody repeats a request that was signed
            process.start(partial(self._receive, self.requests[choice % len(self.requests)]))

    def meanwhile(self, choice: int) -> None:
        """An order is refunded while the receiver is down."""
        self.refunds.append(Refund(f"o-{choice % self.orders}", self.world.now, posted=1))

    def kill(self, number: int) -> None:
        refund = self.posting.pop(number, None)
        if refund is not None:
            refund.is_under_way = False

    def _post(self, number: int, refund: Refund) -> None:
        self.posting[number], refund.is_under_way = refund, True
        refund.posted += 1
        request = self._request(refund)
        is_answered = pause() == OK  # it is about to leave
        if is_answered:
            self._receive(request)
            is_answered = pause() == OK  # the answer is on its way
        refund.is_answered, refund.is_under_way = is_answered, False
        self.posting.pop(number, None)

    def _request(self, refund: Refund) -> Request:
        happened = datetime.fromtimestamp(refund.at, UTC)
        members = {"Event": "order.refunded", "OrderId": refund.order}
        members |= {"TimeStamp": f"{happened:%Y-%m-%dT%H:%M:%SZ}"}
        body = json.dumps({**members, "IsResent": refund.posted > 1}).encode()
        nonce = f"n-{len(self.requests)}"
        headers = signed(body, by=nonce, at=time.time())
        request = Request(refund.order, nonce, body, headers)
        self.requests.append(request)
        return request

    def _receive(self, request: Request) -> None:
        with self._engine.begin() as connection:
            self.inbox.receive(connection, request.body, request.headers)
            self.arrived.add(request)

    def _handle_all(self) -> None:
        with suppress(VictorError):
            self.inbox.handle()

    def end(self) -> None:
        for number, refund in enumerate(self.refunds):
            if not refund.is_answered:
                self.processes[0].at_once(partial(self._post, -number, refund))
        with self._engine.begin() as connection:  # each lease is over
            connection.execute(sa.update(self.inbox.events).values(due_at=0.0))
        self.processes[0].at_once(self._handle_all)

    def words(self) -> Iterator[str]:
        return ("handled" for _ in self.counts().elements())

    def judge(self) -> Iterator[str]:
        handled = self.counts()
        for order in {refund.order for refund in self.refunds}:
            refunds = [each for each in self.refunds if each.order == order]
            requests = [each for each in self.arrived if each.order == order]
            if handled[order] < len(refunds):
                yield f"lost: {len(refunds)} refunds, and {handled[order]} were handled"
            if handled[order] > len(requests):
                yield f"twice: {len(requests)} requests, and {handled[order]} were handled"
