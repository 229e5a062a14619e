"""The route to the one origin that a client calls: direct, or through an HTTP or SOCKS proxy."""

from __future__ import annotations

import ssl
from base64 import b64encode
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import httpx

from victor_ext.privacy import SecretBytes
from victor_ext.runtime.http.parser import Fields

from . import http11
from .http11 import Connect, Connection, Read, StartTls, Steps, Write

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_NO_AUTHENTICATION, _USER_AND_PASSWORD = 0, 2
_SOCKS_LENGTHS = {1: 4, 4: 16}
"""Bytes of an IPv4 and of an IPv6 address. An address of another kind begins with its length."""
_SOCKS_REPLIES = {
    1: "it failed",
    2: "its rules do not allow it",
    3: "the network cannot be reached",
    4: "the host cannot be reached",
    5: "the host refused",
    6: "it took too long",
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Route:
    """How connections are opened, and how requests on them are addressed.

    Attributes:
        origin: The scheme, host and port that are called.
        tls: The TLS context; None for an origin with `http`.
        proxy: The proxy, or None.
        proxy_tls: The TLS context for a proxy with `https`.
    """

    origin: httpx.URL
    tls: ssl.SSLContext | None
    proxy: httpx.Proxy | None = None
    proxy_tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        return _place(self.origin) + ("" if self.proxy is None else f" by the proxy {_place(self.proxy.url)}")

    @property
    def proxy_place(self) -> str | None:
        """Host and port of the proxy, without user and password; None without a proxy."""
        return None if self.proxy is None else _place(self.proxy.url)

    def leads_to(self, url: httpx.URL) -> bool:
        """Whether this route leads to the URL."""
        origin = self.origin
        return (url.raw_scheme, url.raw_host, url.port) == (origin.raw_scheme, origin.raw_host, origin.port)

    def open(self, connection: Connection, timeouts: Any) -> Steps[None]:
        """Open a connection, ready for the first request to the origin. Raises httpx's errors."""
        seconds = timeouts.get("connect")
        if self.proxy is None:
            yield Connect(_host(self.origin), _port(self.origin), seconds)
        else:
            try:
                yield from self._open_proxy(connection, self.proxy, timeouts)
            except (httpx.NetworkError, httpx.TimeoutException, httpx.RemoteProtocolError, httpx.ProxyError) as error:
                raise type(error)(f"the proxy {_host(self.proxy.url)}: {error}") from error
        if self.origin.scheme == "https":
            assert self.tls is not None
            yield from _secure(self.tls, self.origin, seconds)

    def _open_proxy(self, connection: Connection, proxy: httpx.Proxy, timeouts: Any) -> Steps[None]:
        seconds = timeouts.get("connect")
        yield Connect(_host(proxy.url), _port(proxy.url), seconds)
        if self.proxy_tls is not None:
            yield from _secure(self.proxy_tls, proxy.url, seconds)
        if _is_socks(proxy):
            yield from _through_socks(proxy, self.origin, seconds)
        elif self.origin.scheme == "https":
            yield from _through_tunnel(connection, proxy, self.origin, timeouts)

    def message(self, connection: Connection, request: httpx.Request) -> memoryview:
        """The bytes of a request whose body has been read. Raises `httpx.LocalProtocolError`."""
        url, target, proxy_headers = request.url, request.url.raw_path, Fields()
        if self.proxy is not None and self.origin.scheme == "http" and not _is_socks(self.proxy):
            # A proxy for plain http gets the whole URL.
            target = b"%b://%b%b" % (url.raw_scheme, url.netloc, target)
            proxy_headers = _proxy_headers(self.proxy)
        headers = proxy_headers + request.headers.raw
        return memoryview(connection.parser.request(request.method, target, headers, request.content))


def _host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii")


def _port(url: httpx.URL) -> int:
    return url.port or _PORTS[url.scheme]


def _place(url: httpx.URL) -> str:
    return f"{_host(url)}:{_port(url)}"


def _secure(context: ssl.SSLContext, url: httpx.URL, seconds: float | None) -> Steps[None]:
    # Before each handshake, for a context may be shared: another client may have set it to HTTP/2 meanwhile.
    context.set_alpn_protocols(["http/1.1"])
    yield StartTls(context, _host(url), seconds)


def _is_socks(proxy: httpx.Proxy) -> bool:
    return proxy.url.scheme.startswith("socks")


def _proxy_headers(proxy: httpx.Proxy) -> Fields:
    if proxy.raw_auth is None:
        return proxy.headers.raw
    return [(b"Proxy-Authorization", SecretBytes(b"Basic " + b64encode(b":".join(proxy.raw_auth)))), *proxy.headers.raw]


def _through_tunnel(connection: Connection, proxy: httpx.Proxy, origin: httpx.URL, timeouts: Any) -> Steps[None]:
    """Open a tunnel through an HTTP proxy (RFC 9110, 9.3.6)."""
    host = f"[{_host(origin)}]" if ":" in _host(origin) else _host(origin)
    target = f"{host}:{_port(origin)}".encode("ascii")
    always = [(b"Host", target), (b"Accept", b"*/*")]
    message = memoryview(connection.parser.request("CONNECT", target, always + _proxy_headers(proxy), b""))
    response = yield from http11.exchange(connection, httpx.Request("CONNECT", origin), message, timeouts)
    if not 200 <= response.status_code < 300:
        raise httpx.ProxyError(f"{response.status_code} {httpx.codes.get_reason_phrase(response.status_code)}".rstrip())
    connection.parser = Connection().parser


def _through_socks(proxy: httpx.Proxy, origin: httpx.URL, seconds: float | None) -> Steps[None]:
    """Open a tunnel through a SOCKS proxy (RFC 1928; user and password: RFC 1929), which resolves the host."""
    method = _NO_AUTHENTICATION if proxy.raw_auth is None else _USER_AND_PASSWORD
    yield Write(memoryview(bytes((5, 1, method))), seconds)
    if (yield from _read_exactly(2, seconds)) != bytes((5, method)):
        raise httpx.ProxyError("it requires another authentication method")
    if proxy.raw_auth is not None:
        yield Write(_socks_login(*proxy.raw_auth), seconds)
        if (yield from _read_exactly(2, seconds))[1] != 0:
            raise httpx.ProxyError("it rejected the user and password")
    yield Write(memoryview(b"\x05\x01\x00" + _socks_address(_host(origin), _port(origin))), seconds)
    _, reply, _, kind = yield from _read_exactly(4, seconds)
    if reply != 0:
        raise httpx.ProxyError(_SOCKS_REPLIES.get(reply, f"reply {reply}"))
    length = _SOCKS_LENGTHS.get(kind) or (yield from _read_exactly(1, seconds))[0]
    yield from _read_exactly(length + 2, seconds)


def _socks_login(user: bytes, password: bytes) -> memoryview:
    if len(user) > 255 or len(password) > 255:
        raise httpx.ProxyError("no user and no password of a SOCKS proxy is longer than 255 bytes")
    return memoryview(b"\x01%c%b%c%b" % (len(user), user, len(password), password))


def _socks_address(host: str, port: int) -> bytes:
    try:
        packed = ip_address(host).packed
    except ValueError:
        return b"\x03%c%b" % (len(host), host.encode("ascii")) + port.to_bytes(2, "big")
    return (b"\x01" if len(packed) == 4 else b"\x04") + packed + port.to_bytes(2, "big")


def _read_exactly(length: int, seconds: float | None) -> Steps[bytes]:
    read = b""
    while len(read) < length:
        more = yield Read(seconds, length - len(read))
        if not more:
            raise httpx.ProxyError("it closed the connection")
        read += more
    return read
