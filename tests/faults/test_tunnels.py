"""A tunnel through a proxy is kept as any connection is, and follows the same rules.

A proxy that refuses to connect: its 4xx is the same the next time, and a wrong password that is
repeated may lock an account.
"""

import time
from contextlib import ExitStack, closing

import pytest

from tests.faults.adapters import CALLERS, OPERATIONS, each_mode, observed
from tests.faults.raw_provider import RawProvider
from tests.security.recorder import RecordingProxy
from victor_ext import ConnectionFailed, RetryPolicy, VictorJwt

pytestmark = pytest.mark.slow
ATTEMPTS = 3
LOGIN = "user:hunter2"
SIGNED = VictorJwt("key-1", sign=lambda _content: b"not a signature")
RESTED = 0.15
"""Seconds after which a write takes a connection that was used."""


@pytest.fixture
def refused(background):
    """What a `create` over a proxy comes to that refuses with a status, and how often it was asked
    to connect.
    """
    with ExitStack() as opened:

        def create(status, mode, auth=SIGNED):
            answer = f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode()
            proxy = opened.enter_context(closing(RecordingProxy(background, 1, answer=answer)))
            url = f"http://{LOGIN}@127.0.0.1:{proxy.port}"
            retry = RetryPolicy(base=0.0, max_attempts=ATTEMPTS)
            seen = observed(mode, "https://pay.example", auth=auth, retry=retry, proxy=url)
            assert isinstance(seen.error, ConnectionFailed)
            return seen.error, len(proxy.heads)

        yield create


@each_mode
@pytest.mark.parametrize("status", [400, 403, 404, 407, 451])
def test_a_tunnel_that_the_proxy_refuses_is_asked_for_once_and_nothing_was_sent(
    refused, mode, status
):
    error, asked = refused(status, mode)
    assert (error.outcome, error.attempts, asked) == ("not_sent", 1, 1)
    assert f"the proxy refused the connection (the proxy 127.0.0.1: {status} " in str(error)
    assert "hunter2" not in str(error)


@pytest.fixture
def secured(background, authority):
    with closing(RawProvider(background, tls=authority.server())) as made:
        yield made


@each_mode
def test_one_tunnel_serves_all_calls_and_a_write_takes_none_that_was_just_used(
    secured, background, authority, mode
):
    with closing(RecordingProxy(background, secured.port)) as proxy:
        way = {"proxy": f"http://127.0.0.1:{proxy.port}", "verify": authority.trusted()}
        with closing(CALLERS[mode](secured.url(), auth=SIGNED, **way)) as caller:
            for operation in OPERATIONS:
                assert caller.start(operation, "S1").word == "success"
                time.sleep(RESTED)
            assert len(proxy.heads) == secured.record.connections == 1
            assert caller.start("get", "S1").word == "success"
            assert caller.start("create", "S2").word == "success"
    assert len(proxy.heads) == secured.record.connections == 2


@each_mode
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_tunnel_whose_proxy_has_died_is_replaced(secured, background, authority, mode, operation):
    with closing(RecordingProxy(background, secured.port)) as proxy:
        way = {"proxy": f"http://127.0.0.1:{proxy.port}", "verify": authority.trusted()}
        with closing(CALLERS[mode](secured.url(), auth=SIGNED, **way)) as caller:
            assert caller.start("get", "S1").word == "success"
            proxy.refuse()
            proxy.listen()
            time.sleep(RESTED)
            assert caller.start(operation, "S1").word == "success"
    assert len(proxy.heads) == 2
    assert secured.record.work["S1"] == (operation != "get")


@each_mode
@pytest.mark.parametrize("how", ["close", "reset"])
def test_nothing_was_sent_if_the_proxy_dies_before_the_tunnel_stands(background, mode, how):
    with closing(RecordingProxy(background, 1)) as proxy:
        proxy.instead = lambda exchange: exchange.end(how)
        url = f"http://{LOGIN}@127.0.0.1:{proxy.port}"
        error = observed(mode, "https://pay.example", "respond", auth=SIGNED, proxy=url).error
    assert isinstance(error, ConnectionFailed)
    assert (error.outcome, error.attempts, len(proxy.heads)) == ("not_sent", 2, 2)
    assert "the proxy 127.0.0.1: " in str(error)


@each_mode
def test_a_write_without_a_key_is_not_repeated_if_the_proxy_dies_after_it_was_sent(
    secured, background, authority, mode
):
    with closing(RecordingProxy(background, secured.port)) as proxy:

        def work_and_end_the_proxys_connections(exchange):
            exchange.work()
            for connection in list(proxy.open):
                connection.cut("reset")

        secured.instead = work_and_end_the_proxys_connections
        way = {"proxy": f"http://127.0.0.1:{proxy.port}", "verify": authority.trusted()}
        seen = observed(mode, secured.url(), "respond", auth=SIGNED, **way)
    assert (seen.word, seen.error.attempts, secured.record.work["S1"]) == ("unknown", 1, 1)


@pytest.mark.parametrize(
    "head",
    [
        "HTTP/1.0 200 Connection established",
        "HTTP/1.1 200 OK\r\nContent-Length: 5",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK",
    ],
)
def test_a_tunnel_stands_after_any_good_status(secured, background, authority, head):
    answer = f"{head}\r\n\r\n".encode()
    with closing(RecordingProxy(background, secured.port, answer=answer)) as proxy:
        way = {"proxy": f"http://127.0.0.1:{proxy.port}", "verify": authority.trusted()}
        assert observed("sync", secured.url(), "get", **way).word == "success"
        assert len(proxy.heads) == 1
