"""What macOS and Windows lack is taken away here: the parts that use it do their work without it.

It does not stand for those systems, on which the project's workflow runs the quick tests.
"""

import importlib.util
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli.victor_command import interruptible
from tests.faults.raw_sockets import PATIENCE
from tests.programs import python
from victor_ext.cli import _signals

pytestmark = pytest.mark.slow
EXAMPLES = Path(__file__).parents[2] / "examples"
WITHOUT = """
import os, runpy, select, signal, sys

for module, names in {
    select: ["poll", "epoll", "kqueue"],
    os: [
        "fork",
        "forkpty",
        "register_at_fork",
        "O_NOFOLLOW",
        "O_NONBLOCK",
        "fchmod",
        "getuid",
        "geteuid",
    ],
    signal: ["SIGALRM", "setitimer", "SIGHUP", "SIGPIPE", "SIGUSR1", "pthread_sigmask"],
}.items():
    for name in names:
        vars(module).pop(name, None)
"""
A_DEAF_SERVER = """
import asyncio, socket, time
from victor_ext import AsyncVictor, Outcome, TimedOut, Victor, VictorOAuth

with socket.create_server(("127.0.0.1", 0), backlog=8) as server:
    where = f"http://127.0.0.1:{server.getsockname()[1]}/v1"

    async def awaited():
        async with AsyncVictor(
            VictorOAuth("id", "not-a-secret"), base_url=where, deadline=0.3
        ) as client:
            await client.payment_requests.get("0a4f2a1e")

    def blocking():
        with Victor(VictorOAuth("id", "not-a-secret"), base_url=where, deadline=0.3) as client:
            client.payment_requests.get("0a4f2a1e")

    for call in (blocking, lambda: asyncio.run(awaited())):
        began = time.monotonic()
        try:
            call()
        except TimedOut as error:
            assert time.monotonic() - began < 5, began
        else:
            raise AssertionError("an answer of nobody")
"""
RUNS = {
    "blocking calls, with all the faults of the demonstration": (
        f"runpy.run_path({str(EXAMPLES / 'demo.py')!r})"
    ),
    "both modes and nobody who answers": A_DEAF_SERVER,
}


@pytest.mark.parametrize("run", RUNS)
def test_calls_need_neither_poll_nor_fork_nor_timers_that_signal(run, tmp_path):
    ended = python("-c", f"{WITHOUT}\n{RUNS[run]}", cwd=tmp_path, timeout=PATIENCE)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr


def as_on_windows(module, monkeypatch):
    """A copy of a module that was loaded where `sys.platform` is that of Windows, and sees it so
    later, too.
    """
    spec = importlib.util.spec_from_file_location(f"{module.__name__}_on_windows", module.__file__)
    copy = importlib.util.module_from_spec(spec)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "win32")
        spec.loader.exec_module(copy)
    copy.sys = SimpleNamespace(platform="win32")
    return copy


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_command_on_windows(monkeypatch, number, status):
    def interrupted():
        signal.raise_signal(number)
        return 0

    with interruptible():
        handlers = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
        assert as_on_windows(_signals, monkeypatch).ended_by_signals(interrupted) == status
        assert {each: signal.getsignal(each) for each in handlers} == handlers
