"""Calls that are cancelled, or interrupted by Ctrl-C, at any moment and in every way: the client
goes on working.

Nothing is mixed up. `make cancellations` tries it more often
(`VICTOR_CANCELLATIONS`, `VICTOR_INTERRUPTS`).
"""

import asyncio
import itertools
import json
import os
import sys
from collections import Counter
from contextlib import closing
from random import Random

import anyio
import httpx
import pytest

from tests.faults.adapters import arguments
from tests.faults.raw_provider import CREATE, RawProvider, answer
from tests.faults.raw_sockets import PATIENCE
from tests.faults.test_connections import open_files
from tests.programs import python
from victor_ext import AsyncVictor, RetryPolicy, VictorError, VictorOAuth

pytestmark = pytest.mark.slow
CANCELLED = int(os.environ.get("VICTOR_CANCELLATIONS", "300"))
"""How many calls are cancelled, in all the tests here together."""
TASKS = 8
CONNECTIONS = 4


async def by_task_cancel(call, seconds):
    task = asyncio.ensure_future(call())
    asyncio.get_running_loop().call_later(seconds, task.cancel)
    return await task


async def by_turns(call, seconds):
    """Cancelled after a number of turns of the event loop, not after a time."""
    task = asyncio.ensure_future(call())
    for _ in range(int(seconds * 20_000)):
        await asyncio.sleep(0)
    task.cancel()
    return await task


async def by_wait_for(call, seconds):
    return await asyncio.wait_for(call(), seconds)


async def by_a_scope(call, seconds):
    with anyio.fail_after(seconds):
        return await call()


WAYS = {
    "asyncio": (by_task_cancel, by_turns, by_wait_for, by_a_scope),
    "trio": (by_a_scope,),
}


def closing_now_and_then(dice):
    """Some answers end their connection, so that others are opened."""

    def act(exchange):
        if dice.random() < 0.1:
            exchange.send(answer(exchange.work(), "200 OK", "Connection: close"))
            exchange.end("close")
        else:
            exchange.send(answer(exchange.work()))

    return act


class Callers:
    """Calls that are cancelled. The results of the others are checked."""

    def __init__(self, victor, cancelled, ways):
        self.victor = victor
        self.ways = ways
        self.dice = Random(cancelled)
        self.numbers = itertools.count()
        self.to_cancel = cancelled
        self.ended = Counter()
        self.wrong = []
        self.span = 0.01
        """Seconds within which a call is cancelled.

        It follows how long calls take, so that half of them are.
        """

    def call(self, number):
        subject = f"S{number:06}"
        requests = self.victor.payment_requests
        if number % 2:
            return subject, lambda: requests.get(subject)
        return subject, lambda: requests.create(**arguments("create", subject))

    async def work(self):
        while self.to_cancel > 0 and len(self.wrong) < 10:
            subject, call = self.call(next(self.numbers))
            way = self.dice.choice(self.ways)
            seconds = self.dice.uniform(0, self.span)
            try:
                record = await way(call, seconds)
            except (asyncio.CancelledError, TimeoutError):
                self.ended[way.__name__] += 1
                self.to_cancel -= 1
                self.span *= 1.1
            except VictorError as error:
                self.wrong.append(f"{subject}: {error}")
            else:
                self.ended["in time"] += 1
                self.span /= 1.1
                if subject not in (record.id, record.client_reference_id):
                    self.wrong.append(f"{subject}: got {record.id}, {record.client_reference_id}")


async def all_at_once(victor):
    """As many calls as there are connections, and more, all within the time that a test has."""
    observed = {}

    async def get(subject):
        observed[subject] = (await victor.payment_requests.get(subject)).id

    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as group:
            for number in range(3 * CONNECTIONS):
                group.start_soon(get, f"T{number:06}")
    assert list(observed) == list(observed.values())


@pytest.fixture
def provider(background, authority, tls):
    """Over TLS, each call asks for a token."""
    with closing(RawProvider(background, tls=authority.server() if tls else None)) as provider:
        provider.instead = closing_now_and_then(Random(1))
        if tls:
            provider.state.token["expires"] = 1
        yield provider


