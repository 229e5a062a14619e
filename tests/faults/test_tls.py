"""TLS that is cut, spoilt, or not to be trusted: no byte of a request leaves before the handshake
is done.
"""

import ssl
from contextlib import closing, suppress
from datetime import timedelta

import pytest
from cryptography import x509

from tests.faults.adapters import CALLERS, each_mode, each_operation, observed
from tests.faults.certificates import Authority
from tests.faults.raw_provider import RawProvider
from tests.faults.raw_sockets import serving
from victor_ext import ConnectionFailed, TimedOut

pytestmark = pytest.mark.slow
VERSIONS = {"tls1.2": ssl.TLSVersion.TLSv1_2, "tls1.3": ssl.TLSVersion.TLSv1_3}
each_version = pytest.mark.parametrize("version", VERSIONS)


def first_flight(context, connection):
    """What a server says first in a handshake."""
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(received, sent, server_side=True)
    received.write(connection.recv(65536))
    with suppress(ssl.SSLWantReadError):
        server.do_handshake()
    return sent.read()


def spoilt(flight, at):
    return flight[:at] + bytes([flight[at] ^ 0xFF]) + flight[at + 1 :]


HANDSHAKES = {
    "nothing": lambda _flight: b"",
    "a byte": lambda flight: flight[:1],
    "half of it": lambda flight: flight[: len(flight) // 2],
    "all but a byte": lambda flight: flight[:-1],
    "its type changed": lambda flight: spoilt(flight, 0),
    "its middle changed": lambda flight: spoilt(flight, len(flight) // 2),
    "something else": lambda _flight: b"HTTP/1.1 200 OK\r\n\r\n",
}
"""What comes of the first flight of a server, before it closes the connection or falls silent."""


@each_mode
@each_version
@pytest.mark.parametrize("ends", [True, False], ids=["then it ends", "then it stalls"])
@pytest.mark.parametrize("said", HANDSHAKES)
def test_in_a_handshake_that_fails_nothing_was_sent(authority, mode, version, ends, said):
    context, more = authority.server(), []

    def talk(connection):
        connection.sendall(HANDSHAKES[said](first_flight(context, connection)))
        if not ends:
            more.append(connection.recv(1))

    with serving(talk) as port:
        url, verify = f"https://127.0.0.1:{port}", authority.trusted(VERSIONS[version])
        seen = observed(mode, url, verify=verify, timeout=5.0 if ends else 0.2)
    assert seen.word == "not_sent"
    assert isinstance(seen.error, ConnectionFailed | TimedOut)


@each_operation
@each_mode
def test_a_server_that_is_not_trusted_is_sent_nothing(
    background, authority, mode, operation, tmp_path
):
    servers = {
        "an authority that is not trusted": Authority(tmp_path).server(),
        "another name": authority.server(x509.DNSName("pay.example")),
        "over since yesterday": authority.server(ends=timedelta(days=-1)),
    }
    for why, context in servers.items():
        with closing(RawProvider(background, tls=context)) as provider:
            seen = observed(mode, provider.url(), operation, verify=authority.trusted())
        assert seen.word == "not_sent", why
        assert isinstance(seen.error, ConnectionFailed), why
        assert "certificate" in str(seen.error).lower(), why
        assert provider.record.received == b"", why


@each_mode
def test_two_settings_of_a_callers_context_change_before_each_handshake(
    background, authority, mode
):
    """Contexts are shared, and httpx sets the protocols before each of its handshakes."""
    server = authority.server()
    server.set_alpn_protocols(["h2", "http/1.1"])
    shared = authority.trusted()
    with (
        closing(RawProvider(background, tls=server)) as provider,
        closing(CALLERS[mode](provider.url(), verify=shared)) as caller,
    ):
        shared.set_alpn_protocols(["h2"])
        shared.options |= ssl.OP_IGNORE_UNEXPECTED_EOF
        assert caller.start("create", "S1").word == "success"
        agreed = {
            connection.transport.get_extra_info("ssl_object").selected_alpn_protocol()
            for connection in provider.open
        }
    assert agreed == {"http/1.1"}
    assert not shared.options & ssl.OP_IGNORE_UNEXPECTED_EOF
