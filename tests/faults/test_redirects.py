"""Redirects: a read follows them within its origin; nothing else does, and the token never
leaves.
"""

from collections.abc import Iterator

import pytest

from tests.faults.adapters import Operation, adapter, each_mode, each_operation
from tests.faults.certificates import Authority
from tests.faults.raw_provider import Act, Exchange, RawProvider, answer
from tests.faults.raw_sockets import Background

pytestmark = pytest.mark.slow
STATUSES = (
    "301 Moved Permanently",
    "302 Found",
    "303 See Other",
    "307 Temporary Redirect",
    "308 Permanent Redirect",
)

each_status = pytest.mark.parametrize("status", STATUSES, ids=lambda status: status[:3])


def to(location: str, status: str) -> Act:
    return lambda exchange: exchange.send(answer(b"{}", status, f"Location: {location}"))


@pytest.fixture
def elsewhere(background: Background, authority: Authority) -> Iterator[list[RawProvider]]:
    """Two other origins on this machine: one of the same scheme, one of the other."""
    others = [RawProvider(background), RawProvider(background, tls=authority.server())]
    yield others
    for other in others:
        other.close()


def addresses_elsewhere(here: int, others: list[RawProvider]) -> Iterator[str]:
    plain, tls = (other.port for other in others)
    path = "/v2/payment-requests/S000001"
    yield f"http://127.0.0.1:{plain}{path}"
    yield f"https://127.0.0.1:{tls}{path}"
    yield f"//127.0.0.1:{plain}{path}"
    yield f"https://127.0.0.1:{here}{path}"
    yield f"http://localhost:{here}{path}"
    yield f"http://127.0.0.1:{here}@127.0.0.1:{plain}{path}"
    yield f"http://127.0.0.1:{here}\\@127.0.0.1:{plain}{path}"
    yield "http://[not-an-address"
    yield "ftp://127.0.0.1/file"
    yield "javascript:alert(1)"


@each_status
@each_operation
@each_mode
def test_never_off_the_origin(
    background: Background,
    elsewhere: list[RawProvider],
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    operation: Operation,
    status: str,
) -> None:
    # A connection is used again at once: so one more is one that a redirect opened.
    monkeypatch.setattr("victor_ext.runtime.http.connections.REUSE_DELAY", 0.0)
    with adapter(background, mode) as on:
        record = on.provider.record
        for location in addresses_elsewhere(on.provider.port, elsewhere):
            connections = record.connections
            # two: a look at what became of an answer is one more
            on.provider.acts.extend([to(location, status)] * 2)
            on.expect("unknown", operation, requests=1)
            on.provider.acts.clear()
            assert record.connections == connections, location
        assert [other.record.connections for other in elsewhere] == [0, 0]


@each_status
@each_mode
def test_a_read_follows_within_its_origin(background: Background, mode: str, status: str) -> None:
    def onward(exchange: Exchange) -> None:
        to(f"{exchange.request.path}?again", status)(exchange)

    with adapter(background, mode) as on:
        on.provider.acts.append(onward)
        on.expect("success", "get", requests=2)
        assert {
            request.headers["authorization"] for request in on.provider.record.requests[-2:]
        } == {"Bearer t"}

        on.provider.acts.extend([onward] * 100)
        run = on.run("get")
        assert run.observed.word == "unknown"
        assert run.seen.requests < 10


@each_status
@each_mode
def test_the_secret_is_not_sent_on(
    background: Background, elsewhere: list[RawProvider], mode: str, status: str
) -> None:
    """The request for a token holds the client's secret in its body."""
    with adapter(background, mode, fresh_tokens=True) as on:
        on.provider.acts_on_tokens = True
        for location in ("/v2/auth/token", *addresses_elsewhere(on.provider.port, elsewhere)):
            tokens = len(on.provider.record.sent_to("/v2/auth/token"))
            on.provider.acts.append(to(location, status))
            run = on.run("create")
            assert (run.observed.word, run.seen.requests) == ("not_sent", 0), location
            assert len(on.provider.record.sent_to("/v2/auth/token")) == tokens + 1, location
        assert [other.record.connections for other in elsewhere] == [0, 0]
