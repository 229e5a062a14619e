"""Before an exchange begins: connections that are refused, never accepted, ended at once, or closed while idle."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.faults.adapters import ATTEMPTS, Adapter, Operation, adapter, each_mode, each_operation, timeouts
from tests.faults.cutting_proxy import Cut
from tests.faults.odd_servers import Deaf, full, on_linux
from tests.faults.raw_provider import Exchange, answer
from tests.faults.raw_sockets import Background, End
from victor_ext import ConnectionFailed, RetryScheduled, TimedOut

pytestmark = pytest.mark.slow
SHORT = 0.2


@contextmanager
def mending(background: Background, mode: str, **options: Any) -> Iterator[tuple[Adapter, list[Callable[[], None]]]]:
    """An adapter, and what is to be done when a retry is scheduled."""
    repairs: list[Callable[[], None]] = []

    def on_event(event: object) -> None:
        while isinstance(event, RetryScheduled) and repairs:
            repairs.pop(0)()

    with adapter(background, mode, on_event=on_event, **options) as on:
        yield on, repairs


@each_operation
@each_mode
def test_refused(background: Background, mode: str, operation: Operation) -> None:
    with mending(background, mode) as (on, repairs):
        on.proxy.refuse()
        run = on.run(operation)
        assert (run.observed.word, run.mismatches()) == ("not_sent", [])
        assert isinstance(run.observed.error, ConnectionFailed)

        repairs.append(on.proxy.listen)
        run = on.run(operation)
        assert (run.observed.word, run.mismatches()) == ("success", [])


@each_operation
@each_mode
def test_refused_after_a_lost_answer(background: Background, mode: str, operation: Operation) -> None:
    """Not reaching the provider says nothing of the attempt that did."""
    with mending(background, mode) as (on, repairs):
        repairs.append(on.proxy.refuse)
        run = on.run(operation, [Cut("answer", 0, "reset"), Cut("request", 0, "reset")])
        assert (run.observed.word, run.mismatches()) == ("unknown", [])
        assert run.seen.work == (operation != "get")


@each_operation
@each_mode
@pytest.mark.parametrize("resets", [False, True], ids=["stall", "reset"])
def test_not_accepted(background: Background, mode: str, operation: Operation, resets: bool) -> None:
    """To the client it is a connection like any other: what it sent may have arrived."""
    with mending(background, mode, timeout=timeouts(SHORT)) as (on, repairs):
        on.proxy.refuse()
        deaf = Deaf(on.proxy.port, resets=resets)
        run = on.run(operation)
        deaf.close()
        assert run.mismatches() == []
        # An RST may arrive before the client has done with connecting: then it knows that nothing was sent.
        assert run.observed.word == "unknown" or (resets and run.observed.word == "not_sent")

        deaf = Deaf(on.proxy.port, resets=resets)
        repairs += [deaf.close, on.proxy.listen]
        run = on.run(operation)
        assert run.mismatches() == []
        assert run.observed.word == ("unknown" if operation == "respond" else "success") or resets


@on_linux
@each_operation
@each_mode
def test_no_connection_in_time(background: Background, mode: str, operation: Operation) -> None:
    """A connection that is never made carries nothing."""
    with adapter(background, mode, timeout=httpx.Timeout(5.0, connect=SHORT)) as on:
        on.proxy.refuse()
        with full("127.0.0.1", on.proxy.port):
            run = on.run(operation)
        assert (run.observed.word, run.mismatches()) == ("not_sent", [])
        assert isinstance(run.observed.error, TimedOut)


@each_operation
@each_mode
@pytest.mark.parametrize("how", ["reset", "close", "stall"])
def test_ended_as_soon_as_it_is_accepted(background: Background, mode: str, operation: Operation, how: End) -> None:
    with adapter(background, mode, timeout=timeouts(SHORT)) as on:
        once = "unknown" if operation == "respond" else "success"
        # An end that comes before anything was written is seen in time: then nothing was sent.
        for times, wanted, in_time in ((1, once, "success"), (2 * ATTEMPTS, "unknown", "not_sent")):
            on.proxy.refuse()  # drops the connection that is kept, so that another is made
            on.proxy.listen()
            on.proxy.at_accept.extend([how] * times)
            run = on.run(operation)
            on.proxy.at_accept.clear()
            assert run.mismatches() == []
            assert run.observed.word == wanted or (run.observed.word == in_time and how != "stall")


@each_operation
@each_mode
@pytest.mark.parametrize("how", ["reset", "close"])
def test_closed_while_idle(background: Background, mode: str, operation: Operation, how: End) -> None:
    """A kept connection that has died meanwhile is noticed before anything is sent on it: no attempt is lost."""

    def then_end(exchange: Exchange) -> None:
        exchange.send(answer(exchange.work()))
        exchange.end(how)

    with adapter(background, mode, direct=True) as on:
        for _ in range(5):
            on.provider.acts.append(then_end)
            first = on.run(operation)
            assert (first.observed.word, first.mismatches()) == ("success", [])
            on.provider.quiet.wait_for(lambda: not on.provider.open, "the connection that was closed")
            second = on.run(operation)
            assert (second.observed.word, second.mismatches(), second.seen.requests) == ("success", [], 1)


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@on_linux
@each_mode
def test_no_socket_is_left_behind(background: Background, mode: str) -> None:
    cuts = [Cut(side, after, how) for side in ("request", "answer") for after in (0, 120) for how in ("reset", "close")]
    with adapter(background, mode, timeout=timeouts(SHORT)) as on:
        assert on.run("respond").observed.word == "success"
        before = open_files()
        for cut in [*cuts, Cut("request", 9, "stall"), Cut("answer", 9, "stall")]:
            for times in (1, 2 * ATTEMPTS):
                on.run("respond", [cut] * times)
        assert on.run("respond").observed.word == "success"
        assert open_files() == before
