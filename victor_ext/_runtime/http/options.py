"""The checked options of a client's connections: hosts, whom a client trusts, base URLs, the proxy,
the caller's transport, and limits.
"""

import os
import re
import ssl
import sys
import urllib.request
from contextlib import suppress
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import httpx

from victor_ext._privacy import concealed, kind_of
from victor_ext._runtime.core.validation import are_seconds, is_whole, seconds_complaint, shown
from victor_ext.errors import ConfigurationError, Problem

from .connections import PORTS

if sys.platform in ("darwin", "win32"):
    from truststore import SSLContext
else:
    from ssl import SSLContext

_LARGEST_PORT = 65535
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
"""A host name (RFC 1035, 2.3.4; underscores are allowed, for internal names), without a final dot.
"""


def is_this_machine(host: str) -> bool:
    """Whether a host name or address means the loopback interface (RFC 6761 for `localhost`)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = ip_address_in(host.strip("[]"))
    return address is not None and address.is_loopback


def has_host(url: httpx.URL) -> bool:
    """Whether a URL has a host that DNS and TLS accept, and a port that a socket can have."""
    name = url.raw_host.decode("ascii")
    if url.port is not None and not 1 <= url.port <= _LARGEST_PORT:
        return False
    if ":" in name:
        return "%" not in name and ip_address_in(name) is not None
    try:
        readable = bool(url.host)  # a name in Punycode is decoded here
    except UnicodeError:
        return False
    return readable and _NAME.fullmatch(name.removesuffix(".")) is not None


def ip_address_in(text: str) -> IPv4Address | IPv6Address | None:
    """The IP address that a text is, or None."""
    try:
        return ip_address(text)
    except ValueError:
        return None


Verify = ssl.SSLContext | str | os.PathLike[str] | bool
"""Whom a client trusts: a context, the path of a CA bundle, or whether it verifies at all."""


def tls_context_for(verify: Verify, url: httpx.URL) -> ssl.SSLContext:
    """The TLS context for a host, by `verify`.

    Raises `ConfigurationError` where `verify` turns verification off for another machine, or the
    files that it or the environment names cannot be read.
    """
    # Without `verify_mode`, there is no `check_hostname` either.
    is_on = verify.check_hostname if isinstance(verify, ssl.SSLContext) else bool(verify)
    if not is_on and not is_this_machine(url.host):
        raise ConfigurationError(
            f"verify={shown(verify)} would accept anybody as {url.host}: pass the path of a CA "
            "bundle that holds the certificate you want to trust, or an ssl.SSLContext with "
            "verify_mode and check_hostname as in ssl.create_default_context()."
        )
    if isinstance(verify, ssl.SSLContext):
        return verify
    try:
        if not is_on:
            return httpx.create_ssl_context(verify=False)
        if isinstance(verify, bool):
            return _default_context(*map(os.environ.get, _VARIABLES))
        return ssl.create_default_context(cafile=verify)
    except (OSError, TypeError, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
    if not isinstance(verify, bool):
        raise ConfigurationError(
            f"verify={shown(verify, 200)} is not the path of a CA bundle that can be read, or "
            f"SSLKEYLOGFILE names a file that cannot be opened ({why})."
        )
    raise ConfigurationError(
        f"What SSL_CERT_FILE, SSL_CERT_DIR or SSLKEYLOGFILE names cannot be opened ({why})."
    )


_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")


@cache
def _default_context(file: str | None, folder: str | None, _key_log: str | None) -> ssl.SSLContext:
    """The TLS context that all clients in this process share, while these variables stay the same.

    It trusts the authorities of the system, or those that SSL_CERT_FILE or SSL_CERT_DIR names;
    where the system has none, those of certifi. On macOS and Windows the system itself verifies.
    """
    if file or folder:  # the file alone where both are set, as httpx has it
        return ssl.create_default_context(cafile=file or None, capath=None if file else folder)
    if sys.platform in ("darwin", "win32"):
        return SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    system = ssl.get_default_verify_paths()
    has_some = system.cafile or (system.capath and os.listdir(system.capath))
    return ssl.create_default_context() if has_some else httpx.create_ssl_context(trust_env=False)


def checked_base_url(url: str | httpx.URL, *, name: str = "base_url") -> httpx.URL:
    """A base URL that a token may be sent to. Raises `ConfigurationError` for any other."""
    base_url: Any = url
    url = ""  # the caller's may hold a password, and a traceback may show the variables
    if not isinstance(base_url, str | httpx.URL):
        raise _url_error(name, f"{name} must be text, not {kind_of(base_url)}.")
    shown = f"{name} {str(base_url)!r}"
    if "@" in str(base_url):
        base_url = concealed(str(base_url))
        shown = f"{name} (hidden: it may hold a password)"
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, UnicodeError):
        raise _url_error(
            name, f"{shown} is not a URL: write it as in https://api.example.com."
        ) from None
    if url.scheme not in ("https", "http") or not url.raw_host:
        # The caller's may hold a password, as above: without a host, its `repr` does not hide it.
        url = httpx.URL()
        raise _url_error(name, f"{shown} must be absolute: write https:// and the host in front.")
    if not has_host(url):
        raise _url_error(
            name, f"{shown} is not a URL: no host has such a name, or no port such a number."
        )
    if url.scheme == "http" and not is_this_machine(url.host):
        raise _url_error(
            name,
            f"{shown} would send tokens and account numbers unencrypted: write https://. "
            "(http is for this machine only, as in http://127.0.0.1:8900.)",
        )
    if url.userinfo or url.query or url.fragment:
        raise _url_error(
            name, f"{name} must have no user, query or fragment: write scheme, host, port and path."
        )
    return url


def _url_error(name: str, message: str) -> ConfigurationError:
    """The error for a URL that was passed under this name."""
    return ConfigurationError.of([Problem(name, "url", message)])


_ANY_PROXY = "pass transport=httpx.HTTPTransport(proxy=...)"


def proxy_for(
    base_url: httpx.URL, proxy: str | httpx.URL | httpx.Proxy | None
) -> httpx.Proxy | None:
    """The proxy for this origin: the caller's, else that of the environment (HTTPS_PROXY, NO_PROXY
    ...); None without one.

    Raises `ConfigurationError`; the message hides the proxy, which may hold a password.
    """
    used: Any = concealed(proxy)
    proxy = None
    if used is None:
        place = f"{base_url.host}:{base_url.port or PORTS[base_url.scheme]}"
        if is_this_machine(base_url.host) or urllib.request.proxy_bypass(place):
            return None
        proxies = urllib.request.getproxies()
        used = concealed(proxies.get(base_url.scheme) or proxies.get("all"))
        if used is None:
            return None
        if "://" not in used:
            used = concealed(f"http://{used}")
    checked = used if isinstance(used, httpx.Proxy) else None
    if isinstance(used, str | httpx.URL):
        with suppress(ValueError, httpx.InvalidURL):
            checked = httpx.Proxy(used)
    is_plain = checked is not None and checked.url.scheme == "http" and not checked.ssl_context
    if checked is None or not is_plain or not has_host(checked.url):
        raise ConfigurationError(
            "proxy (the argument, or HTTPS_PROXY or ALL_PROXY) is not a proxy that can be used: "
            "write http://host:port; for TLS to the proxy itself (https://), or for SOCKS, "
            f"{_ANY_PROXY}."
        )
    if base_url.scheme == "http":
        raise ConfigurationError(
            "proxy: base_url is http, so a proxy would be sent tokens and account numbers "
            f"unencrypted: leave proxy out, call https://, or {_ANY_PROXY}."
        )
    return checked


_NOT_CONNECTED = "reports a missing response as a connection that could not be established"
_REFUSED_TRANSPORTS = {
    "pyreqwest": _NOT_CONNECTED,
    "httpx_aiohttp": _NOT_CONNECTED,
    "httpx_curl_cffi": "sends a request again by itself when a kept connection ends without an "
    "answer",
}
"""The packages whose transports would send a payment twice, and why (docs/transports.md)."""


def checked_transport(
    transport: object, kind: type[httpx.BaseTransport | httpx.AsyncBaseTransport]
) -> Any:
    """A caller's transport.

    Raises `ConfigurationError` where it is no transport of this mode, or of a package that is known
    to send requests again.
    """
    instead = f"httpx.{kind.__name__.replace('BaseTransport', 'HTTPTransport')}"
    for package in (base.__module__.partition(".")[0] for base in type(transport).__mro__):
        if package in _REFUSED_TRANSPORTS:
            raise ConfigurationError(
                f"transport: {package} {_REFUSED_TRANSPORTS[package]}, so a request that was "
                f"executed would be sent again. Leave transport out, or pass {instead}(...)."
            )
    if not isinstance(transport, kind):
        given = f"{type(transport).__module__.partition('.')[0]}.{type(transport).__qualname__}"
        raise ConfigurationError(
            f"transport must be an httpx.{kind.__name__}, not {given}: leave it out, or pass "
            f"{instead}(...)."
        )
    return transport


def checked_limits(limits: object) -> httpx.Limits:
    """The limits of a pool of connections; without any, 100 connections, all of which are kept.

    Raises `ConfigurationError`.
    """
    if limits is None:
        return httpx.Limits(max_connections=100)
    if not isinstance(limits, httpx.Limits):
        raise ConfigurationError(f"limits must be httpx.Limits(...), not {kind_of(limits)}.")
    for name, least in (("max_connections", 1), ("max_keepalive_connections", 0)):
        count: object = getattr(limits, name)
        if count is not None and not is_whole(count, least):
            raise ConfigurationError(
                f"limits: {name}={shown(count)} must be a whole number, {least} or more, or None."
            )
    expiry: object = limits.keepalive_expiry
    if expiry is not None and not are_seconds(expiry, above_zero=False):
        raise ConfigurationError(
            f"limits: {seconds_complaint('keepalive_expiry', expiry, '0 or more, or None')}"
        )
    return limits
