"""Connections that are refused, never made, ended at once, or closed while idle; and the pool of
them.
"""

import asyncio
import errno
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from unittest.mock import Mock

import httpx
import pytest
from victor_api.client import Client

from tests.faults.adapters import (
    ATTEMPTS,
    CALLERS,
    adapter,
    each_mode,
    each_operation,
    timeouts,
)
from tests.faults.raw_provider import READ, Cut, answer
from tests.faults.raw_sockets import PATIENCE, on_linux, serving
from victor_ext import (
    AsyncVictor,
    AttemptEnded,
    ConnectionFailed,
    Outcome,
    RetryPolicy,
    RetryScheduled,
    TimedOut,
    Victor,
    VictorError,
    VictorJwt,
    VictorOAuth,
    connect,
)
from victor_ext._runtime.http import connections

pytestmark = pytest.mark.slow
SHORT = 0.2


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

AUTH = VictorOAuth("id", "not-a-secret")


def let_go(provider, held):
    """Answer a request that was held."""
    provider.background.do(lambda: held[0].send(answer(held[0].work())))


@each_mode
@pytest.mark.parametrize(
    "limits",
    [{"max_connections": 1, "keepalive_expiry": 0.0}, {"max_keepalive_connections": 0}],
    ids=str,
)
def test_each_call_opens_its_own_connection_where_none_may_be_kept(provider, mode, limits):
    with closing(CALLERS[mode](provider.url(), limits=httpx.Limits(**limits))) as caller:
        for number in range(3):
            assert caller.start("get", f"S{number}").word == "success"
    assert provider.record.connections == 4  # the token's as well


def write(caller, count):
    for number in range(count):
        assert caller.start("create", f"S{number}").word == "success"


@each_mode
@pytest.mark.parametrize(
    "limits", [{"max_connections": 4}, {"max_keepalive_connections": 4}], ids=str
)
def test_a_full_pool_closes_its_newest_connection_and_keeps_those_that_rest_longest(
    provider, mode, limits, monkeypatch
):
    """A write takes only a connection that has rested for five seconds. After four, none has: the
    fourth connection is opened, and closed for the fifth. The first three, with that of the token,
    serve the writes after five.
    """
    clock = Mock(return_value=0.0)
    monkeypatch.setattr(connections, "REUSE_DELAY", 5.0)
    monkeypatch.setattr(connections, "monotonic", clock)
    limits = httpx.Limits(keepalive_expiry=None, **limits)
    with closing(CALLERS[mode](provider.url(), limits=limits)) as caller:
        write(caller, 2)  # beside the connection of the token
        clock.return_value = 4.0
        write(caller, 2)  # over the fourth one, and the fifth in its place
        clock.return_value = 5.0
        write(caller, 3)  # over those that have rested
    assert provider.record.connections == 5


ONE_CONNECTION = {
    "limits": httpx.Limits(max_connections=1),
    "timeout": httpx.Timeout(PATIENCE, pool=0.05),
    "retry": RetryPolicy(max_attempts=1),
}


async def first_and_second(provider, kind):
    """A call has the only connection until another one has waited for it in vain: what both come
    to, and the ends of the attempts.
    """
    events = []
    client = kind(AUTH, base_url=provider.url(), on_event=events.append, **ONE_CONNECTION)
    given = client.payment_requests.get
    get = given if kind is AsyncVictor else partial(asyncio.to_thread, given)
    await get("S0")
    held = []
    provider.acts.append(held.append)
    first = asyncio.create_task(get("S1"))
    await asyncio.to_thread(provider.quiet.wait_for, lambda: bool(held), "the request")
    with pytest.raises(TimedOut, match="all connections are in use") as raised:
        await get("S2")
    await asyncio.to_thread(let_go, provider, held)
    result = await first
    await client.close() if kind is AsyncVictor else client.close()
    return result, raised.value, [each for each in events if isinstance(each, AttemptEnded)]


each_kind = pytest.mark.parametrize("kind", [Victor, AsyncVictor])


@each_kind
def test_a_call_that_gets_no_connection_from_the_pool_has_sent_nothing(provider, kind):
    _, in_vain, ended = asyncio.run(first_and_second(provider, kind))
    waited = [each.waited for each in ended if each.path.endswith("S2")]
    assert len(waited) == 1 and 0.04 < waited[0] < PATIENCE
    assert in_vain.outcome.value == "not_sent"
    assert provider.record.sent_to(READ + "S2") == []


@each_kind
def test_a_call_for_whose_connection_another_one_waits_in_vain_gets_its_response(provider, kind):
    result, *_ = asyncio.run(first_and_second(provider, kind))
    assert result.id == "S1"


def test_a_call_in_flight_gets_its_result_though_its_client_is_closed(provider):
    """Its response is on the way: the waiting caller gets the true result."""
    victor = Victor(AUTH, base_url=provider.url())
    victor.payment_requests.get("S0")
    held = []
    provider.acts.append(held.append)
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(victor.payment_requests.get, "S1")
        provider.quiet.wait_for(lambda: bool(held), "the request")
        victor.close()
        let_go(provider, held)
        assert call.result(PATIENCE).id == "S1"
    provider.quiet.wait_for(lambda: not provider.open, "connections of a client that was closed")


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
        connection.sendall(answer(b'{"error": {"message": "no"}}', "413 Too Large"))
        connection.recv(1)  # until the other side closes it

    monkeypatch.setattr(socket.socket, "send", send)
    signed = VictorJwt("key-1", sign=lambda _content: b"not a signature")
    with (
        serving(refuse) as port,
        closing(CALLERS[mode](f"http://127.0.0.1:{port}", auth=signed)) as caller,
    ):
        for number in (1, 2):
            seen = caller.start("create", f"S{number}")
            assert (seen.word, seen.error.status_code, len(opened)) == ("rejected", 413, number)


def test_a_header_that_cannot_be_written_is_not_quoted_and_nothing_is_sent(provider):
    with (
        connect(Client, base_url=provider.url()) as client,
        pytest.raises(VictorError, match="a header of the request cannot be sent") as raised,
    ):
        client.http.get("/", headers={"X-Of-Their-Own": "marked-and-fake "})
    assert (raised.value.outcome, provider.record.received) == (Outcome.NOT_SENT, b"")
    assert "marked" not in f"{raised.value}{raised.value!r}{raised.value.__cause__!r}"


def go_on_answering(connection):
    while connection.recv(65536):
        connection.sendall(answer(b"{}"))
