"""The time, the network and the processes of a history: all in one thread, and moved by its events
alone.

A process is a greenlet. It stops before a request leaves, before an answer comes, at the ends of a
transaction and where it waits. An event lets it go on from there, with a fault or without, or kills
it. So steps happen in any order.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from random import Random
from typing import Any

import greenlet
import httpx
import sqlalchemy as sa

from tests.histories.provider import BODIES, Provider, Reply, Rules
from tests.runtime.fakes import TRANSIENT
from victor_ext._event_queue.calls import CallEnd
from victor_ext._event_queue.databases import CLOCKS
from victor_ext._event_queue.drivers import BlockingDriver
from victor_ext._flows import drive
from victor_ext._runtime.core import clock
from victor_ext._runtime.core.clock import monotonic
from victor_ext._runtime.loop import attempts

Event = tuple[Any, ...]
OK: Event = ("ok",)
BEFORE = {"refuse": httpx.ConnectError, "no time": httpx.PoolTimeout}
"""What ends an exchange before a byte has left."""
CUT = {"reset": httpx.ReadError, "silence": httpx.ReadTimeout, "half": httpx.RemoteProtocolError}
"""What ends an exchange of which the caller knows nothing more."""
LONGEST = 60.0
"""Seconds for which a connection waits."""
BEGINS = datetime.now(UTC).replace(hour=11, minute=59, second=30, microsecond=0)
"""When each history begins, at whatever hour it is run: shortly before a due date is over
everywhere on earth.
"""
_CLOCKS = time.time, time.monotonic
_WORLDS: list[World] = []
"""The world whose clocks are set, if one is."""


class Killed(BaseException):
    """Kill -9, as far as Python can tell."""


def pause() -> Event:
    """Stop here, until an event lets this process go on. Returns the fault that it brings."""
    here = greenlet.getcurrent()
    fault: Event = OK if here.parent is None else here.parent.switch()
    return fault


class Process:
    """A process with at most one job, which may have calls under way beside it.

    The clock of its machine is `ahead` of the true time, in seconds.
    """

    def __init__(self, world: World, account: str = "A", ahead: float = 0.0) -> None:
        self.world, self.account, self.ahead = world, account, ahead
        self.call = 0
        self.faults: list[Event] = []
        """What came where no exchange stopped, and befalls the next one."""
        self._job: Any = None
        self._calls: list[Any] = []
        self._waits_for: Callable[[], bool] = bool

    @property
    def is_idle(self) -> bool:
        return self._job is None

    def start(self, job: Callable[[], object]) -> None:
        """Begin a job, and go on to its first stop."""
        self._job = greenlet.greenlet(lambda _: job())
        self.resume(OK)

    def begin(self, call: Callable[[], object]) -> None:
        """Let the job have a call beside it, which begins later."""
        self._calls.append(greenlet.greenlet(lambda _: call(), greenlet.getcurrent().parent))

    def wait(self, is_over: Callable[[], bool]) -> None:
        """Stop the job until it is over: meanwhile its calls go on."""
        self._waits_for = is_over
        while not is_over():
            pause()
        self._waits_for = bool

    def resume(self, fault: Event | None) -> None:
        """Go on to the next stop, of the job or one of its calls; None: all are killed where they
        stand.
        """
        before, self.world.running = self.world.running, self
        try:
            if fault is None:
                for part in (*self._calls, self._job):
                    with suppress(Killed):
                        part.throw(Killed)
            else:
                self._next().switch(fault)
        finally:
            self.world.running = before
            self._calls = [call for call in self._calls if not call.dead]
            self._job = None if self._job.dead else self._job

    def _next(self) -> Any:
        is_waiting = self._calls and self._waits_for is not bool and not self._waits_for()
        parts = self._calls if is_waiting else [self._job, *self._calls]
        return self.world.order.choice(parts)

    def at_once(self, job: Callable[[], object]) -> None:
        """Run a job, while nothing else happens."""
        before, self.world.running = self.world.running, self
        job()
        self.world.running = before


class SteppedCalls:
    """Calls under way at once, in the process that runs; at once, if nothing else happens."""

    def __init__(self) -> None:
        process = _WORLDS[-1].running
        assert process is not None
        self._process = process
        self._ends: list[CallEnd] = []

    def start(self, number: int, call: Callable[[], Any]) -> None:
        def make() -> None:
            try:
                end = CallEnd(number, call())
            except Exception as error:  # noqa: BLE001 - the pass is told of it
                end = CallEnd(number, error=error)
            self._ends.append(end)

        if greenlet.getcurrent().parent is None:
            make()
        else:
            self._process.begin(make)

    def wait(self, _seconds: float) -> list[CallEnd]:
        self._process.wait(lambda: bool(self._ends))
        ends, self._ends = self._ends, []
        return ends


class World:
    """The true time, the provider, and who is running."""

    def __init__(self, rules: Rules) -> None:
        self.rules, self.now = rules, BEGINS.timestamp()
        self.order = Random(17)
        """What goes on next of a process that does several things at once."""
        self.provider = Provider(rules, lambda: self.now + rules.ahead)
        self.running: Process | None = None
        self.exchanges = 0
        self.refused: set[str | None] = set()
        """The keys of requests that were refused, other than by a conflict."""
        self.used: set[int] = set()
        """The calls that were told that their key was used before."""

    def local(self) -> float:
        return self.now + (self.running.ahead if self.running else 0.0)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        pause()

    async def asleep(self, seconds: float) -> None:
        self.now += seconds

    @contextmanager
    def clocks(self) -> Generator[None]:
        """Let the clocks of Python be those of the process that runs."""
        time.time, time.monotonic = self.local, lambda: self.now
        clock.monotonic = attempts.monotonic = time.monotonic
        _WORLDS.append(self)
        try:
            yield
        finally:
            _WORLDS.clear()
            time.time, time.monotonic = _CLOCKS
            clock.monotonic = attempts.monotonic = monotonic


def with_world_time(statement: str) -> str:
    """A statement that has the true time where it asks the database for its own."""
    for world in _WORLDS:
        for words in CLOCKS.values():
            statement = statement.replace(words, f"{world.now!r}")
    return statement


def in_world_time(engine: sa.Engine) -> sa.Engine:
    """Let the clock of this database be the true time of the world whose clocks are set."""

    @sa.event.listens_for(engine, "before_cursor_execute", retval=True)
    def tell(
        _connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any
    ) -> tuple[str, Any]:
        return with_world_time(statement), parameters

    return engine


Stored = list[tuple[sa.Table, list[dict[str, Any]]]]
"""The rows of tables."""


def rows_of(connection: sa.Connection, tables: Iterable[sa.Table]) -> Stored:
    """The rows of these tables, without the columns that the database makes of others."""
    stored: Stored = []
    for table in tables:
        columns = [column for column in table.c if column.computed is None]
        rows = connection.execute(sa.select(*columns))
        stored.append((table, [dict(row._mapping) for row in rows]))
    return stored


def put_back(connection: sa.Connection, stored: Stored) -> None:
    """Have these rows in their tables, and no others."""
    for table, rows in stored:
        connection.execute(sa.delete(table))
        if rows:
            connection.execute(sa.insert(table), rows)


class Pausing:
    """An engine whose transactions begin and end at a stop; no transaction waits for another
    one.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @contextmanager
    def begin(self) -> Generator[sa.Connection]:
        self._pause()
        with self._engine.begin() as connection:
            yield connection
        self._pause()

    @staticmethod
    def _pause() -> None:
        fault, process = pause(), _WORLDS[-1].running if _WORLDS else None
        if fault != OK and process is not None:
            process.faults.append(fault)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


