"""The worker of an outbox or inbox: it makes passes, again and again, until it is to stop.

A pass asks `is_ending` before it takes the next row up. In the command of a worker, Ctrl-C and
SIGTERM end it (`stop_at_signals`): the first one lets the call under way end.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from operator import call
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any, ClassVar

import anyio

from victor_ext import ConfigurationError, VictorError
from victor_ext.flows import adrive, drive

from .databases import NeverHeals
from .transactions import (
    AwaitedTransactions,
    BlockingTransactions,
    Pass,
    Transactions,
)


def as_text(counts: Mapping[str, int]) -> str:
    """Counts by name as a text, such as `2 sent, 1 refused`."""
    return ", ".join(f"{number} {name}" for name, number in counts.items())


class WorkerPasses(Transactions):
    """The steps of a worker, which blocking and awaited workers drive."""

    _name: ClassVar[str]
    _passes: ClassVar[Sequence[str]]
    """The names of its methods that are passes, in their order."""
    _warned_of: ClassVar[Collection[str]] = ()
    """The states of entries that are logged as warnings: a person should look at them."""
    _lease: float
    client: Any
    """A client of any system, blocking or awaited; or None."""

    # An outbox overrides some of these

    def _worker_client(self, client: Any, interval: float = 1.0) -> Any:
        """The checked client of a worker's passes. Raises `ConfigurationError`: the interval is no
        number above zero.
        """
        if not (isinstance(interval, int | float) and 0 < interval <= threading.TIMEOUT_MAX):
            raise ConfigurationError(
                f"interval={interval!r} must be seconds above zero, such as 5.0."
            )
        return client

    def _client_or_own(self, client: Any) -> Any:
        """This client, else that of the outbox or inbox, if it has one."""
        return self.client if client is None else client

    def _longest_call(self, client: Any) -> float:
        """The maximum seconds that a call of this client takes."""
        deadline: float | None = getattr(self._client_or_own(client), "deadline", None)
        return self._lease if deadline is None else deadline

    def _is_paused(self, name: str) -> bool:  # noqa: ARG002 - an outbox looks at it
        """Whether a worker leaves out the pass with this name for now, since its last one
        failed.
        """
        return False

    def _pass_of_worker(
        self,
        name: str,
        client: Any,
        rest: Any,  # noqa: ARG002 - an outbox goes on with it
    ) -> Pass[tuple[Collection[Any], Any]]:
        """Make the pass with this name. Returns what it has changed, and what the next one has to
        go on with at once, which is its `rest`; None: there is nothing.
        """
        return (yield partial(getattr(self, name), client)), None

    def _begin_pass(self) -> None:
        """Prepare the database connection for a pass."""

    def _work_until_stopped(
        self, client: Any, interval: float, stop: threading.Event, pause: Callable[[float], Any]
    ) -> Pass[None]:
        """Make all passes, then `pause` for the interval if all are at their end, until `stop` is
        set.
        """
        client = self._worker_client(client, interval)
        self.heartbeat.start(*(f"{self._name}.{name}" for name in self._passes))
        rests = dict[str, Any]()
        while not stop.is_set():
            for name in self._passes:
                if stop.is_set():
                    break
                rest = rests.pop(name, None)
                if self._is_paused(name):
                    continue
                self._begin_pass()
                rest = yield from self._make_pass(name, client, rest)
                if rest is not None:
                    rests[name] = rest
            seconds = 0.0 if rests else interval
            self.heartbeat.step(seconds)
            yield partial(pause, seconds)
        # Only here: to a probe, a worker that an error has ended is stalled.
        self.heartbeat.stop()

    def _make_pass(self, pass_name: str, client: Any, rest: Any) -> Pass[Any]:
        """Make one pass of a worker, and log what it has changed. A failure ends this pass alone.
        Takes and returns a `rest`, as `_pass_of_worker`.

        Only an error that never heals (a missing table, a wrong storage key) ends the worker.
        """
        log = logging.getLogger(f"victor_ext.{self._name}")
        name = f"{self._name}.{pass_name}"
        try:
            changed, rest = yield from self._pass_of_worker(pass_name, client, rest)
        except NeverHeals:
            raise
        except Exception as error:  # a worker goes on after whatever error
            self.heartbeat.failing[name] = type(error).__name__
            if isinstance(error, VictorError):
                log.warning("%s failed and will be retried: %s", name, error)
            else:
                log.exception("%s failed and will be retried", name)
            return None
        self.heartbeat.failing.pop(name, None)
        self._log_changes(pass_name, changed)
        return rest

    def _log_changes(self, pass_name: str, changed: Collection[Any]) -> None:
        """Log what a pass has changed, or handled."""
        if not changed:
            return
        # Events have a name, entries a state.
        counts = Counter(getattr(item, "name", None) or item.state for item in changed)
        is_warning = any(getattr(item, "state", None) in self._warned_of for item in changed)
        logging.getLogger(f"victor_ext.{self._name}").log(
            logging.WARNING if is_warning else logging.INFO,
            "%s.%s changed %s",
            self._name,
            pass_name,
            as_text(counts),
        )


class BlockingWorker(BlockingTransactions, WorkerPasses):
    """With blocking calls."""

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
            drive(self._work_until_stopped(client, interval, stop, stop.wait), call)


class AwaitedWorker(AwaitedTransactions, WorkerPasses):
    """With awaited calls."""

    async def run(self, client: Any = None, *, interval: float = 5.0) -> None:
        """As `run` with blocking calls, awaited: it ends when it is cancelled.

        A call that has begun ends first, and its result is stored: at most for as long as the
        client's deadline.
        """
        client = self._worker_client(client, interval)
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
                    await adrive(self._work_until_stopped(client, interval, stop, pause), call)
            except NeverHeals as error:
                failures.append(error)
                tasks.cancel_scope.cancel()

        # The passes have a task of their own, since `cancel` of an asyncio task ignores the shield.
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(work)
            try:
                await anyio.sleep_forever()
            finally:
                calls.deadline = anyio.current_time() + self._longest_call(client)
                stop.set()
                woken.set()
        if failures:
            raise failures[0]

    @asynccontextmanager
    async def worker(self, client: Any = None, *, interval: float = 5.0) -> AsyncGenerator[None]:
        """As `run`, in the background while the block lasts, such as the lifespan of a FastAPI
        service. The end of the block waits for a call that has begun, as `run` does.
        """
        client = self._worker_client(client, interval)
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