@pytest.mark.parametrize("library", WAYS)
@pytest.mark.parametrize("tls", [False, True], ids=["tcp, one token", "tls, a token each"])
def test_calls_that_are_cancelled_leave_no_connection_and_mix_up_no_response(
    provider, authority, library, tls
):
    cancelled = CANCELLED // (3 if library == "asyncio" else 6)
    options = {
        "limits": httpx.Limits(max_connections=CONNECTIONS),
        "timeout": httpx.Timeout(5.0, pool=2.0),
        "retry": RetryPolicy(max_attempts=2, base=0.0, quota=10**9),
        "verify": authority.trusted() if tls else True,
    }
    before = open_files()

    async def run():
        async with AsyncVictor(
            VictorOAuth("id", "not-a-secret"), base_url=provider.url(), **options
        ) as victor:
            callers = Callers(victor, cancelled, WAYS[library])
            await all_at_once(victor)
            async with anyio.create_task_group() as group:
                for _ in range(TASKS):
                    group.start_soon(callers.work)
            await all_at_once(victor)
            provider.quiet.wait_for(
                lambda: len(provider.open) <= CONNECTIONS, "connections that nobody uses"
            )
            return callers

    callers = anyio.run(run, backend=library)
    provider.quiet.wait_for(
        lambda: not provider.open, "the connections of a client that was closed"
    )
    assert open_files() == before
    assert callers.wrong == []
    assert max(provider.record.work_by_key.values()) == 1
    assert len(provider.record.sent_to(CREATE)) > cancelled // 20  # a busy machine is late
    assert min(callers.ended[way.__name__] for way in callers.ways) > cancelled // 100, (
        callers.ended
    )
    assert callers.ended["in time"] > cancelled // 100, callers.ended
    print(f"{library}, over {'TLS' if tls else 'TCP'}: {callers.ended}")


# Ctrl-C: a program that catches it goes on calling, from every thread

INTERRUPTS = int(os.environ.get("VICTOR_INTERRUPTS", "300"))
LONGEST = 60.0 + INTERRUPTS / 20

PROGRAM = """
import json, os, random, signal, ssl, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
import httpx
from victor_ext import RetryPolicy, Victor, VictorError, VictorOAuth

url, times, pem = sys.argv[1], int(sys.argv[2]), sys.argv[3]
victor = Victor(
    VictorOAuth("id", "not-a-secret"),
    base_url=url,
    verify=ssl.create_default_context(cadata=pem) if pem else True,
    limits=httpx.Limits(max_connections=4),
    timeout=httpx.Timeout(10.0, pool=3.0),
    deadline=10.0,
    retry=RetryPolicy(max_attempts=2, base=0.0, quota=10**9),
)
armed, dice, span = False, random.Random(times), 0.005
counts = {"interrupted": 0, "in time": 0, "wrong": []}


def ring(*_):
    if armed:
        raise KeyboardInterrupt


def interrupted(subject, seconds):
    global armed
    try:
        try:
            armed = True
            signal.setitimer(signal.ITIMER_REAL, seconds)
            found = victor.payment_requests.get(subject).id
        finally:
            armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        armed = False
        return True
    if found != subject:
        counts["wrong"].append(f"{subject}: got {found}")
    return False


def check(number):
    with ThreadPoolExecutor(4) as threads:
        for found in threads.map(
            victor.payment_requests.get, [f"T{number}N{each}" for each in range(8)]
        ):
            if not found.id.startswith(f"T{number}N"):
                counts["wrong"].append(f"T{number}: got {found.id}")


signal.signal(signal.SIGALRM, ring)
check("before")
number = 0
while counts["interrupted"] < times and not counts["wrong"]:
    number += 1
    try:
        if interrupted(f"S{number}", dice.uniform(0, span)):
            counts["interrupted"] += 1
            span *= 1.02
        else:
            counts["in time"] += 1
            span /= 1.02
        if number % 200 == 0:
            check(number)
    except VictorError as error:
        counts["wrong"].append(str(error))
if not counts["wrong"]:
    check("after")
victor.close()
counts["open"] = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
print(json.dumps(counts))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs timers that signal")
@pytest.mark.parametrize("tls", [False, True], ids=["tcp, one token", "tls, a token each"])
def test_calls_that_are_interrupted_leave_a_client_that_works(provider, authority, tls):
    given = [provider.url(), str(INTERRUPTS // 2), authority.pem if tls else ""]
    ran = python("-c", PROGRAM, *given, timeout=LONGEST)
    provider.quiet.wait_for(
        lambda: not provider.open, "the connections of a client that was closed"
    )
    assert (ran.stderr, ran.returncode) == ("", 0)
    observed = json.loads(ran.stdout)
    assert observed["wrong"] == []
    assert observed["in time"] > INTERRUPTS // 100
    assert observed["open"] < 10
    print(f"over {'TLS' if tls else 'TCP'}: {observed}")
