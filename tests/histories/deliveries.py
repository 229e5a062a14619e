"""Equal events of a provider that gives them no id, posted to a receiver that is down now and then.

An order of FlexFactor's is refunded again and again, by the same amount: the notifications are
equal but for their time, which has only seconds. Each request is signed with a nonce of its own.
One that was not answered is posted again, and says so. Nobody can tell which of the equal events it
is of.
"""

from __future__ import annotations

import json
import time
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
from tests.histories.states import Pausing
from tests.histories.world import OK, Process, World, pause
from tests.providers.flexfactor.test_flexfactor_webhooks import HOST, KEY, signed
from victor_ext import Outcome, ServerError, VictorError
from victor_ext.inbox import Inbox, InboxEvent
from victor_ext.providers.flexfactor import Webhook

LEASE, LONGEST_AGE = 120.0, 30 * 86_400.0
HANDLED = sa.Table("handled_refunds", sa.MetaData(), sa.Column("order", sa.Text, nullable=False))


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


def _handle(session: Session, event: InboxEvent) -> None:
    session.execute(sa.insert(HANDLED).values(order=event.record))


@cache
def shared_inbox(database: str) -> Inbox:
    """The inbox of all histories, as `shared_outbox` is the outbox."""
    engine: Any = Pausing(sa.create_engine(database, poolclass=sa.pool.StaticPool))
    client = SimpleNamespace(orders=SimpleNamespace(get=_read_order))
    webhook = Webhook(KEY, host=HOST, tolerance=LONGEST_AGE, now=lambda: time.time())  # noqa: PLW0108 - that of the history
    made = Inbox(engine, webhook, client=client)
    made._lease = LEASE
    made.create_table()
    HANDLED.create(engine._engine, checkfirst=True)
    made.on("order.refunded")(_handle)
    return made


class Deliveries:
    """Two processes, each of which receives and handles; and two orders."""

    settled = frozenset({"handled"})

    def __init__(self, rules: Rules, orders: int) -> None:
        self.world, self.orders = World(rules), orders
        self.processes = [Process(self.world) for _ in range(2)]
        self.inbox = shared_inbox(settling.DATABASE[0])
        self.refunds: list[Refund] = []
        self.requests: list[Request] = []
        self.posting: dict[int, Refund] = {}
        self.arrived: set[Request] = set()
        with self.inbox._engine.begin() as connection:
            for table in (self.inbox.table, self.inbox.events, HANDLED):
                connection.execute(sa.delete(table))

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
        with self.inbox._engine.begin() as connection:
            self.inbox.receive(connection, request.body, request.headers)
            self.arrived.add(request)

    def _handle_all(self) -> None:
        with suppress(VictorError):
            self.inbox.handle()

    def end(self) -> None:
        for number, refund in enumerate(self.refunds):
            if not refund.is_answered:
                self.processes[0].at_once(partial(self._post, -number, refund))
        with self.inbox._engine.begin() as connection:  # each lease is over
            connection.execute(sa.update(self.inbox.events).values(due_at=0.0))
        self.processes[0].at_once(self._handle_all)

    def _handled(self) -> list[str]:
        with self.inbox._engine.begin() as connection:
            return [*connection.scalars(sa.select(HANDLED.c.order))]

    def words(self) -> Iterator[str]:
        return ("handled" for _ in self._handled())

    def judge(self) -> Iterator[str]:
        handled = self._handled()
        for order in {refund.order for refund in self.refunds}:
            refunds = [each for each in self.refunds if each.order == order]
            requests = [each for each in self.arrived if each.order == order]
            if handled.count(order) < len(refunds):
                yield f"lost: {len(refunds)} refunds, and {handled.count(order)} were handled"
            if handled.count(order) > len(requests):
                yield f"twice: {len(requests)} requests, and {handled.count(order)} were handled"
