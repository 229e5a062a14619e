"""The smaller share that needs real parts: bulk with DBOS and its database, and connections that answer twice."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import httpx

from tests.faults.raw_provider import Exchange, RawProvider, answer
from tests.faults.raw_sockets import Background
from tests.histories.calls import BASE, QUICK
from tests.histories.provider import BODIES, Provider, Rules
from victor_ext import RetryPolicy, Victor, VictorError, VictorOAuth
from victor_ext.bulk import BulkSender, pacing
from victor_ext.bulk import run as bulk_run
from victor_ext.bulk.rows import RowOutcome

STORAGE_KEY = "a secret for histories, of some length"
NOTHING = (RowOutcome.REJECTED, RowOutcome.REFUSED, RowOutcome.NOT_SENT)


class Network(httpx.BaseTransport):
    """Between the threads of a sender and the provider: each exchange may fail, by a seed."""

    def __init__(self, provider: Provider, dice: Random, share: float) -> None:
        self._provider, self._dice, self._share, self._lock = provider, dice, share, threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            content = request.read()
            reply = self._provider.token(request, content)
            fails = self._dice.random() < self._share and reply is None and request.method == "POST"
            what = self._dice.choice(["lost", "not sent", "503", "429"]) if fails else ""
            if what == "not sent":
                raise httpx.ConnectError("it happened")
            if what in ("503", "429"):
                return httpx.Response(int(what), content=BODIES["html"])
            if reply is None:
                with self._provider.working(request, content, 0) as reply:
                    pass
            if what == "lost":
                raise httpx.ReadError("it happened")
            return httpx.Response(reply.status, headers=reply.headers, content=reply.body)


class Senders:
    """Senders of two accounts with one storage key: batches, copies of their files, and other states."""

    def __init__(self, steps: tuple[tuple[Any, ...], ...], seed: int) -> None:
        self.steps, self.dice = steps, Random(seed)
        self.provider = Provider(Rules(conflict="bare 409"), time.time)
        self.owners: dict[str, str] = {}

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        kinds = ["send", "copy", "send", "resume", "resume", "edited"]
        steps = [
            ("send", "A", 0.6),
            *((dice.choice(kinds), dice.choice("AAB"), dice.choice([0.0, 0.5])) for _ in range(2)),
        ]
        return {"steps": tuple(steps), "seed": dice.randrange(10**6)}

    def play(self) -> Iterator[str]:
        quick = patch.object(pacing, "_FIRST_PAUSE", 0.01), patch.object(bulk_run, "_LOOK_EVERY", 0.02)
        with tempfile.TemporaryDirectory() as folder, quick[0], quick[1]:
            for kind, account, share in self.steps:
                yield from self._step(Path(folder), kind, account, share)

    def _step(self, folder: Path, kind: str, account: str, share: float) -> Iterator[str]:
        column, batch, state = ("inv", "copy", "one") if kind == "copy" else ("invoice_no", "march", "one")
        if kind == "edited":
            state = "two"
        rows = [{column: f"I-{number}", **BASE, "client_reference_id": f"INV-{number}"} for number in range(4)]
        if kind == "edited":
            rows[0]["amount"] = "45.00"
        transport = Network(self.provider, self.dice, share)
        options: dict[str, Any] = {"base_url": "https://victor.test", "retry": RetryPolicy(max_attempts=1)}
        with Victor(VictorOAuth(account, "a-secret"), transport=transport, **options) as victor:
            sender = BulkSender(
                victor, state=f"sqlite:///{folder}/{state}.sqlite", batch=batch, key_column=column, patience=0,
                storage_key=STORAGE_KEY, workers=2,
            )  # fmt: skip
            before = len(self.provider.done)
            try:
                sender.resume() if kind == "resume" else sender.send(rows)
            except VictorError:
                pass
            made = self.provider.done[before:]
            owner = self.owners.setdefault(state + batch, account)
            if owner != account and made:
                yield f"asked by another account: {account} has sent {len(made)} rows of the batch {batch} of {owner}"
            try:
                results = list(sender.export())
            except VictorError:
                results = []
        for result in results:
            works = self.provider.of(result.key)
            if result.outcome in NOTHING and works:
                yield f"told wrong: {result.outcome} {result.error}, and there is {works[0].id}"
            if result.outcome is RowOutcome.CREATED and result.id not in [work.id for work in works]:
                yield f"told wrong: {result} is not under its key"
        references = [work.values["client_reference_id"] for work in self.provider.done if work.account == owner]
        if len(set(references)) < len(references):
            yield f"asked twice: {sorted(references)} after {kind}"


class Sockets:
    """Threads that share few connections, on which each answer comes twice."""

    def __init__(self, threads: int, connections: int, delay: float, seed: int) -> None:
        self.threads, self.connections, self.delay = threads, connections, delay
        self.dice, self.lock = Random(seed), threading.Lock()
        self.provider = Provider(Rules(detail="terse"), time.time)

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        return {
            "threads": dice.choice([2, 4, 8]), "connections": dice.choice([1, 2, 4, 8]),
            "delay": dice.choice([0.001, 0.003, 0.01]), "seed": dice.randrange(10**6),
        }  # fmt: skip

    def _act(self, exchange: Exchange) -> None:
        raw = exchange.request
        request = httpx.Request(raw.method, f"https://victor.test{raw.path}", headers=raw.headers, content=raw.body)
        with self.provider.working(request, raw.body, 0) as reply:
            whole = answer(reply.body)
        exchange.later(0.002, whole)
        exchange.later(0.002 + self.dice.uniform(0, 2 * self.delay), whole)

    def play(self) -> Iterator[str]:
        background = Background()
        provider = RawProvider(background)
        provider.instead = self._act
        limits = httpx.Limits(max_connections=self.connections)
        try:
            with Victor(VictorOAuth("A", "a-secret"), base_url=provider.url(), limits=limits, retry=QUICK) as victor:
                with ThreadPoolExecutor(self.threads) as pool:
                    told = list(pool.map(lambda number: self._create(victor, number), range(3 * self.threads)))
        finally:
            provider.close()
            background.close()
        for key, named in told:
            made = [work.id for work in self.provider.of(key)]
            if named is not None and [named] != made:
                yield f"told wrong: success with {named}, and under the key is {made}"

    @staticmethod
    def _create(victor: Victor, number: int) -> tuple[str, str | None]:
        key = f"key-of-the-payment-{number}"
        try:
            return key, victor.payment_requests.create(**BASE, idempotency_key=key).id
        except VictorError:
            return key, None


__all__ = ["Senders", "Sockets"]
