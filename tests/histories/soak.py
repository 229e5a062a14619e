"""A long run over real sockets: threads and tasks, whose exchanges fail in every way."""

import asyncio
import gc
import itertools
import os
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from operator import call
from pathlib import Path
from random import Random
from typing import Any

from tests.faults.raw_provider import Exchange, RawProvider, answer
from tests.faults.raw_sockets import background
from tests.histories.calls import BASE
from tests.histories.provider import BODIES, Provider, Rules
from victor_ext import (
    AsyncVictor,
    RetryPolicy,
    Victor,
    VictorError,
    VictorOAuth,
    idempotency_key_for,
)
from victor_ext._flows import adrive, drive

FAULTS = {
    "ended before the work": 4,
    "answered before the work": 4,
    "answer cut": 8,
    "answered after the work": 4,
    "body cut": 2,
    "late answer": 2,
    "late work": 2,
    "done twice": 1,
    "answered twice": 1,
    "another answer later": 4,
}
"""How often each befalls an exchange that fails."""
ENDS: Any = ("reset", "reset", "reset", "reset", "close", "close", "close", "close", "stall")
BEFORE, AFTER = (408, 425, 429, 429, 500, 502, 503, 503, 504, 520), (408, 500, 502, 503, 504, 524)
"""What something answers instead of the provider, before or after its work.

A 429 asks to come back at once.
"""


