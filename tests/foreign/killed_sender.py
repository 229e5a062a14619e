"""A process that adds calls to an outbox and sends them to localstripe, and is killed again and
again.
"""

import importlib
import multiprocessing
import time
from collections import Counter
from datetime import timedelta
from email.utils import formatdate
from itertools import count
from random import Random
from typing import NamedTuple

import httpx
import sqlalchemy as sa

from tests.faults.raw_provider import answer
from victor_ext import BearerAuth, HeaderKey, connect
from victor_ext.outbox import EntryState, Outbox

BEARER = {"Authorization": "Bearer sk_local"}
WRITES = (
    ("create_customer", "NewCustomer", {"name": "Ada"}),
    ("create_payment_intent", "NewPaymentIntent", {"amount": 4423, "currency": "eur"}),
)
OPEN = (EntryState.WAITING, EntryState.SENDING, EntryState.SETTLING)
LEASE = 3.0
PATIENCE = 120.0
TOGETHER = 8
WORKERS = 2
"""How many calls are stored before they are sent, and how many of them are under way at once."""
ORDERS = sa.Table(
    "orders", sa.MetaData(), sa.Column("number", sa.Integer, primary_key=True, autoincrement=False)
)
"""What is sent for each of them, one committed with its entry."""


def keeping_keys(url):
    """Stand before localstripe, which ignores keys: what comes again under a key has the answer of
    the first time.
    """
    kept = {}

    def forward(exchange):
        sent = exchange.request
        if sent.key is None or sent.key not in kept:
            headers = {"Content-Type": sent.headers.get("content-type", ""), **BEARER}
            kept[sent.key] = httpx.request(
                sent.method, url + sent.path, content=sent.body, headers=headers
            )
        first = kept[sent.key]
        exchange.send(
            answer(
                first.content, f"{first.status_code} As said", f"Date: {formatdate(usegmt=True)}"
            )
        )

    return forward


class Plan(NamedTuple):
    """Where the sender sends to, where its outbox is, and whether Stripe is said to take a key."""

    url: str
    database: str
    keyed: bool

    def outbox(self):
        options = {"key": HeaderKey("Idempotency-Key")} if self.keyed else {}
        client = importlib.import_module("stripe_api.client").Client
        stripe = connect(
            client, base_url=self.url, auth=BearerAuth("sk_local"), deadline=LEASE, **options
        )
        lease = timedelta(seconds=LEASE)
        engine = sa.create_engine(self.database)
        return Outbox(engine, client=stripe, lease=lease, workers=WORKERS)

    def add(self, outbox, number):
        """Store an order, and the call that is made for it."""
        name, model, body = WRITES[number % 2]
        operation = importlib.import_module(f"stripe_api.api.default.{name}")
        new = getattr(importlib.import_module("stripe_api.models"), model)
        sent = new.from_dict({**body, "metadata": {"order": f"order-{number:04}"}})
        named = {"idempotency_key": f"the-key-of-order-{number:04}", "at_most_once": not self.keyed}
        with outbox._engine.begin() as connection:
            connection.execute(sa.insert(ORDERS).values(number=number))
            outbox.add_call(connection, operation, body=sent, **named)


def orders_in(outbox):
    with outbox._engine.begin() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(ORDERS)) or 0


def work(plan, *, is_last):
    """Add calls and send them, until the process is killed; as the last one, end with what was
    added.
    """
    outbox = plan.outbox()
    for number in () if is_last else count(orders_in(outbox)):
        plan.add(outbox, number)
        if number % TOGETHER == TOGETHER - 1:
            outbox.send()
    while any(outbox.entries(state) for state in OPEN):
        outbox.send()
        time.sleep(0.05)


def run(plan, localstripe, kills, seed):
    """Start the sender, kill it at random moments, and let the last one end.

    Returns what is wrong then.
    """
    dice = Random(seed)
    start = multiprocessing.get_context("forkserver")
    start.set_forkserver_preload([__name__])
    outbox = plan.outbox()
    outbox.create_table()
    ORDERS.create(outbox._engine)
    for _ in range(kills):
        sender = start.Process(target=work, args=(plan,), kwargs={"is_last": False})
        before = orders_in(outbox)
        ends = time.monotonic() + PATIENCE
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
    made = {}
    for kind in ("customers", "payment_intents"):
        listed = httpx.get(
            f"{localstripe}/v1/{kind}", params={"limit": "100000"}, headers=BEARER
        ).json()
        for each in listed["data"]:
            made.setdefault(each["metadata"]["order"], []).append(each["id"])
    # What has no key is marked when it is called: no more is in doubt than was under way.
    found = [*_wrong(outbox, made, 0 if plan.keyed else kills * WORKERS)]
    outbox._engine.dispose()
    return found


def _wrong(outbox, made, unclear):
    entries = outbox.entries()
    orders = orders_in(outbox)
    states = Counter(entry.state.value for entry in entries)
    print(f"{orders} orders: {dict(states)}")
    if len(entries) != orders or states["unclear"] > unclear:
        yield f"lost: {dict(states)} of {orders} orders"
    for entry in entries:
        ids = made.get(entry.idempotency_key[-10:], [])
        if len(ids) > 1:
            yield f"made twice: {entry}, {ids}"
        if entry.state is EntryState.SENT and ids != [entry.request_id]:
            yield f"told wrong: {entry}, {ids}"
        if entry.state not in (EntryState.SENT, EntryState.UNCLEAR):
            yield f"lost: {entry}, {ids}"
