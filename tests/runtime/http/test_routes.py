"""What a proxy's answer to CONNECT means (RFC 9110, 9.3.6): any 2xx opens the tunnel, whatever it says of a body."""

from __future__ import annotations

import httpx
import pytest

from victor_ext.runtime.http.http11 import Connection
from victor_ext.runtime.http.routes import _through_tunnel

PROXY, ORIGIN = httpx.Proxy("http://127.0.0.1:3128"), httpx.URL("https://pay.example")


def answered(answer: bytes) -> Connection:
    """The connection after this answer."""
    connection = Connection()
    steps = _through_tunnel(connection, PROXY, ORIGIN, {})
    next(steps)
    steps.send(None)
    with pytest.raises(StopIteration):
        steps.send(answer)
    return connection


@pytest.mark.parametrize(
    "head",
    [
        "HTTP/1.0 200 Connection established",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\nContent-Length: 5",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close",
        "HTTP/1.1 204 OK",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK",
    ],
)
def test_a_tunnel_is_open(head: str) -> None:
    parser = answered(f"{head}\r\n\r\n".encode()).parser
    assert parser.request("GET", b"/", [(b"Host", b"pay.example")], b"").startswith(b"GET / ")
    parser.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert (parser.body(), parser.begin_again()) == (b"", True)


@pytest.mark.parametrize("head", ["HTTP/1.1 301 Moved\r\nLocation: /", "HTTP/1.1 407 Log in", "HTTP/1.1 502 No"])
def test_it_is_not(head: str) -> None:
    with pytest.raises(httpx.ProxyError, match=head[9:12]):
        answered(f"{head}\r\nContent-Length: 0\r\n\r\n".encode())
