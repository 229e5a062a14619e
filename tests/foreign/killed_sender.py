"""A process that adds calls to an outbox and sends them to localstripe, and is killed again and again."""

from __future__ import annotations

import importlib
import multiprocessing
import threading
import time
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from random import Random
from typing import Any, NamedTuple, Self, TypeAlias

import httpx
import sqlalchemy as sa

from tests.mistakes import planted
from victor_ext import BearerAuth, HeaderKey, connect
from victor_ext.outbox import Entry, EntryState, Outbox

Mistake: TypeAlias = tuple[str, str, str]
KEY = HeaderKey("Idempotency-Key")
BEARER = {"Authorization": "Bearer sk_local"}
WRITES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("create_customer", "NewCustomer", {"name": "Ada"}),
    ("create_payment_intent", "NewPaymentIntent", {"amount": 4423, "currency": "eur"}),
    ("create_refund", "NewRefund", {"amount": 1}),
)
OPEN = (EntryState.WAITING, EntryState.SENDING, EntryState.SETTLING)
LEASE, PATIENCE = 3.0, 120.0
ORDERS = sa.Table("orders", sa.MetaData(), sa.Column("number", sa.Integer, primary_key=True, autoincrement=False))
"""What is sent for each of them, one committed with its entry."""


class KeepingKeys(BaseHTTPRequestHandler):
    """Stands before localstripe, which ignores keys: what comes again under a key has the answer of the first time."""

    protocol_version = "HTTP/1.1"
    server: KeptKeys

    def do_POST(self) -> None:
        content, key = self.rfile.read(int(self.headers["Content-Length"])), str(self.headers[KEY.name])
        headers = {"Content-Type": self.headers["Content-Type"], **BEARER}
        with self.server.lock:
            self.server.repeats += key in self.server.kept
            if key not in self.server.kept:
                self.server.kept[key] = httpx.post(self.server.url + self.path, content=content, headers=headers)
            answer = self.server.kept[key]
        self.send_response(answer.status_code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


class KeptKeys(ThreadingHTTPServer):
    """The server of `KeepingKeys`."""

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), KeepingKeys)
        self.url, self.lock, self.repeats = url, threading.Lock(), 0
        self.kept: dict[str, httpx.Response] = {}
        self.own_url = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.01,)).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """Whoever has asked is killed."""


class Plan(NamedTuple):
    """What the sender does.

    Attributes:
        url: Where it sends to.
        charge: What is refunded.
        database: Where the outbox is.
        keyed: Whether it says that Stripe takes a key.
        mistakes: What is planted in it; see `planted`.
    """

    url: str
    charge: str
    database: str
    keyed: bool
    mistakes: tuple[Mistake, ...] = ()

    def outbox(self) -> Outbox:
        options: dict[str, Any] = {"key": KEY} if self.keyed else {}
        client = importlib.import_module("stripe_api.client").Client
        stripe = connect(client, base_url=self.url, auth=BearerAuth("sk_local"), deadline=LEASE, **options)
        engine = sa.create_engine(self.database)
        return Outbox(engine, client=stripe, lease=timedelta(seconds=LEASE))

    def add(self, outbox: Outbox, number: int) -> None:
        """Store an order, and the call that is made for it."""
        name, model, body = WRITES[number % 3]
        operation = importlib.import_module(f"stripe_api.api.default.{name}")
        new = getattr(importlib.import_module("stripe_api.models"), model)
        charge = {"charge": self.charge} if name == "create_refund" else {}
        sent = new.from_dict({**body, **charge, "metadata": {"order": f"order-{number:04}"}})
        with outbox._engine.begin() as connection:
            connection.execute(sa.insert(ORDERS).values(number=number))
            key = f"the-key-of-order-{number:04}"
            outbox.add_call(connection, operation, body=sent, idempotency_key=key, at_most_once=not self.keyed)


def work(plan: Plan, *, is_last: bool) -> None:
    """Add calls and send them, until the process is killed; as the last one, end with what was added."""
    with ExitStack() as stack:
        for mistake in plan.mistakes:
            stack.enter_context(planted(*mistake))
        outbox = plan.outbox()
        for number in () if is_last else count(orders_in(outbox)):
            plan.add(outbox, number)
            if number % 4 == 3:
                outbox.send()
        while any(outbox.entries(state) for state in OPEN):
            outbox.send()
            time.sleep(0.05)


def orders_in(outbox: Outbox) -> int:
    with outbox._engine.begin() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(ORDERS)) or 0


class Came(NamedTuple):
    """What all of it came to: the orders, the entries, the ids of what localstripe has made for each order."""

    orders: int
    entries: list[Entry]
    made: dict[str, list[str]]

    def wrong(self, *, keyed: bool, kills: int) -> list[str]:
        found = [f"lost: {len(self.entries)} entries for {self.orders} orders"] * (len(self.entries) != self.orders)
        unclear = [entry for entry in self.entries if entry.state is EntryState.UNCLEAR]
        if len(unclear) > (0 if keyed else kills):
            found.append(f"lost: {len(unclear)} are unclear after {kills} kills")
        for entry in self.entries:
            made = self.made.get(entry.idempotency_key[-10:], [])
            if len(made) > 1:
                found.append(f"made twice: {entry}, {made}")
            if entry.state is EntryState.SENT and made != [entry.request_id]:
                found.append(f"told wrong: {entry}, {made}")
            if entry.state not in (EntryState.SENT, EntryState.UNCLEAR):
                found.append(f"lost: {entry}, {made}")
        return found


def a_charge(url: str) -> str:
    """The id of a charge that can be refunded."""
    with httpx.Client(base_url=url, headers=BEARER) as raw:
        card = {f"card[{name}]": value for name, value in (("number", "4242424242424242"), ("cvc", "123"))}
        card |= {"type": "card", "card[exp_month]": "12", "card[exp_year]": "2040"}
        method = raw.post("/v1/payment_methods", data=card).raise_for_status().json()["id"]
        charge = raw.post("/v1/charges", data={"amount": "100000", "currency": "eur", "source": method})
        return str(charge.raise_for_status().json()["id"])


def run(plan: Plan, localstripe: str, kills: int, seed: int) -> Came:
    """Start the sender, kill it at random moments, and let the last one end."""
    dice, start = Random(seed), multiprocessing.get_context("forkserver")
    start.set_forkserver_preload([__name__])
    outbox = plan.outbox()
    outbox.create_table()
    ORDERS.create(outbox._engine)
    for _ in range(kills):
        sender = start.Process(target=work, args=(plan,), kwargs={"is_last": False})
        before, ends = orders_in(outbox), time.monotonic() + PATIENCE
        sender.start()
        while orders_in(outbox) == before:
            assert sender.exitcode is None and time.monotonic() < ends
            sender.join(0.02)
        sender.join(dice.uniform(0.0, 0.6))
        sender.kill()
        sender.join()
    last = start.Process(target=work, args=(plan,), kwargs={"is_last": True})
    last.start()
    last.join(PATIENCE)
    assert last.exitcode == 0
    made: dict[str, list[str]] = {}
    for kind in ("customers", "payment_intents", "refunds"):
        listed = httpx.get(f"{localstripe}/v1/{kind}", params={"limit": "100000"}, headers=BEARER).json()
        for each in listed["data"]:
            made.setdefault(each["metadata"]["order"], []).append(each["id"])
    came = Came(orders_in(outbox), outbox.entries(), made)
    outbox._engine.dispose()
    states = Counter(entry.state.value for entry in came.entries)
    print(f"{came.orders} orders, {kills} kills: {dict(states)}")
    return came
