"""The checked options of a client's connections.

In this order: hosts; `verify`, which is whom a client trusts; base URLs; proxies; transports and
HTTP clients of the caller's; limits; and `route_to`, the route of a client's own connections.
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

from .connections import PORTS, Route
from .from_httpx2 import AnyProxy, AnyURL, as_httpx, is_client
from .httpx_internals import transports_of
from .pooled_transport import require_open

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


if sys.platform in ("darwin", "win32"):
    from truststore import SSLContext
else:
    from ssl import SSLContext

Verify = ssl.SSLContext | str | os.PathLike[str] | bool
"""Whom a client trusts: a context, the path of a CA bundle, or whether it verifies at all."""


def tls_context_for(verify: Verify, url: httpx.URL, name: str) -> ssl.SSLContext:
    """The TLS context for a host, by `verify`, which messages call by this name.

    Raises `ConfigurationError` where `verify` turns verification off for another machine, or is a
    path that cannot be read; and `OSError` where the authorities that the environment names cannot
    be read.
    """
    # Without `verify_mode`, there is no `check_hostname` either.
    is_on = verify.check_hostname if isinstance(verify, ssl.SSLContext) else bool(verify)
    if not is_on and not is_this_machine(url.host):
        raise ConfigurationError(
            f"{name}={shown(verify)} would accept anybody as {url.host}: pass the path of a CA "
            "bundle that holds the certificate you want to trust, or an ssl.SSLContext with "
            "verify_mode and check_hostname as in ssl.create_default_context()."
        )
    if isinstance(verify, ssl.SSLContext):
        return verify
    if not is_on:
        return httpx.create_ssl_context(verify=False)
    if isinstance(verify, bool):
        return default_context()
    _require_key_log()
    try:
        return ssl.create_default_context(cafile=verify)
    except (OSError, TypeError, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
    raise ConfigurationError(
        f"{name}={shown(verify, 200)} is not the path of a CA bundle that can be read ({why})."
    )


def _require_key_log() -> None:
    """Raise `ConfigurationError` where SSLKEYLOGFILE names a file that cannot be opened: the error
    of `ssl` would read as if a certificate could not be.
    """
    path = os.environ.get("SSLKEYLOGFILE")
    if not path or sys.flags.ignore_environment:
        return
    try:
        with open(path, "ab"):
            return
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not a path"
    raise ConfigurationError(
        f"SSLKEYLOGFILE={shown(path, 200)} cannot be opened for writing ({why}). The keys of TLS "
        "connections would go there: name another file, or unset it."
    )


_BUNDLES = (
    "/etc/ssl/cert.pem",  # Alpine, Arch
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, RHEL
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu
    "/etc/ssl/ca-bundle.pem",  # SUSE
)
"""Where systems have their authorities, for a Python whose OpenSSL was built on another system."""
_CERTIFICATE_LINK = re.compile(r"[0-9a-f]{8}\.\d+")
"""The name of a certificate in a folder of OpenSSL's: the hash of its subject, and a number."""


def default_context() -> ssl.SSLContext:
    """The TLS context that all clients in this process share.

    It trusts the authorities of the system, or those that SSL_CERT_FILE or SSL_CERT_DIR names;
    where the system has none, as a container without ca-certificates, those of certifi. On macOS
    and Windows the system itself verifies. Two threads may each make a context, and both are good.
    Raises `OSError` where SSL_CERT_FILE cannot be read.
    """
    names = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
    return _cached_context(*map(os.environ.get, names))


@cache
def _cached_context(file: str | None, folder: str | None, _key_log: str | None) -> ssl.SSLContext:
    """See `default_context`. The arguments are the values of its variables: with another value,
    there is another context.
    """
    if sys.platform not in ("darwin", "win32") or file or folder:
        _require_key_log()
    if file or folder:  # the file alone where both are set, as httpx has it
        return ssl.create_default_context(cafile=file or None, capath=None if file else folder)
    if sys.platform in ("darwin", "win32"):
        return SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # the variables may be set, and empty: these are OpenSSL's own
    paths = ssl.get_default_verify_paths()
    system = paths.openssl_capath
    is_filled = False
    with suppress(OSError):
        is_filled = any(map(_CERTIFICATE_LINK.fullmatch, os.listdir(system)))
    for bundle in (paths.openssl_cafile, *([None] if is_filled else _BUNDLES)):
        with suppress(OSError):  # there is none, or it is empty, or not for this user
            return ssl.create_default_context(cafile=bundle, capath=system if is_filled else None)
    return httpx.create_ssl_context(trust_env=False)  # certifi's


