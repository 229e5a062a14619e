"""The time, the network and the processes of one history: all of them in one thread, and moved by its events alone.

A process is a greenlet. It stops before a request leaves, before an answer comes and at the ends of a transaction; an
event lets it go on, with a fault or without, or kills it there. So any order of any steps can happen, and happens again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import greenlet
import httpx

from tests.histories.provider import BODIES, Provider, Reply, Rules

Event = tuple[Any, ...]
OK: Event = ("ok",)
NOTHING_LEFT = {"refuse": httpx.ConnectError, "no time": httpx.PoolTimeout}
"""What ends an exchange before a byte has left."""
CUT = {"reset": httpx.ReadError, "silence": httpx.ReadTimeout, "half": httpx.RemoteProtocolError}
"""What ends an exchange of which the caller knows nothing more."""
LONGEST = 60.0
"""Seconds for which a connection waits."""
TRANSIENT = (408, 425, 500, 502, 503, 504, 520)
_CLOCKS = time.time, time.monotonic


def pause() -> Event:
    """Stop here, until an event lets this process go on. Returns the fault."""
    here = greenlet.getcurrent()
    fault: Event = OK if here.parent is None else here.parent.switch()
    return fault


class Killed(BaseException):
    """Kill -9, as far as Python can tell."""


@dataclass
class Machine:
    """A machine's clocks: seconds by which they differ from the true time."""

    ahead: float = 0.0
    slept: float = 0.0


class Process:
    """One process on a machine, with at most one job at a time."""

    def __init__(self, world: World, machine: Machine, account: str = "A") -> None:
        self.world, self.machine, self.account = world, machine, account
        self.call = 0
        self._job: Any = None

    @property
    def is_idle(self) -> bool:
        return self._job is None

    def start(self, job: Callable[[], object]) -> None:
        """Begin a job, and go on to its first stop."""
        self._job = greenlet.greenlet(lambda _: job())
        self.resume(OK)

    def resume(self, fault: Event) -> None:
        self._switch(lambda job: job.switch(fault))

    def kill(self) -> None:
        self._switch(lambda job: job.throw(Killed))

    def _switch(self, switch: Callable[[Any], object]) -> None:
        job, before, self.world.running = self._job, self.world.running, self
        if job is None:
            return
        try:
            switch(job)
        except Killed:
            pass
        finally:
            self.world.running = before
            if job.dead:
                self._job = None


@dataclass
class World:
    """The true time, the provider, and who is running."""

    rules: Rules
    now: float = float(int(_CLOCKS[0]()))
    running: Process | None = None
    exchanges: int = 0
    refusals: set[str | None] = field(default_factory=set)
    """The keys that a 4xx other than 409 was answered to."""

    def __post_init__(self) -> None:
        self.provider = Provider(self.rules, lambda: self.now + self.rules.ahead)

    def local(self) -> float:
        return self.now + (self.running.machine.ahead if self.running else 0.0)

    def monotonic(self) -> float:
        return self.now - (self.running.machine.slept if self.running else 0.0)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)

    @contextmanager
    def clocks(self) -> Generator[None]:
        """The clocks of this process of Python are those of the process that runs in the history."""
        time.time, time.monotonic = self.local, self.monotonic
        try:
            yield
        finally:
            time.time, time.monotonic = _CLOCKS


class Wire(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """The network between one process and the provider."""

    def __init__(self, process: Process) -> None:
        self.process, self.world = process, process.world

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content = await request.aread()
        return self._exchange(request, content)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._exchange(request, request.read())

    def _exchange(self, request: httpx.Request, content: bytes) -> httpx.Response:
        world, provider = self.world, self.world.provider
        token = provider.token(request, content)
        if token is not None:
            return self._answer(token)
        kind, *details = self._pause()  # it is about to leave
        self._raise(NOTHING_LEFT, kind)
        if kind in CUT:
            raise httpx.WriteError("it happened")
        reply = self._instead(request, kind, details, is_done=False)
        if reply is None:
            with provider.working(request, content, self.process.call) as reply:
                kind, *details = self._pause()  # it has arrived
            self._raise(CUT, kind)
            reply = self._instead(request, kind, details, is_done=True) or self._changed(reply, kind)
        if 400 <= reply.status < 409 or reply.status == 422:
            world.refusals.add(provider.key_of(request, content))
        return self._answer(reply)

    def _pause(self) -> Event:
        """Stop, as `pause`. No connection outlives a long one."""
        began = self.world.now
        fault = pause()
        return ("reset",) if self.world.now - began > LONGEST else fault

    def _raise(self, errors: dict[str, type[httpx.TransportError]], kind: str) -> None:
        if kind in errors:
            self.world.sleep(20.0 if kind == "silence" else 0.0)
            raise errors[kind]("it happened")

    def _instead(self, request: httpx.Request, kind: str, details: list[Any], *, is_done: bool) -> Reply | None:
        """What something between the two answers in place of the provider."""
        if kind == "status" and (not is_done or details[0] in TRANSIENT):
            wait = {"retry-after": str(details[2])} if details[2] is not None else {}
            return Reply(details[0], BODIES[details[1]], wait)
        if kind == "page":  # of a login, or of maintenance: with a good status
            empty = self.world.provider.may_be_empty(request)
            return None if empty and details[1] == "empty" else Reply(details[0], BODIES[details[1]])
        if kind == "foreign":
            return self.world.provider.foreign(request, details[0])
        return None

    def _changed(self, reply: Reply, kind: str) -> Reply:
        if kind == "damaged" and len(reply.body) > 2:
            return Reply(reply.status, reply.body[: len(reply.body) // 2], reply.headers)
        return reply

    def _answer(self, reply: Reply) -> httpx.Response:
        world, headers = self.world, dict(reply.headers)
        world.exchanges += 1
        if world.rules.dates == "always" or (world.rules.dates == "some" and world.exchanges % 2):
            headers["date"] = format_datetime(datetime.fromtimestamp(world.now + world.rules.ahead, UTC), usegmt=True)
        if reply.body:
            headers.setdefault("content-type", "text/html" if reply.body.startswith(b"<") else "application/json")
        return httpx.Response(reply.status, headers=headers, stream=httpx.ByteStream(reply.body))


def each(processes: list[Process]) -> Iterator[Process]:
    """Those that are at work."""
    return (process for process in processes if not process.is_idle)
