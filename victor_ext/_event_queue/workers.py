"""The worker of an outbox or inbox: it makes passes, again and again, until it is to stop.

A pass asks `is_ending` before it takes the next row up. In the command of a worker, Ctrl-C and
SIGTERM end it (`stop_at_signals`): the first one lets the call under way end.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from operator import call
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any

import anyio

from victor_ext import ConfigurationError, VictorError
from victor_ext._flows import adrive, drive

from .databases import NeverHeals
from .transactions import AwaitedBox, BlockingBox, Pass, Transactions


@dataclass(frozen=True, slots=True)
class WorkerPass:
    """A pass that a worker makes again and again.

    Attributes:
        name: Its name, such as `send`.
        make: Makes it, with a client. Returns what it has changed.
        is_paused: Returns whether it is left out for now, since its last one failed.
        has_more: Returns whether another one has to be made at once.
    """

    name: str
    make: Callable[[Any], Pass[Collection[Any]]]
    is_paused: Callable[[], bool] = bool
    has_more: Callable[[], bool] = bool


@dataclass(frozen=True, slots=True)
class BoxWorker:
    """The worker of an outbox or inbox.

    Attributes:
        name: What it is the worker of: `outbox` or `inbox`.
        passes: What it makes, in their order.
        transactions: Make the steps of the passes.
        client_of: Returns the client of the passes, for the one that `run` was given; or raises
            `ConfigurationError`.
        lease: The maximum seconds that a call takes, if a client does not say.
        warned_of: The states of entries that are logged as warnings: a person should look at them.
    """

    name: str
    passes: Sequence[WorkerPass]
    transactions: Transactions
    client_of: Callable[[Any], Any]
    lease: float
    warned_of: Collection[str] = ()

    def checked_client(self, client: Any, interval: float) -> Any:
        """The client of the passes. Raises `ConfigurationError`: there is none, or the interval is
        no number above zero.
        """
        if not (isinstance(interval, int | float) and 0 < interval <= threading.TIMEOUT_MAX):
            raise ConfigurationError(
                f"interval={interval!r} must be seconds above zero, such as 5.0."
            )
        return self.client_of(client)

    def until_stopped(
        self, client: Any, interval: float, stop: threading.Event, pause: Callable[[float], Any]
    ) -> Pass[None]:
        """Make all passes, then `pause` for the interval if all are at their end, until `stop` is
        set.
        """
        client = self.checked_client(client, interval)
        heartbeat = self.transactions.heartbeat
        heartbeat.start(*(f"{self.name}.{each.name}" for each in self.passes))
        while not stop.is_set():
            for each in self.passes:
                if stop.is_set():
                    break
                if not each.is_paused():
                    self.transactions.driver.begin_pass()
                    yield from self._make(each, client)
            seconds = interval
            if any(each.has_more() for each in self.passes):
                seconds = 0.0
            heartbeat.step(seconds)
            yield partial(pause, seconds)
        # Only here: to a probe, a worker that an error has ended is stalled.
        heartbeat.stop()

    def _make(self, each: WorkerPass, client: Any) -> Pass[None]:
        """Make one pass, and log what it has changed. A failure ends this pass alone.

        Only an error that never heals (a missing table, a wrong storage key) ends the worker.
        """
        log = logging.getLogger(f"victor_ext.{self.name}")
        name = f"{self.name}.{each.name}"
        try:
            # Made as a step, so that its own steps show that the worker is alive.
            changed = yield partial(self.transactions.run, each.make(client))
        except NeverHeals:
            raise
        except Exception as error:  # a worker goes on after whatever error
            self.transactions.heartbeat.failing[name] = type(error).__name__
            if isinstance(error, VictorError):
                log.warning("%s failed and will be retried: %s", name, error)
            else:
                log.exception("%s failed and will be retried", name)
            return
        self.transactions.heartbeat.failing.pop(name, None)
        log_changes(self.name, each.name, changed, self.warned_of)


def log_changes(
    worker: str, pass_name: str, changed: Collection[Any], warned_of: Collection[str]
) -> None:
    """Log what a pass has changed, or handled: entries by their states, events by their names."""
    if not changed:
        return
    # Events have a name, entries a state.
    counts = Counter(getattr(item, "name", None) or item.state for item in changed)
    is_warning = any(getattr(item, "state", None) in warned_of for item in changed)
    logging.getLogger(f"victor_ext.{worker}").log(
        logging.WARNING if is_warning else logging.INFO,
        "%s.%s changed %s",
        worker,
        pass_name,
        ", ".join(f"{number} {name}" for name, number in counts.items()),
    )


class BlockingWorker(BlockingBox):
    """A box whose worker has blocking calls."""

    _worker: BoxWorker

    def run(
        self, client: Any = None, *, interval: float = 5.0, stop: threading.Event | None = None
    ) -> None:
        """Do what is to be done until `stop` is set: the worker, in a thread or a process of its
        own.

        An outbox sends, settles, refreshes and handles its events; an inbox handles those. The
        worker may be killed at any step. A failure is logged (logger `victor_ext.outbox` or
        `victor_ext.inbox`) and ends the pass, not the worker: the provider or the database may be
        away for a while.

        Args:
            client: As for each pass.
            interval: Seconds between two passes.
            stop: Ends the worker after the call or the event that it has begun, whose result it
                stores; None: it runs for ever.

        Raises:
            ConfigurationError: The interval is not above zero; the tables are not there (see
                `create_table`); or the outbox is encrypted with another storage key.
        """
        stop = stop or threading.Event()
        with ended_by(stop):
            drive(self._worker.until_stopped(client, interval, stop, stop.wait), call)


class AwaitedWorker(AwaitedBox):
    """A box whose worker has awaited calls."""

    _worker: BoxWorker

    async def run(self, client: Any = None, *, interval: float = 5.0) -> None:
        """Do what is to be done until it is cancelled: the worker, as a task. The arguments are
        those of `run` with blocking calls.

        A call that has begun ends first, and its result is stored: at most for as long as the
        client's deadline.
        """
        client = self._worker.checked_client(client, interval)
        stop = threading.Event()
        woken = anyio.Event()
        calls = anyio.CancelScope(shield=True)

        async def pause(seconds: float) -> None:
            with anyio.move_on_after(seconds):
                await woken.wait()

        # At most one, which is raised below: a group of tasks would wrap it in a group of errors.
        failures: list[NeverHeals] = []

        async def work() -> None:
            try:
                with calls, ended_by(stop):
                    await adrive(self._worker.until_stopped(client, interval, stop, pause), call)
            except NeverHeals as error:
                failures.append(error)
                tasks.cancel_scope.cancel()

        # The passes have a task of their own, since `cancel` of an asyncio task ignores the shield.
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(work)
            try:
                await anyio.sleep_forever()
            finally:
                longest_call = getattr(client, "deadline", self._worker.lease)
                calls.deadline = anyio.current_time() + longest_call
                stop.set()
                woken.set()
        if failures:
            raise failures[0]

    @asynccontextmanager
    async def worker(self, client: Any = None, *, interval: float = 5.0) -> AsyncGenerator[None]:
        """Run the worker in the background while the block lasts, such as the lifespan of a FastAPI
        service. The end of the block waits for a call that has begun, as `run` does.
        """
        client = self._worker.checked_client(client, interval)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(self.run, client, interval=interval))
            yield
            tasks.cancel_scope.cancel()
        self.heartbeat.stop()


# The end of a worker


_worker_stop: ContextVar[threading.Event | None] = ContextVar(
    "victor_ext_worker_stop", default=None
)
"""The event that stops the worker of the present pass; None: the pass is made by no worker."""


@contextmanager
def ended_by(stop: threading.Event) -> Generator[None]:
    """Let passes within the block take up nothing more once `stop` is set."""
    token = _worker_stop.set(stop)
    try:
        yield
    finally:
        _worker_stop.reset(token)


def is_ending() -> bool:
    """Whether the worker of this pass is to end, so that the pass takes up nothing more."""
    stop = _worker_stop.get()
    return stop is not None and stop.is_set()


class SignalStop(threading.Event):
    """The stop of a worker, which a signal sets.

    The handler of a signal interrupts the main thread, which may hold the lock of an `Event`: `set`
    would wait for ever. `SimpleQueue.put` is safe there, so it takes the place of the lock.
    """

    def __init__(self) -> None:
        super().__init__()
        self._has_come = False
        self._received: SimpleQueue[int] = SimpleQueue()

    def receive(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal. The second signal ends the command at once, by `KeyboardInterrupt`."""
        if self._has_come:
            raise KeyboardInterrupt
        self._has_come = True
        self._received.put(number)

    def is_set(self) -> bool:
        return self._has_come

    def wait(self, timeout: float | None = None) -> bool:
        if not self._has_come:
            with suppress(Empty):
                self._received.get(timeout=timeout)
        return self._has_come


@contextmanager
def stop_at_signals() -> Generator[SignalStop]:
    """The stop that Ctrl-C and SIGTERM set within the block. A signal that the program ignores
    stays ignored.

    In another thread than the main one, signals are left to the program.
    """
    stop = SignalStop()
    before: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, stop.receive)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)  # None: it was not set from Python
