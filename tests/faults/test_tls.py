"""TLS that is cut, spoilt, or not to be trusted: no byte of a request leaves before the handshake
is done.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.faults.adapters import (
    ATTEMPTS,
    CALLERS,
    Adapter,
    Operation,
    adapter,
    each_mode,
    each_operation,
    observed,
    places,
)
from tests.faults.certificates import Authority
from tests.faults.cutting_proxy import Cut, CuttingProxy
from tests.faults.raw_provider import Exchange, RawProvider, answer
from tests.faults.raw_sockets import Background, End, serving
from victor_ext import ConnectionFailed, RetryPolicy

pytestmark = pytest.mark.slow
VERSIONS = {"tls1.2": ssl.TLSVersion.TLSv1_2, "tls1.3": ssl.TLSVersion.TLSv1_3}
SHORT = 0.2

each_version = pytest.mark.parametrize("version", VERSIONS)


def only_once(exchange: Exchange) -> None:
    """Close after every answer, so that every exchange begins with a handshake."""
    exchange.send(answer(exchange.work(), "200 OK", "Connection: close"))
    exchange.end("close")


def tls_adapter(
    background: Background,
    mode: str,
    authority: Authority,
    version: str,
    wait: float = 5.0,
    **options: Any,
) -> closing[Adapter]:
    tls = {"tls": authority.server(), "verify": authority.trusted(VERSIONS[version])}
    return adapter(background, mode, acts=only_once, timeout=wait, **tls, **options)


def flights(on: Adapter) -> list[int]:
    """How many bytes the client's first flight of a handshake has, and the server's reply to it."""
    before = len(on.proxy.exchanges)
    assert on.run("get").observed.word == "success"
    first = on.proxy.exchanges[before]
    return [first.request, first.answer]


@pytest.mark.slow
@each_operation
@each_mode
@each_version
@pytest.mark.parametrize("how", ["reset", "close"])
def test_handshake_cut(
    background: Background,
    authority: Authority,
    mode: str,
    operation: Operation,
    version: str,
    how: End,
) -> None:
    wrong: list[str] = []
    with tls_adapter(background, mode, authority, version) as on:
        asked, replied = flights(on)
        # The certificate's length varies by a byte or two, with its signature.
        cuts = [Cut("request", at, how) for at in places(asked)]
        cuts += [Cut("answer", at, how) for at in places(replied - 8)]
        for cut in cuts:
            for times, wanted in ((1, "success"), (ATTEMPTS, "not_sent")):
                run = on.run(operation, [cut] if times == 1 else [cut] * times)
                mismatches = (
                    run.mismatches()
                    if run.observed.word == wanted
                    else [*run.mismatches(), f"not {wanted}"]
                )
                wrong += [f"{cut}, {times} times: {lie}; {run}" for lie in mismatches]
    assert wrong == []


@each_mode
def test_handshake_stalls(background: Background, authority: Authority, mode: str) -> None:
    version = "tls1.3"
    with tls_adapter(background, mode, authority, version) as on:
        asked, replied = flights(on)
    cuts = [
        Cut("request", asked // 2, "stall"),
        Cut("answer", 0, "stall"),
        Cut("answer", replied // 2, "stall"),
    ]
    # The time to connect includes the handshake. What stalls once is tried more often: any machine
    # has slow moments.
    patient = RetryPolicy(max_attempts=2 * ATTEMPTS, base=0.0, quota=10**9)
    with tls_adapter(background, mode, authority, version, wait=SHORT, retry=patient) as on:
        for cut in cuts:
            on.expect("success", "create", [cut])
    with tls_adapter(background, mode, authority, version, wait=SHORT) as on:
        for cut in cuts:
            on.expect("not_sent", "create", [cut] * ATTEMPTS)


@pytest.mark.slow
@each_operation
@each_mode
@each_version
def test_bytes_changed_on_the_way(
    background: Background, authority: Authority, mode: str, operation: Operation, version: str
) -> None:
    """In the handshake or after it: TLS notices, and the caller gets a true error of this
    package.
    """
    wrong: list[str] = []
    with tls_adapter(background, mode, authority, version, wait=SHORT) as on:
        asked, replied = flights(on)
        first = [Cut("request", at, "close", change=True) for at in range(2, asked, asked // 5)]
        first += [Cut("answer", at, "close", change=True) for at in range(2, replied, replied // 7)]
        later: list[list[Cut | None]] = [
            [None, Cut("answer", at, "close", change=True)] for at in range(2, 400, 40)
        ]
        later += [[None, Cut("request", at, "close", change=True)] for at in range(2, 400, 60)]
        for cuts in [*([cut] for cut in first), *later]:
            run = on.run(operation, cuts)
            wrong += [f"{cuts[-1]}: {lie}; {run}" for lie in run.mismatches()]
    assert wrong == []


def bad_servers(authority: Authority, other: Authority) -> Iterator[tuple[str, ssl.SSLContext]]:
    yield "an authority that is not trusted", other.server()
    yield "another name", authority.server(x509.DNSName("pay.example"))
    yield "over since yesterday", authority.server(ends=timedelta(days=-1))


@each_operation
@each_mode
def test_who_is_not_trusted_gets_nothing(
    background: Background, authority: Authority, mode: str, operation: Operation, tmp_path: Path
) -> None:
    """Refused at once, and not tried again: it will not be trusted in a second either."""
    for why, context in bad_servers(authority, Authority(tmp_path)):
        with (
            closing(RawProvider(background, tls=context)) as provider,
            closing(CuttingProxy(background, provider)) as proxy,
        ):
            seen = observed(mode, provider.url(proxy.port), operation, verify=authority.trusted())
        assert seen.word == "not_sent", why
        assert isinstance(seen.error, ConnectionFailed), why
        assert "certificate" in str(seen.error).lower(), why
        assert proxy.connections == 1, why
        assert provider.record.received == b"", why


@each_mode
def test_a_context_that_another_client_sets_to_http2(
    background: Background, authority: Authority, mode: str
) -> None:
    """Contexts are shared, and httpx sets them before each of its handshakes."""
    server = authority.server()
    shared = authority.trusted()
    server.set_alpn_protocols(["h2", "http/1.1"])
    with (
        closing(RawProvider(background, tls=server)) as provider,
        closing(CALLERS[mode](provider.url(), verify=shared)) as caller,
    ):
        shared.set_alpn_protocols(["h2"])
        assert caller.start("create", "S1").word == "success"


@contextmanager
def demanding_server(authority: Authority) -> Iterator[str]:
    """The URL of a server that says why when it refuses who shows no certificate."""
    context = authority.server()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=authority.pem)

    def refuse(accepted: socket.socket) -> None:
        context.wrap_socket(accepted.dup(), server_side=True)
        accepted.recv(1)  # until the other side closes it

    with serving(refuse) as port:
        yield f"https://127.0.0.1:{port}"


@each_mode
@each_version
def test_the_reason_of_a_server_that_wants_a_certificate(
    authority: Authority, mode: str, version: str
) -> None:
    with demanding_server(authority) as url:
        seen = observed(mode, url, verify=authority.trusted(VERSIONS[version]))
    assert seen.word == "not_sent"
    reason = "certificate required" if version == "tls1.3" else "handshake failure"
    assert reason in str(seen.error)


@each_mode
@each_version
def test_a_client_certificate(
    background: Background, authority: Authority, mode: str, version: str
) -> None:
    """Mutual TLS by an `ssl.SSLContext`, as docs/production.md has it: who demands a certificate
    gets one.
    """
    demanding = authority.server()
    demanding.verify_mode = ssl.CERT_REQUIRED
    demanding.load_verify_locations(cadata=authority.pem)
    with_one = authority.trusted(VERSIONS[version])
    without = authority.trusted(VERSIONS[version])
    with_one.load_cert_chain(authority.pair())
    with closing(RawProvider(background, tls=demanding)) as provider:
        words = [
            observed(mode, provider.url(), verify=context).word for context in (with_one, without)
        ]
    assert words == ["success", "not_sent"]  # without one, already the request for a token fails
    assert provider.record.work.total() == 1
