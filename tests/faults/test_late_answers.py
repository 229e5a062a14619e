"""A server, or something in front of it, that answers twice: the second answer is not the next
call's, however late.
"""

import json
import socket
from contextlib import closing
from functools import partialmethod

import httpx
import pytest

from tests.faults.adapters import (
    CALLERS,
    OPERATIONS,
    Caller,
    adapter,
    arguments,
    crowd,
    each_mode,
)
from tests.faults.raw_provider import answer
from tests.faults.raw_sockets import PATIENCE
from tests.faults.test_damaged_answers import JUNK
from tests.faults.test_tls import VERSIONS
from victor_ext import AsyncVictor, RetryPolicy, Victor, VictorOAuth
from victor_ext._runtime.http import connections

pytestmark = pytest.mark.slow


@pytest.fixture(params=["own connections", pytest.param("traced", marks=pytest.mark.pull_request)])
def traced(request, monkeypatch):
    """Also with httpx's connections: somebody stands in front of them, as a tracer does."""
    if request.param == "traced":
        for kind, name in (
            (httpx.HTTPTransport, "handle_request"),
            (httpx.AsyncHTTPTransport, "handle_async_request"),
        ):
            monkeypatch.setattr(kind, name, partialmethod(getattr(kind, name)))


def repeating(shown):
    """Respond with these members, and 3 ms later with the same bytes again."""

    def act(exchange):
        body = json.loads(exchange.work())
        said = answer(json.dumps({name: body[name] for name in shown}).encode())
        exchange.send(said)
        exchange.later(0.003, said)

    return act


SUBJECTS = [f"INV-{number}" for number in range(120)]


@each_mode
@pytest.mark.usefixtures("traced")
def test_no_call_is_given_the_id_of_another_call_while_all_connections_are_busy(
    provider, mode, monkeypatch
):
    # a busy machine is late by more than it is
    monkeypatch.setattr(connections, "REUSE_DELAY", PATIENCE)
    provider.instead = repeating(("victor_payment_request_id", "status"))

    def client():
        kind = Victor if mode == "sync" else AsyncVictor
        auth, retry = VictorOAuth("id", "not-a-secret"), RetryPolicy(4, base=0.0, quota=10**9)
        return kind(auth, base_url=provider.url(), timeout=10.0, retry=retry)

    def create(victor, worker):
        return victor.payment_requests.create(**arguments("create", SUBJECTS[worker]))

    records = crowd(mode, client, create, range(len(SUBJECTS)))
    made = provider.state.made
    assert [name for name, one in zip(SUBJECTS, records, strict=True) if made[name] != one.id] == []
    assert provider.record.work.total() == len(SUBJECTS)


@pytest.mark.parametrize("operation", OPERATIONS)
@each_mode
@pytest.mark.parametrize("version", [None, "tls1.3"])
def test_a_response_that_comes_on_an_idle_connection_is_given_to_no_call(
    background, authority, mode, operation, version, monkeypatch
):
    monkeypatch.setattr(connections, "REUSE_DELAY", 0.0)  # a write takes it, too
    held = []

    def once_so_far(exchange):
        exchange.send(answer(exchange.work()))
        held.append(exchange)

    tls = (
        {"tls": authority.server(), "verify": authority.trusted(VERSIONS[version])}
        if version
        else {}
    )
    with adapter(background, mode, **tls) as on:
        for _ in range(5):
            on.provider.acts.append(once_so_far)
            on.expect("success", operation)
            background.do(lambda: held[-1].send(JUNK))
            before = len(on.provider.record.requests)
            on.expect("success", operation, requests=1)
            assert len(on.provider.record.requests) == before + 1


@each_mode
@pytest.mark.parametrize("version", ["tls1.2", "tls1.3"])
def test_a_connection_over_tls_is_kept_all_the_same(background, authority, mode, version):
    """What a server sends besides answers, such as tickets for later sessions, is none."""
    verify = authority.trusted(VERSIONS[version])
    with adapter(background, mode, tls=authority.server(), verify=verify) as on:
        for _ in range(15):
            assert on.run("get").observed.word == "success"
        assert on.provider.record.connections == 1


class TestRest:
    """A connection rests after an answer before it is used again, as long as others are to be
    had.
    """

    @pytest.fixture(autouse=True)
    def _for_ever(self, monkeypatch):
        monkeypatch.setattr(connections, "REUSE_DELAY", 1e9)

    @each_mode
    def test_the_host_is_looked_up_once_for_several_connections(self, provider, mode, monkeypatch):
        usual = socket.getaddrinfo
        looked_up = []

        def look_up(host, *rest, **named):
            looked_up.extend([] if named.get("flags") else [host])
            return usual("127.0.0.1" if "pay.localhost" in str(host) else host, *rest, **named)

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        caller = CALLERS[mode](
            provider.url().replace("127.0.0.1", "pay.localhost"), limits=httpx.Limits()
        )
        words = {caller.start("create", f"S{number}").word for number in range(7)}
        caller.close()
        assert (words, provider.record.connections, len(looked_up)) == ({"success"}, 8, 1)

    @each_mode
    def test_a_write_takes_no_connection_that_was_just_used(self, background, mode):
        """Only a read by id, which believes no other id, takes it."""
        with adapter(background, mode) as on:
            before = on.provider.record.connections
            for opened, operation in enumerate(("create", "create", "respond"), start=1):
                on.expect("success", operation, requests=1)
                assert on.provider.record.connections == before + opened
            on.expect("success", "get", requests=1)
            assert on.provider.record.connections == before + opened

    @each_mode
    def test_a_read_takes_no_connection_whose_last_response_was_an_error(self, background, mode):
        """A later response may follow it, as that of a gateway's time-out."""
        with adapter(background, mode) as on:
            before = on.provider.record.connections
            on.provider.acts.append(lambda exchange: exchange.send(answer(b"{}", "501 No")))
            assert on.run("get").observed.word == "unknown"
            on.expect("success", "get", requests=1)
            assert on.provider.record.connections == before + 1

    def test_a_list_takes_no_connection_that_was_just_used(self, provider):
        with closing(Caller(provider.url(), limits=httpx.Limits())) as caller:
            for _ in range(7):
                assert list(caller.client.payment_requests.list()) == []
        assert provider.record.connections == 8  # one more for the token
