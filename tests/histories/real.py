"""The smaller share that needs real parts: bulk with DBOS and its database, and connections that answer twice."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from typing import Any
from unicodedata import normalize
from unittest.mock import patch

import httpx

from tests.faults.raw_provider import Exchange, RawProvider, answer
from tests.faults.raw_sockets import background
from tests.histories.calls import BASE, QUICK
from tests.histories.provider import BODIES, Provider, Rules
from victor_ext import RetryPolicy, Victor, VictorError, VictorOAuth
from victor_ext.bulk import BulkSender, pacing
from victor_ext.bulk import run as bulk_run

SOON = 0.08
"""Seconds after an answer within which a second one comes, unless the machine is too busy for this history."""
NOTHING = ("refused", "not_sent")
"""What is told of a row that was not sent. Of the same key in another state, nobody knows."""


class Network(httpx.BaseTransport):
    """Between the threads of a sender and the provider. A share of the exchanges fails."""

    def __init__(self, provider: Provider, dice: Random, share: float) -> None:
        self._provider, self._dice, self._share, self._lock = provider, dice, share, threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        content = request.read()
        with self._lock:
            reply = self._provider.token(request, content)
            fails = request.method == "POST" and reply is None and self._dice.random() < self._share
            fault = self._dice.choice(["lost", "not sent", "503", "429"]) if fails else ""
            if fault == "not sent":
                raise httpx.ConnectError("it happened")
            if fault.isdecimal():
                return httpx.Response(int(fault), content=BODIES["html"])
            if reply is None:
                with self._provider.working(request, content, 0) as reply:
                    pass
        if fault == "lost":
            raise httpx.ReadError("it happened")
        return httpx.Response(reply.status, headers=reply.headers, content=reply.body)


class Senders:
    """Senders of two accounts with one storage key: batches, copies of their files, and edited ones in other states."""

    def __init__(self, steps: list[tuple[str, str, float]], seed: int) -> None:
        self.steps, self.dice = steps, Random(seed)
        self.provider, self.owners = Provider(Rules(conflict="bare 409"), time.time), dict[str, str]()
        self.made_by: dict[str, str] = {}
        """The state whose sender made a request, by the request's id."""

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        kinds = ("send", "copy", "copy", "resume", "resume", "edited")
        steps = [(dice.choice(kinds), dice.choice("AAB"), dice.choice([0.0, 0.5])) for _ in range(2)]
        return {"steps": [("send", "A", 0.6), *steps], "seed": dice.randrange(10**6)}

    def play(self) -> Iterator[str]:
        no_waiting = patch.object(pacing, "_FIRST_PAUSE", 0.01), patch.object(bulk_run, "_LOOK_EVERY", 0.02)
        with tempfile.TemporaryDirectory() as folder, no_waiting[0], no_waiting[1]:
            for kind, account, share in self.steps:
                yield from self._step(folder, kind, account, share)

    def _step(self, folder: str, kind: str, account: str, share: float) -> Iterator[str]:
        column, batch = ("inv", "copy") if kind == "copy" else ("invoice_no", "march")
        form = "NFD" if self.made_by else "NFC"
        names = [normalize(form, f"Mü-{number}") for number in range(4)]
        rows = [{column: name, **BASE, "client_reference_id": name} for name in names]
        rows[0]["amount"] = "45.00" if kind == "edited" else BASE["amount"]
        state, count = "two" if kind == "edited" else "one", len(self.provider.done)
        options: dict[str, Any] = {"base_url": "https://victor.test", "retry": RetryPolicy(max_attempts=1)}
        transport = Network(self.provider, self.dice, share)
        with Victor(VictorOAuth(account, "a-secret"), transport=transport, **options) as victor:
            database, secret = f"sqlite:///{folder}/{state}.sqlite", "a secret for histories, of some length"
            sender = BulkSender(victor, state=database, batch=batch, key_column=column, patience=0, storage_key=secret)
            with suppress(VictorError):
                sender.resume() if kind == "resume" else sender.send(rows)
            results: list[Any] = []
            with suppress(VictorError):
                results = list(sender.export())
        self.made_by |= {work.id: state for work in self.provider.done[count:]}
        owner = self.owners.setdefault(state + batch, account)
        if owner != account and len(self.provider.done) > count:
            yield f"asked by another account: {account} has sent rows of the batch {batch} of {owner}"
        for result in results:
            works = self.provider.of(result.key)
            is_ours = any(self.made_by[work.id] == state for work in works)
            if works and (result.outcome == "rejected" or (result.outcome in NOTHING and is_ours)):
                yield f"told wrong: {result.outcome} {result.error}, and there is {works[0].id}"
            if result.outcome == "created" and result.id not in [work.id for work in works]:
                yield f"told wrong: {result} is not under its key"
        references = sorted(normalize("NFC", work.reference) for work in self.provider.done if work.account == owner)
        if len(set(references)) < len(references):
            yield f"asked twice: {references} after {kind}"


class Sockets:
    """Threads that share few connections, on which each answer comes twice."""

    def __init__(self, threads: int, connections: int, delay: float, seed: int) -> None:
        self.threads, self.connections, self.delay, self.dice = threads, connections, delay, Random(seed)
        self.provider, self.slowest = Provider(Rules(detail="terse"), time.time), 0.0

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        threads, connections = dice.choice([2, 4, 8]), dice.choice([1, 2, 4, 8])
        delay = dice.choice([0.001, 0.003, 0.01])
        return {"threads": threads, "connections": connections, "delay": delay, "seed": dice.randrange(10**6)}

    def _act(self, exchange: Exchange) -> None:
        raw = exchange.request
        request = httpx.Request(raw.method, f"https://victor.test{raw.path}", headers=raw.headers, content=raw.body)
        with self.provider.working(request, raw.body, 0) as reply:
            exchange._provider.background.loop.call_later(0.002, self._answer, exchange, answer(reply.body), 0.0)

    def _answer(self, exchange: Exchange, data: bytes, first: float) -> None:
        """Answer, and a moment later once more."""
        now, loop = time.monotonic(), exchange._provider.background.loop
        if exchange._connection.transport.is_closing():
            return
        exchange.send(data)
        if first:
            self.slowest = max(self.slowest, now - first)
        else:
            loop.call_later(self.dice.uniform(0, 2 * self.delay), self._answer, exchange, data, now)

    def play(self) -> Iterator[str]:
        options: Any = {"limits": httpx.Limits(max_connections=self.connections), "retry": QUICK}
        with background() as loop, ThreadPoolExecutor(self.threads) as pool:
            server = RawProvider(loop)
            server.instead = self._act
            with Victor(VictorOAuth("A", "a-secret"), base_url=server.url(), **options) as victor:
                told = list(pool.map(lambda number: self._create(victor, number), range(3 * self.threads)))
            server.close()
        for key, named in told if self.slowest < SOON else ():
            made = [work.id for work in self.provider.of(key)]
            if named is not None and [named] != made:
                yield f"told wrong: success with {named}, and under the key is {made}"

    @staticmethod
    def _create(victor: Victor, number: int) -> tuple[str, str | None]:
        key = f"key-of-the-payment-{number}"
        with suppress(VictorError):
            return key, victor.payment_requests.create(**BASE, idempotency_key=key).id
        return key, None
