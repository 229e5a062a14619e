"""One client in several event loops, none of which waits for another; a loop that is blocked; and
forks.

Children that a process forks have its sockets and its locks, and none of its threads.
"""

import asyncio
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tests.faults.raw_provider import behave
from tests.faults.raw_sockets import PATIENCE
from victor_ext import AsyncVictor, VictorOAuth

pytestmark = pytest.mark.slow
COPIES = {
    "the client": lambda client: client,
    "a copy": lambda client: client.with_options(timeout=4.0),
}


@pytest.mark.parametrize("copy", COPIES)
def test_a_token_is_not_waited_for_in_another_loop(provider, copy):
    held = []
    provider.acts_on_tokens = True
    provider.acts.append(held.append)
    auth = VictorOAuth("id", "not-a-secret")
    client = AsyncVictor(auth, base_url=provider.url(), deadline=3.0)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(lambda: asyncio.run(client.authorization()))
        provider.quiet.wait_for(lambda: bool(held), "the request for a token")
        assert asyncio.run(COPIES[copy](client).authorization()) == "Bearer t"
        provider.background.do(lambda: behave(held[0]))
        assert waiting.result(PATIENCE) == "Bearer t"
    assert len(provider.record.requests) == 2


# Forks

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def output_of(program, *arguments, timeout=PATIENCE):
    """What a program prints; its children end with it."""
    started = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        return started.communicate(timeout=timeout)[0]
    finally:
        with suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.communicate()


CALLS_AROUND_A_FORK = """
import os, sys
from victor_ext import Victor, VictorOAuth

victor = Victor(VictorOAuth("id", "not-a-secret"), base_url=sys.argv[1])
victor.payment_requests.get("before")
pid = os.fork()
if pid == 0:
    os._exit(victor.payment_requests.get("child").id != "child")
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), victor.payment_requests.get("after").id)
"""


@needs_fork
def test_a_forked_child_opens_a_connection_of_its_own(provider):
    assert output_of(CALLS_AROUND_A_FORK, provider.url()) == "0 after\n"
    assert provider.record.connections == 2


FIRST_CALLS = """
import importlib, os, signal, sys, threading
from victor_ext import Victor, VictorOAuth

url, kind, most = sys.argv[1], sys.argv[2], int(sys.argv[3])


class Moment:
    "Does something before a line of Python in a thread is executed, the one with this number."

    def __init__(self, number, act):
        self.number, self.act, self.lines = number, act, 0

    def __call__(self, frame, event, argument):
        self.lines += event == "line"
        if event == "line" and self.lines == self.number:
            self.act()
        return self


def call(victor, moment):
    global calling
    try:
        try:
            calling = True
            sys.settrace(moment)
            victor.payment_requests.get("R0")
        finally:
            calling = False
            sys.settrace(None)
    except KeyboardInterrupt:
        calling = False


def go_on(victor):
    "Other threads call, and import what is not loaded yet."
    done = []

    def use(name):
        importlib.import_module(name)
        done.append(victor.payment_requests.get(name).id == name)

    threads = [threading.Thread(target=use, args=(name,)) for name in ("colorsys", "fileinput")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return int(done != [True, True])


def soon():
    signal.setitimer(signal.ITIMER_REAL, 1e-4)


def ring(_, frame):
    # As that of Ctrl-C: it is called where Python handles signals, and not in logging, which
    # leaves its own lock taken.
    if calling and (
        frame.f_code in (soon.__code__, Moment.__call__.__code__)
        or "logging" in frame.f_code.co_filename
    ):
        soon()
    elif calling:
        raise KeyboardInterrupt


def interrupted(victor, number):
    signal.signal(signal.SIGALRM, ring)
    call(victor, Moment(number, soon))
    signal.alarm(20)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    return go_on(victor)


def forked(victor, number):
    reached, held = threading.Event(), threading.Event()
    # Where the thread is within logging, the fork waits for it, and not the thread for the fork.
    thread = threading.Thread(
        target=call, args=(victor, Moment(number, lambda: (reached.set(), held.wait(0.5))))
    )
    thread.start()
    reached.wait()
    status = in_a_child(lambda: go_on(victor))
    held.set()
    thread.join()
    return status


def in_a_child(act):
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            signal.alarm(20)  # which ends a child that hangs
            status = act()
        finally:
            os._exit(status)
    return abs(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def client():
    return Victor(VictorOAuth("id", "not-a-secret"), base_url=url)


def lines():
    moment = Moment(0, None)
    call(client(), moment)
    os.write(count[1], b"%d" % moment.lines)
    return 0


count = os.pipe()
assert in_a_child(lines) == 0
total = int(os.read(count[0], 20))
numbers = range(1, total, max(1, total // most))
act = {"forked": forked, "interrupted": interrupted}[kind]
failed = [number for number in numbers if in_a_child(lambda: act(client(), number))]
print(total > 1000, len(numbers) >= min(most, total) - 1, failed)
"""

MOMENTS = int(os.environ.get("VICTOR_MOMENTS", "20"))


@needs_fork
@pytest.mark.parametrize("kind", ["interrupted", "forked"])
def test_no_call_hangs_after_an_interrupt_or_a_fork_at_any_moment_of_the_first_call(provider, kind):
    """Moments are lines of Python in the first call of a process.

    `VICTOR_MOMENTS=10000` tries them all.
    """
    given = provider.url(), kind, str(MOMENTS)
    assert output_of(FIRST_CALLS, *given, timeout=PATIENCE + MOMENTS) == "True True []\n"
