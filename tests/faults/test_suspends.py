"""A write whose time has passed by either clock of this machine is not sent: whoever writes its
first byte looks once more.
"""

import socket
import ssl
import time
from contextlib import closing
from functools import partial

import httpx
import pytest
from cryptography import x509

from tests.faults.adapters import CALLERS, arguments, each_mode
from tests.faults.raw_provider import CREATE, RESPOND, RawProvider
from tests.security.recorder import RecordingProxy
from victor_ext import AttemptStarted, DeadlineExceeded, Outcome, VictorJwt

pytestmark = pytest.mark.slow
PATHS = {"create": CREATE, "respond": RESPOND}
DEADLINE = 30.0
HOST = "localhost"
SIGNED = VictorJwt("key-1", sign=lambda _content: b"not a signature")
RESTED = 0.15
"""Seconds after which a write takes a connection that was used."""
each_write = pytest.mark.parametrize("write", PATHS)
"""With a key, and without one."""

STEPS = (
    ("name", socket, "getaddrinfo"),
    ("connect", socket.socket, "connect"),
    ("tls", ssl.SSLSocket, "do_handshake"),
    ("tls", ssl.SSLObject, "do_handshake"),
    ("first byte", ssl.SSLSocket, "recv"),
    ("first byte", socket.socket, "recv"),
)
"""What Python does for a connection. A `recv` that finds nothing comes before the first byte."""
STAGES = ("name", "connect", "tls", "first byte", "kept")
"""Where a new connection is when the machine falls asleep, or that a kept one is written to."""


class Machine:
    """This machine, which is suspended while a write is on its way: its wall clock goes on, and its
    monotonic clock stands still. Nobody waits.

    Attributes:
        asleep: Seconds for which it has slept in all.
        naps: The stages at which it fell asleep.
    """

    def __init__(self, monkeypatch):
        self.asleep = 0.0
        self.naps = []
        self._nap = None
        self._is_on_its_way = False
        real_time = time.time
        monkeypatch.setattr(time, "time", lambda: real_time() + self.asleep)
        for stage, owner, name in STEPS:
            monkeypatch.setattr(owner, name, self._followed(stage, getattr(owner, name)))

    def will_sleep(self, stage, seconds, path):
        """Fall asleep at this stage of the next write to this path."""
        self._nap = ("first byte" if stage == "kept" else stage), seconds, path

    def on_event(self, event):
        if isinstance(event, AttemptStarted) and self._nap is not None:
            self._is_on_its_way = self._nap[2] in event.path

    def _followed(self, stage, usual):
        def step(*args, **named):
            try:
                result = usual(*args, **named)
            except (BlockingIOError, ssl.SSLWantReadError):
                self._reach(stage, *args)
                raise
            if stage != "first byte":
                self._reach(stage, *args)
            return result

        return step

    def _reach(self, stage, *args):
        is_servers = getattr(args[0], "server_side", False)
        if not self._is_on_its_way or is_servers or self._nap is None:
            return
        awaited, seconds, _ = self._nap
        if awaited == stage:
            self.naps.append(stage)
            self.asleep += seconds
            self._nap = None


@pytest.fixture
def machine(monkeypatch):
    return Machine(monkeypatch)


@pytest.fixture
def secured(background, authority):
    """A provider that is called by name, over TLS."""
    with closing(RawProvider(background, tls=authority.server(x509.DNSName(HOST)))) as made:
        yield made


@pytest.fixture
def caller(machine, secured, authority, mode):
    url = secured.url().replace("127.0.0.1", HOST)
    options = {"verify": authority.trusted(), "deadline": DEADLINE, "on_event": machine.on_event}
    with closing(CALLERS[mode](url, auth=SIGNED, **options)) as made:
        yield made


@each_mode
@each_write
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("seconds", [31.0, 25 * 3600.0])
def test_a_write_that_slept_past_its_deadline_is_not_sent(
    machine, secured, caller, write, stage, seconds
):
    if stage == "kept":
        assert caller.start("get", "R0").word == "success"
        time.sleep(RESTED)
    machine.will_sleep(stage, seconds, PATHS[write])
    late = caller.start(write, "S1")
    assert len(machine.naps) == 1
    assert secured.record.connections == 1 or stage != "kept"
    assert secured.record.sent_to(PATHS[write]) == []
    assert (late.word, type(late.error)) == ("not_sent", DeadlineExceeded)
    assert "slept" in str(late.error)
    machine.asleep = 0.0  # for the due date, which is that of today
    assert caller.start(write, "S1").word == "success", "nothing was sent, so it can be repeated"
    assert secured.record.work["S1"] == 1


@pytest.fixture
def tracer(monkeypatch):
    """Somebody who follows what httpx sends, and sends it on."""
    for owner, name in (
        (httpx.HTTPTransport, "handle_request"),
        (httpx.AsyncHTTPTransport, "handle_async_request"),
    ):
        usual = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *args, usual=usual: usual(*args))


@each_mode
@each_write
def test_a_write_that_a_tracer_follows_is_not_sent_past_its_deadline(
    machine, secured, caller, tracer, write
):
    machine.will_sleep("tls", 31.0, PATHS[write])
    late = caller.start(write, "S1")
    assert len(machine.naps) == 1
    assert secured.record.sent_to(PATHS[write]) == []
    assert late.word == "not_sent"


@each_mode
@each_write
def test_a_write_through_a_proxy_that_slept_past_its_deadline_is_not_sent(
    machine, secured, authority, background, mode, write
):
    with closing(RecordingProxy(background, secured.port)) as proxy:
        address = f"http://127.0.0.1:{proxy.port}"
        options = {"verify": authority.trusted(), "deadline": DEADLINE}
        options |= {"on_event": machine.on_event, "proxy": address}
        url = secured.url().replace("127.0.0.1", HOST)
        with closing(CALLERS[mode](url, auth=SIGNED, **options)) as caller:
            machine.will_sleep("tls", 31.0, PATHS[write])
            late = caller.start(write, "S1")
    assert len(machine.naps) == 1
    assert secured.record.sent_to(PATHS[write]) == []
    assert late.word == "not_sent"


def test_the_earlier_of_two_nested_time_bounds_counts(provider):
    now, passed = time.time(), time.monotonic()
    late, soon = (now - 1, passed - 1), (now + 60, passed + 60)
    with closing(CALLERS["sync"](provider.url(), auth=SIGNED)) as caller:
        victor = caller.client
        create = partial(victor.payment_requests.create, **arguments("create", "S1"))
        for outer, inner in ((late, soon), (soon, late)):
            nested = partial(victor.send_before, inner, create)
            with pytest.raises(DeadlineExceeded) as raised:
                victor.send_before(outer, nested)
            assert raised.value.outcome is Outcome.NOT_SENT
        assert provider.record.requests == []
        assert victor.send_before(soon, create).id, "the bound has ended with its call"
