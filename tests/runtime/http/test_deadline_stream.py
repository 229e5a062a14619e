"""A blocking stream over a pair of sockets: what it reads and writes, and how long it waits."""

import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import httpx
import pytest

from tests.faults.certificates import HERE
from victor_ext._runtime.core.clock import DeadlineTimeout
from victor_ext._runtime.core.response import ClosedWithoutNotice
from victor_ext._runtime.http.streams import SyncStream, as_network_error, show_cut_connections

LARGE = bytes(range(256)) * 40_000
"""More than the system takes for a peer that does not read."""


@pytest.fixture(params=["plain", "TLS"])
def peers(request, authority):
    """A stream, and the socket of the other side."""
    ours, theirs = socket.socketpair()
    stream = SyncStream(ours)
    if request.param == "TLS":
        server = authority.server(HERE)
        with ThreadPoolExecutor(1) as other_side:
            accepted = other_side.submit(server.wrap_socket, theirs, server_side=True)
            context = authority.trusted()
            show_cut_connections(context)
            stream.start_tls(context, "127.0.0.1", 10.0)
            theirs = accepted.result()
    yield stream, theirs
    stream.abort()
    theirs.close()


def test_a_body_larger_than_the_buffers_is_written_while_the_peer_reads(peers):
    stream, theirs = peers
    with theirs.makefile("rb") as received, ThreadPoolExecutor(1) as reader:
        found = reader.submit(received.read, len(LARGE))
        stream.write(LARGE, 10.0)
    assert found.result() == LARGE


@pytest.mark.parametrize("has_deadline", [True, False])
def test_a_read_or_write_without_a_peer_waits_no_longer_than_the_timeout(peers, has_deadline):
    stream, _ = peers
    timeout = DeadlineTimeout.until(time.monotonic() + 0.05, 10.0) if has_deadline else 0.05
    began = time.monotonic()
    with pytest.raises(httpx.ReadTimeout):
        stream.read(100, timeout)
    assert 0.045 <= time.monotonic() - began < 5
    began = time.monotonic()
    with pytest.raises(httpx.WriteTimeout):
        stream.write(LARGE, 0.05)
    assert 0.045 <= time.monotonic() - began < 5


def test_the_end_of_a_stream_is_read_as_empty_or_as_an_error_of_tls(peers):
    stream, theirs = peers
    is_tls = isinstance(theirs, ssl.SSLSocket)
    theirs.close()
    for read in (lambda: stream.read(100, 5.0), stream.unread):
        with pytest.raises(ClosedWithoutNotice) if is_tls else nullcontext():
            assert read() == b""


@pytest.mark.parametrize("kind", [httpx.ReadError, httpx.WriteError])
def test_a_tls_end_without_an_alert_is_known_by_the_class_or_reason_of_its_error(kind):
    """Python before 3.11.4 has no class for the error of OpenSSL 3."""
    by_reason = ssl.SSLError(1, "unexpected eof while reading")
    by_reason.reason = "UNEXPECTED_EOF_WHILE_READING"
    for error in (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), by_reason):
        found = as_network_error(error, kind)
        assert type(found) is (ClosedWithoutNotice if kind is httpx.ReadError else kind)