class SteppedDriver(BlockingDriver):
    """Makes passes whose calls go on as the events of a history let them."""

    def with_calls(self, flow: Any, step: Any) -> Any:
        return drive(flow(SteppedCalls()), step)


class Wire(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """The network between one process and the provider."""

    def __init__(self, process: Process) -> None:
        self.process, self.world = process, process.world

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self._exchange(request, await request.aread())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._exchange(request, request.read())

    def _exchange(self, request: httpx.Request, content: bytes) -> httpx.Response:
        provider = self.world.provider
        if (token := provider.token(request, content)) is not None:
            return self._answer(token)
        kind, *details = self._pause()  # it is about to leave
        if kind in BEFORE or kind in CUT:
            raise BEFORE.get(kind, httpx.WriteError)("it happened")
        reply = self._instead(request, kind, details, is_done=False)
        if reply is None:
            with provider.working(request, content, self.process.call) as done:
                kind, *details = self._pause()  # it has arrived
            if kind in CUT:
                self.world.now += 20.0 if kind == "silence" else 0.0
                raise CUT[kind]("it happened")
            reply = self._instead(request, kind, details, is_done=True) or done
            if kind == "status" and reply is done and provider.is_proof(request, done):
                # What stands between the two makes a refusal of the response, and keeps the rest.
                headers = {} if details[2] is None else {"retry-after": str(details[2])}
                return self._answer(Reply(details[0], done.body, done.headers | headers))
            if kind == "damaged":
                reply = Reply(reply.status, reply.body[: len(reply.body) // 2], reply.headers)
        if reply.says_used:
            self.world.used.add(self.process.call)
        elif 400 <= reply.status < 500 and reply.status != 409:
            self.world.refused.add(provider.key_of(request, content))
        return self._answer(reply)

    def _pause(self) -> Event:
        began, fault = self.world.now, pause()
        if self.process.faults and greenlet.getcurrent().parent is not None:
            fault = self.process.faults.pop() if fault == OK else fault
        return ("reset",) if self.world.now - began > LONGEST else fault

    def _instead(
        self, request: httpx.Request, kind: str, details: list[Any], *, is_done: bool
    ) -> Reply | None:
        """What something between the two answers in place of the provider: an error, a page of a
        login, a cache.
        """
        provider = self.world.provider
        if kind == "status" and (not is_done or details[0] in TRANSIENT):
            return Reply(
                details[0],
                BODIES[details[1]],
                {} if details[2] is None else {"retry-after": str(details[2])},
            )
        body = "empty" if details[:1] == [204] else details[-1] if details else ""
        if kind == "page" and not provider.may_answer(request, body):
            return Reply(details[0], BODIES[body])
        return provider.foreign(request, details[0]) if kind == "foreign" else None

    def _answer(self, reply: Reply) -> httpx.Response:
        world, headers = (
            self.world,
            {"content-type": "text/html" if reply.body[:1] == b"<" else "application/json"},
        )
        world.exchanges += 1
        if world.rules.dates == "always" or (world.rules.dates == "some" and world.exchanges % 2):
            headers["date"] = format_datetime(
                datetime.fromtimestamp(world.provider.clock(), UTC), usegmt=True
            )
        return httpx.Response(
            reply.status, headers=headers | reply.headers, stream=httpx.ByteStream(reply.body)
        )