def checked_base_url(url: str | AnyURL, *, name: str = "base_url") -> httpx.URL:
    """A base URL that a token may be sent to. Raises `ConfigurationError` for any other."""
    base_url: str | httpx.URL = as_httpx(url)
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


def proxy_for(
    base_url: httpx.URL, proxy: str | AnyURL | AnyProxy | None
) -> str | AnyURL | AnyProxy | None:
    """The proxy for this origin: the caller's, else that of the environment (HTTPS_PROXY, NO_PROXY
    ...); None without one.
    """
    if proxy is not None:
        return proxy
    proxies = urllib.request.getproxies()
    address = proxies.get(base_url.scheme) or proxies.get("all")
    if not address or is_this_machine(base_url.host):
        return None
    exceptions = proxies.get("no")
    if exceptions is None:  # then those in the settings of Windows and macOS
        is_direct = bool(urllib.request.proxy_bypass(base_url.host))
    else:
        entries = map(str.strip, exceptions.split(","))
        is_direct = any(entry == "*" or _exempts(entry, base_url) for entry in entries)
    if is_direct:
        return None
    return address if "://" in address else f"http://{address}"


def _exempts(entry: str, url: httpx.URL) -> bool:
    """Whether an entry of NO_PROXY exempts this origin from the proxy, as httpx reads the entry.

    `example.com` means its subdomains too, `.example.com` only those; with a port, or as a URL, it
    means that port or that scheme. Beyond httpx, the port may be the scheme's own, and an IPv6
    address may stand in brackets.
    """
    scheme, is_url, place = entry.rpartition("://")
    if not is_url and not place.startswith("["):
        address = place.partition("/")[0]
        if ip_address_in(address) is None:
            place = f"*{place}"
        elif ":" in address:
            place = f"[{place}]"
    wildcard = next(prefix for prefix in ("*.", "*", "") if place.startswith(prefix))
    try:
        entry_url = httpx.URL(f"all://{place.removeprefix(wildcard)}")
    except httpx.InvalidURL:
        return False
    name = entry_url.raw_host
    host = url.raw_host
    is_same = wildcard != "*." and host == name
    is_below = wildcard != "" and name != b"" and host.endswith(b"." + name)
    is_scheme = scheme in ("", "all", url.scheme)
    is_port = entry_url.port in (None, url.port or PORTS[url.scheme])
    return (is_same or is_below) and is_scheme and is_port


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
    """A caller's transport, as one of httpx.

    Raises `ConfigurationError` where it is no transport of this mode, or of a package that is known
    to send requests again.
    """
    is_blocking = kind is httpx.BaseTransport
    instead = "httpx.HTTPTransport" if is_blocking else "httpx.AsyncHTTPTransport"
    refuse_package(transport, "transport", instead)
    checked = as_httpx(transport)
    method = "handle_request" if is_blocking else "handle_async_request"
    # httpx2's may be of the other mode
    if not (isinstance(checked, kind) and hasattr(transport, method)):
        raise ConfigurationError(
            f"transport must be an httpx.{kind.__name__} (or httpx2's), not "
            f"{_class_of(transport)}: leave it out, or pass {instead}(...)."
        )
    return checked


def _class_of(value: object) -> str:
    """The class of a value for a message, with its package: `httpx.Client`."""
    return f"{type(value).__module__.partition('.')[0]}.{type(value).__qualname__}"


def refuse_package(value: object, name: str, instead: str) -> None:
    """Raise `ConfigurationError` for an object of a package that is known to send requests again,
    which was passed under this name. `instead` is the class to use.
    """
    for package in (base.__module__.partition(".")[0] for base in type(value).__mro__):
        if package in _REFUSED_TRANSPORTS:
            raise ConfigurationError(
                f"{name}: {package} {_REFUSED_TRANSPORTS[package]}, so a request that was executed "
                f"would be sent again. Leave {name} out, or pass {instead}(...)."
            )