class Soak:
    """Half threads, half tasks: many calls for a long time, while a share of the exchanges fails.

    Each fiftieth call is for the payment of the call before. A caller waits a second for an answer.
    """

    def __init__(self, calls: int, workers: int, seconds: float, rate: float, seed: int) -> None:
        self.calls, self.workers, self.rate, self.seed, self.dice = (
            calls,
            workers,
            rate,
            seed,
            Random(seed),
        )
        self.numbers, self.ends_at = itertools.count(), time.monotonic() + seconds
        self.provider, self.answers = Provider(Rules(), time.time), [b""]
        self.told: list[tuple[int, str, str | None]] = []
        self.wrong: list[str] = []
        self.befallen, self.on_their_way, self.kept = Counter[str](), 0, 0

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        return {
            "calls": 300,
            "workers": 16,
            "seconds": 420.0,
            "rate": dice.choice([0.2, 0.3]),
            "seed": dice.randrange(10**6),
        }

    def words(self) -> Iterator[str]:
        yield from (word for _, word, _ in self.told)
        yield from self.befallen.elements()

    # The provider's side, in the thread of its event loop

    def _act(self, exchange: Exchange) -> None:
        exchange._provider.record.requests.clear()
        if self.dice.random() >= self.rate:
            return exchange.send(self._done(exchange))
        kind, seconds = (
            self.dice.choices([*FAULTS], [*FAULTS.values()])[0],
            self.dice.choice((0.05, 0.2, 0.5, 1.2)),
        )
        self.befallen[f"fault: {kind}"] += 1
        if kind == "ended before the work":
            exchange.end(self.dice.choice(ENDS))
        elif kind == "answered before the work":
            exchange.send(self._instead(BEFORE))
        elif kind == "late work":
            self.on_their_way += 1
            exchange._provider.background.loop.call_later(seconds, self._do_late, exchange)
        else:
            self._spoil(exchange, kind, seconds, self._done(exchange))
        return None

    def _do_late(self, exchange: Exchange) -> None:
        exchange.later(0.0, self._done(exchange))
        self.on_their_way -= 1
        exchange._provider.quiet.note()

    def _spoil(self, exchange: Exchange, kind: str, seconds: float, done: bytes) -> None:
        body = done.partition(b"\r\n\r\n")[2]
        if kind == "late answer":
            return exchange.later(seconds, done)
        if kind == "answer cut":
            exchange.send(done[: self.dice.randrange(len(done))])
            return exchange.end(self.dice.choice(ENDS))
        if kind == "done twice":
            self._done(exchange)
        if kind == "another answer later":
            exchange.later(self.dice.uniform(0.0, 0.01), self.answers[0])
        instead = {
            "answered after the work": self._instead(AFTER), "answered twice": done + done,
            "body cut": answer(body[: self.dice.randrange(len(body))]),
        }  # fmt: skip
        return exchange.send(instead.get(kind, done))

    def _done(self, exchange: Exchange) -> bytes:
        reply = self.provider.answer_at_once(exchange.request)
        done = answer(reply.body, f"{reply.status} Done")
        self.answers = [*self.answers, done][-100:]
        return done

    def _instead(self, statuses: tuple[int, ...]) -> bytes:
        body = BODIES[self.dice.choice(["empty", "html", "login", "text"])]
        return answer(body, f"{self.dice.choice(statuses)} Instead", "Retry-After: 0")

    # The callers

    def _ask(self, create: Callable[..., Any]) -> Generator[Callable[[], Any], Any, None]:
        """Ask for what is left, and note what is told of it."""
        while (call := next(self.numbers)) < self.calls and time.monotonic() < self.ends_at:
            number = call - 1 if call % 50 == 49 else call
            key = idempotency_key_for("soak", self.seed, number)
            payment = {**BASE, "client_reference_id": f"SOAK-{number}", "idempotency_key": key}
            try:
                result = yield partial(create, **payment)
            except Exception as error:  # noqa: BLE001 - whatever it is, it was told
                result = error
            self._note(number, payment, result)

    def _note(self, number: int, payment: dict[str, Any], result: Any) -> None:
        word, named, key = "success", getattr(result, "id", None), payment["idempotency_key"]
        if isinstance(result, Exception):
            word = result.outcome.value if isinstance(result, VictorError) else "broken"
        elif result.client_reference_id != payment["client_reference_id"]:
            self.wrong.append(
                f"told wrong: {result.client_reference_id} for {payment['client_reference_id']}"
            )
        if word == "broken" or result.idempotency_key != key:
            self.wrong.append(f"told wrong: {result!r} of the key {key}")
        self.told.append((number, word, named))

    def _threads(self, options: Any) -> None:
        with (
            Victor(VictorOAuth("A", "a-secret"), **options) as victor,
            ThreadPoolExecutor(self.workers // 2) as pool,
        ):
            work = [self._ask(victor.payment_requests.create) for _ in range(self.workers // 2)]
            for thread in [pool.submit(drive, each, call) for each in work]:
                thread.result()
            self.kept = max(self.kept, _kept())

    async def _tasks(self, options: Any) -> None:
        async with AsyncVictor(VictorOAuth("A", "a-secret"), **options) as victor:
            work = [
                self._ask(victor.payment_requests.create)
                for _ in range(self.workers - self.workers // 2)
            ]
            await asyncio.gather(*(adrive(each, call) for each in work))
            self.kept = max(self.kept, _kept())

    def play(self) -> Iterator[str]:
        sockets, kept = _open_sockets(), _kept()
        with background() as loop, ThreadPoolExecutor(2) as pool:
            server = RawProvider(loop)
            server.instead = self._act
            retry = RetryPolicy(base=0.05, cap=1.0)
            options = {"base_url": server.url(), "timeout": 1.0, "deadline": 30.0, "retry": retry}
            both = [
                pool.submit(self._threads, options),
                pool.submit(lambda: asyncio.run(self._tasks(options))),
            ]
            for each in both:
                each.result()
            server.quiet.wait_for(
                lambda: not self.on_their_way, "what is on its way to the provider"
            )
            server.close()
        yield from self.wrong
        left = _open_sockets()
        if left > sockets:  # what ran before in this process may have closed its own meanwhile
            yield f"leak: {left} sockets are open, and were {sockets}"
        if self.kept - kept > 1_000 + self.calls / 10:
            yield f"leak: {self.kept - kept} objects are kept after {len(self.told)} calls"
        yield from self._judge()

    def _judge(self) -> Iterator[str]:
        made: dict[str, list[str]] = {}
        for work in self.provider.done:
            made.setdefault(work.values["client_reference_id"], []).append(work.id)
        told: dict[int, list[tuple[str, str | None]]] = {}
        for number, word, named in self.told:
            told.setdefault(number, []).append((word, named))
        for number, results in told.items():
            ids, words = made.get(f"SOAK-{number}", []), {word for word, _ in results}
            if len(ids) > 1:
                yield f"asked twice: {number} was done {len(ids)} times"
            if not ids and words & {"success", "accepted"}:
                yield f"told wrong: {words} of {number}, and nothing was done"
            if ids and words <= {"rejected", "not_sent"}:
                yield f"told wrong: {words} of {number}, and there is {ids}"
            if any(word == "success" and [named] != ids for word, named in results):
                yield f"told wrong: {results} of {number}, and there is {ids}"


def _kept() -> int:
    """How many objects of the package and of what carries its calls there are."""
    gc.collect()
    kinds = Counter(str(type(each).__module__).partition(".")[0] for each in gc.get_objects())
    return kinds["victor_ext"] + kinds["victor_api"] + kinds["httpx"]


def _open_sockets() -> int:
    """How many this process has; 0 where the system does not tell."""
    places = list(Path("/proc/self/fd").iterdir()) if Path("/proc/self/fd").exists() else []
    return sum(_leads_to(place).startswith("socket:") for place in places)


def _leads_to(place: Path) -> str:
    with suppress(OSError):
        return os.readlink(place)
    return ""
