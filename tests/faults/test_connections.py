"""Connections that are refused, never made, ended at once, or closed while idle; and the pool of
them.
"""

import errno
import os
import socket
from contextlib import closing

import httpx
import pytest

from tests.faults.adapters import (
    ATTEMPTS,
    CALLERS,
    adapter,
    crowd,
    each_mode,
    each_operation,
    timeouts,
)
from tests.faults.raw_provider import Cut, answer
from tests.faults.raw_sockets import on_linux, serving
from victor_ext import (
    AsyncVictor,
    ConnectionFailed,
    RetryPolicy,
    RetryScheduled,
    Victor,
    VictorError,
    VictorJwt,
)
from victor_ext._runtime.http import connections

pytestmark = pytest.mark.slow
SHORT = 0.2
SIGNED = VictorJwt("key-1", sign=lambda _content: b"not a signature")


@each_operation
@each_mode
def test_a_refused_connection_has_sent_nothing_and_is_tried_again(background, mode, operation):
    def on_event(event):
        if isinstance(event, RetryScheduled) and is_repaired:
            on.provider.listen()

    is_repaired = False
    with adapter(background, mode, on_event=on_event) as on:
        on.provider.refuse()
        run = on.expect("not_sent", operation)
        assert isinstance(run.observed.error, ConnectionFailed)

        is_repaired = True
        on.expect("success", operation)


@each_operation
@each_mode
@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_connection_that_died_while_idle_costs_no_attempt(
    background, mode, operation, how, monkeypatch
):
    """A kept connection that has died meanwhile is noticed before anything is sent on it: no
    attempt is lost.
    """
    monkeypatch.setattr(connections, "REUSE_DELAY", 0.0)  # a write takes it, too

    def then_end(exchange):
        exchange.send(answer(exchange.work()))
        exchange.end(how)

    with adapter(background, mode) as on:
        for _ in range(5):
            on.provider.acts.append(then_end)
            on.expect("success", operation)
            on.provider.quiet.wait_for(
                lambda: not on.provider.open, "the connection that was closed"
            )
            before = len(on.provider.record.requests)
            record = on.expect("success", operation, requests=1).observed.record
            assert record is not None
            assert record.response_info.attempts == 1
            assert len(on.provider.record.requests) == before + 1


def open_files():
    return len(os.listdir("/proc/self/fd"))


@on_linux
@each_mode
def test_no_socket_is_left_behind_by_exchanges_that_are_cut(background, mode):
    cuts = [
        Cut(side, after, how)
        for side in ("request", "answer")
        for after in (0, 120)
        for how in ("reset", "close")
    ]
    with adapter(background, mode, timeout=timeouts(SHORT)) as on:
        assert on.run("respond").observed.word == "success"
        before = open_files()
        for cut in [*cuts, Cut("request", 9, "stall"), Cut("answer", 9, "stall")]:
            for times in (1, 2 * ATTEMPTS):
                on.run("respond", [cut] * times)
        assert on.run("respond").observed.word == "success"
        assert open_files() == before


# The pool


@each_mode
def test_a_response_is_read_though_the_rest_of_its_request_cannot_be_written(mode, monkeypatch):
    """A server that closes early has said why; and its connection is not used again."""
    usual, opened = socket.socket.send, []

    def send(sending, data, *flags):
        if bytes(data[:5]) != b"POST ":
            return usual(sending, data, *flags)
        usual(sending, data[:1])
        raise BrokenPipeError(errno.EPIPE, "broken pipe")

    def refuse(connection):
        opened.append(connection.recv(1))
        connection.sendall(answer(b'{"error": {"code": 101, "message": "no"}}', "413 Too Large"))
        connection.recv(1)  # until the other side closes it

    monkeypatch.setattr(socket.socket, "send", send)
    signed = SIGNED
    with (
        serving(refuse) as port,
        closing(CALLERS[mode](f"http://127.0.0.1:{port}", auth=signed)) as caller,
    ):
        for number in (1, 2):
            seen = caller.start("create", f"S{number}")
            assert (seen.word, seen.error.status_code, len(opened)) == ("rejected", 413, number)


@each_mode
def test_a_write_that_gets_no_connection_from_the_pool_has_sent_nothing(provider, mode):
    provider.instead = lambda exchange: exchange.later(0.5, answer(exchange.work()))

    def client():
        return (AsyncVictor if mode == "async" else Victor)(
            SIGNED,
            base_url=provider.url(),
            limits=httpx.Limits(max_connections=1),
            timeout=httpx.Timeout(10.0, pool=0.05),
            retry=RetryPolicy(max_attempts=1),
        )

    def accept(victor, subject):
        try:
            victor.payment_requests.accept(subject, notes="Thanks.")
        except VictorError as error:
            return error.outcome.value
        return "success"

    async def accept_awaited(victor, subject):
        try:
            await victor.payment_requests.accept(subject, notes="Thanks.")
        except VictorError as error:
            return error.outcome.value
        return "success"

    call = accept_awaited if mode == "async" else accept
    assert sorted(crowd(mode, client, call, ["S1", "S2"])) == ["not_sent", "success"]
    assert provider.record.work.total() == 1


@each_mode
def test_each_call_opens_its_own_connection_where_none_may_be_kept(background, mode):
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=0)
    with adapter(background, mode, limits=limits) as on:
        before = on.provider.record.connections
        for _ in range(3):
            on.expect("success", "get")
        assert on.provider.record.connections == before + 3


def test_a_header_that_cannot_be_written_is_not_quoted_and_nothing_is_sent(provider):
    with (
        Victor(SIGNED, base_url=provider.url()) as victor,
        pytest.raises(VictorError, match="a header of the request cannot be sent") as raised,
    ):
        victor.api.get_httpx_client().get("/", headers={"X-Of-Their-Own": "marked-and-fake "})
    assert (raised.value.outcome.value, provider.record.received) == ("not_sent", b"")
    assert "marked" not in f"{raised.value}{raised.value!r}{raised.value.__cause__!r}"