def checked_http_client(http_client: object, kind: type[httpx.Client | httpx.AsyncClient]) -> Any:
    """A caller's HTTP client, unchanged.

    Raises `ConfigurationError` where it is no client of this mode, is closed, belongs to a client
    of this package, or has a transport of a package that is known to send requests again.
    """
    if not is_client(http_client, kind):
        raise ConfigurationError(
            f"http_client must be an httpx.{kind.__name__} (or httpx2's), not "
            f"{_class_of(http_client)}."
        )
    if type(http_client).__module__.partition(".")[0] == __name__.partition(".")[0]:
        raise ConfigurationError(
            "http_client is that of a client of this package, which tries again by itself: pass an "
            f"httpx.{kind.__name__}."
        )
    for part in (http_client, *transports_of(http_client)):
        refuse_package(part, "http_client", f"httpx.{kind.__name__}")
    client: Any = http_client
    require_open(client)
    return client


def checked_proxy(proxy: str | AnyURL | AnyProxy | None) -> httpx.Proxy | None:
    """A proxy that can be used; None without one.

    Raises `ConfigurationError`; the message hides the proxy, which may hold a password.
    """
    if proxy is None:
        return None
    address: str | httpx.URL | httpx.Proxy = as_httpx(concealed(proxy))
    proxy = None  # the caller's may hold a password, and a traceback may show the variables
    checked = address if isinstance(address, httpx.Proxy) else None
    if isinstance(address, str | httpx.URL):
        with suppress(ValueError, httpx.InvalidURL):
            checked = httpx.Proxy(address)
    if checked is not None and checked.url.scheme in PORTS and has_host(checked.url):
        return checked
    raise ConfigurationError(
        "proxy (the argument, or HTTPS_PROXY or ALL_PROXY) is not a proxy that can be used: write "
        "http://host:port or https://host:port. (For a SOCKS proxy, pass "
        "http_client=httpx.Client(proxy=...), with httpx[socks].)"
    )


def checked_limits(limits: object) -> httpx.Limits:
    """The limits of a pool of connections; without any, 100 connections, all of which are kept.

    Raises `ConfigurationError`.
    """
    if limits is None:
        return httpx.Limits(max_connections=100)
    limits = as_httpx(limits)
    if not isinstance(limits, httpx.Limits):
        raise ConfigurationError(f"limits must be httpx.Limits(...), not {_class_of(limits)}.")
    for name, least in (("max_connections", 1), ("max_keepalive_connections", 0)):
        count: object = getattr(limits, name)
        if count is None:
            continue
        if not is_whole(count, least):
            raise ConfigurationError(
                f"limits: {name}={shown(count)} must be a whole number, {least} or more, or None."
            )
    expiry: object = limits.keepalive_expiry
    if expiry is not None and not are_seconds(expiry, above_zero=False):
        raise ConfigurationError(
            f"limits: {seconds_complaint('keepalive_expiry', expiry, '0 or more, or None')}"
        )
    return limits


def route_to(base_url: httpx.URL, verify: Verify, proxy: str | AnyURL | AnyProxy | None) -> Route:
    """The route of a client's own connections, from its options. Raises `ConfigurationError`."""
    used_proxy = checked_proxy(proxy_for(base_url, proxy))
    is_plain = base_url.scheme == "http"
    if is_plain and used_proxy is not None and not is_this_machine(used_proxy.url.host):
        raise ConfigurationError(
            "proxy: base_url is http, so a proxy on another machine would be sent tokens and "
            "account numbers unencrypted: leave proxy out, or call https://."
        )
    tls = None
    proxy_tls = None
    try:
        if base_url.scheme == "https":  # plain http needs no certificates, which take time to read
            tls = tls_context_for(verify, base_url, "verify")
        if used_proxy is not None and used_proxy.url.scheme == "https":
            verify_proxy = used_proxy.ssl_context or True
            proxy_tls = tls_context_for(verify_proxy, used_proxy.url, "proxy: ssl_context")
    except OSError as error:  # an SSLError, too
        why = getattr(error, "strerror", None) or type(error).__name__
    else:
        return Route(base_url, tls, used_proxy, proxy_tls)
    raise ConfigurationError(
        f"The certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read ({why})."
    )
