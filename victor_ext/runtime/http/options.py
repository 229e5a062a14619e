"""The checked options of a client's connections, and whom it trusts: the authorities of the
operating system.
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

from victor_ext.errors import ConfigurationError, Problem
from victor_ext.privacy import concealed, kind_of
from victor_ext.runtime.core.validation import are_seconds, seconds_complaint, shown

from .from_httpx2 import AnyProxy, AnyURL, as_httpx, is_client
from .http11 import PORTS, Route
from .httpx_internals import transports_of
from .pooled_transport import require_open

if sys.platform in ("darwin", "win32"):
    from truststore import SSLContext
else:
    from ssl import SSLContext

Verify = ssl.SSLContext | str | os.PathLike[str] | bool

_LARGEST_PORT = 65535
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
"""A host name (RFC 1035, 2.3.4; underscores are allowed, for internal names), without a final dot.
"""


def is_this_machine(host: str) -> bool:
    """Whether a host name or address means the loopback interface (RFC 6761 for `localhost`)."""
    address = _address(host.strip("[]"))
    return (
        host == "localhost"
        or host.endswith(".localhost")
        or (address is not None and address.is_loopback)
    )


def checked_base_url(url: str | AnyURL, *, name: str = "base_url") -> httpx.URL:
    """A base URL that a token may be sent to. Raises `ConfigurationError` for any other."""
    base_url: str | httpx.URL = as_httpx(url)
    url = ""  # it may hold a password
    if not isinstance(base_url, str | httpx.URL):
        raise _refused(name, f"{name} must be text, not {kind_of(base_url)}.")
    shown = f"{name} {str(base_url)!r}"
    if "@" in str(base_url):
        base_url = concealed(str(base_url))
        shown = f"{name} (hidden: it may hold a password)"
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, UnicodeError):
        raise _refused(
            name, f"{shown} is not a URL: write it as in https://api.example.com."
        ) from None
    if url.scheme not in ("https", "http") or not url.raw_host:
        url = httpx.URL()  # without a host, its repr hides no password
        raise _refused(name, f"{shown} must be absolute: write https:// and the host in front.")
    if not has_host(url):
        raise _refused(
            name, f"{shown} is not a URL: no host has such a name, or no port such a number."
        )
    if url.scheme == "http" and not is_this_machine(url.host):
        raise _refused(
            name,
            f"{shown} would send tokens and account numbers unencrypted: write https://. "
            "(http is for this machine only, as in http://127.0.0.1:8900.)",
        )
    if url.userinfo or url.query or url.fragment:
        raise _refused(
            name, f"{name} must have no user, query or fragment: write scheme, host, port and path."
        )
    return url


def _refused(name: str, message: str) -> ConfigurationError:
    return ConfigurationError.of([Problem(name, "url", message)])


def has_host(url: httpx.URL) -> bool:
    """Whether a URL has a host that DNS and TLS accept, and a port that a socket can have."""
    name = url.raw_host.decode("ascii")
    if not 1 <= (1 if url.port is None else url.port) <= _LARGEST_PORT:
        return False
    if ":" in name:
        return "%" not in name and _address(name) is not None
    try:
        readable = bool(url.host)  # a name in Punycode is decoded here
    except UnicodeError:
        return False
    return readable and _NAME.fullmatch(name.removesuffix(".")) is not None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _tls_context(verify: Verify, url: httpx.URL, name: str) -> ssl.SSLContext:
    """The TLS context for a host, from the setting of this name.

    Raises `ConfigurationError` where it turns verification off for another machine, or cannot be
    read; and `OSError` where the authorities of the environment cannot be.
    """
    # Without `verify_mode`, there is no `check_hostname` either.
    off = not (verify.check_hostname if isinstance(verify, ssl.SSLContext) else verify)
    if off and not is_this_machine(url.host):
        raise ConfigurationError(
            f"{name}={shown(verify)} would accept anybody as {url.host}: pass the path of a CA "
            "bundle that holds the certificate you want to trust, or an ssl.SSLContext with "
            "verify_mode and check_hostname as in ssl.create_default_context()."
        )
    if isinstance(verify, ssl.SSLContext):
        return verify
    if off or isinstance(verify, bool):
        return httpx.create_ssl_context(verify=False) if off else default_context()
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
    of `ssl` would read as one of the certificates.
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


def proxy_for(
    base_url: httpx.URL, proxy: str | AnyURL | AnyProxy | None
) -> str | AnyURL | AnyProxy | None:
    """The proxy for this origin: the caller's, else that of the environment (HTTPS_PROXY, NO_PROXY
    ...).
    """
    if proxy is not None:
        return proxy
    proxies = urllib.request.getproxies()
    address = proxies.get(base_url.scheme) or proxies.get("all")
    if not address or is_this_machine(base_url.host):
        return None
    excepted = proxies.get("no")
    if excepted is None:  # then those in the settings of Windows and macOS
        is_direct = bool(urllib.request.proxy_bypass(base_url.host))
    else:
        is_direct = any(
            entry == "*" or _means(entry, base_url) for entry in map(str.strip, excepted.split(","))
        )
    return None if is_direct else address if "://" in address else f"http://{address}"


def _means(entry: str, url: httpx.URL) -> bool:
    """Whether an entry of NO_PROXY means this origin. It does when it does to httpx.

    `example.com` means its subdomains too, `.example.com` only those; with a port, or as a URL, it
    means that port or that scheme. Beyond httpx, the port may be the scheme's own, and an IPv6
    address may stand in brackets.
    """
    scheme, is_url, place = entry.rpartition("://")
    if not is_url and not place.startswith("["):
        address = place.partition("/")[0]
        place = (
            f"*{place}" if _address(address) is None else f"[{place}]" if ":" in address else place
        )
    dots = next(dots for dots in ("*.", "*", "") if place.startswith(dots))
    try:
        named = httpx.URL(f"all://{place.removeprefix(dots)}")
    except httpx.InvalidURL:
        return False
    name = named.raw_host
    host = url.raw_host
    is_host = (host == name and dots != "*.") or (
        dots != "" and name != b"" and host.endswith(b"." + name)
    )
    return (
        is_host
        and scheme in ("", "all", url.scheme)
        and named.port in (None, url.port or PORTS[url.scheme])
    )


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

    Raises `ConfigurationError` where it is none for this mode, or is known to send again.
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
    return f"{type(value).__module__.partition('.')[0]}.{type(value).__qualname__}"


def refuse_package(given: object, name: str, instead: str) -> None:
    for package in (base.__module__.partition(".")[0] for base in type(given).__mro__):
        if package in _REFUSED_TRANSPORTS:
            raise ConfigurationError(
                f"{name}: {package} {_REFUSED_TRANSPORTS[package]}, so a request that was executed "
                f"would be sent again. Leave {name} out, or pass {instead}(...)."
            )


def checked_http_client(http_client: object, kind: type[httpx.Client | httpx.AsyncClient]) -> Any:
    """A caller's client.

    Raises `ConfigurationError` where it is none for this mode, or is closed.
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
    """A proxy that can be used.

    Raises `ConfigurationError`; the message hides the proxy, which may hold a password.
    """
    if proxy is None:
        return None
    address: str | httpx.URL | httpx.Proxy = as_httpx(concealed(proxy))
    proxy = None
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
    """The limits of a pool.

    None: 100 connections, all of them kept. Raises `ConfigurationError`.
    """
    if limits is None:
        return httpx.Limits(max_connections=100)
    limits = as_httpx(limits)
    if not isinstance(limits, httpx.Limits):
        raise ConfigurationError(f"limits must be httpx.Limits(...), not {_class_of(limits)}.")
    for name, least in (("max_connections", 1), ("max_keepalive_connections", 0)):
        count: object = getattr(limits, name)
        if count is not None and (
            isinstance(count, bool) or not isinstance(count, int) or count < least
        ):
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
    through = checked_proxy(proxy_for(base_url, proxy))
    if through is not None and base_url.scheme == "http" and not is_this_machine(through.url.host):
        raise ConfigurationError(
            "proxy: base_url is http, so a proxy on another machine would be sent tokens and "
            "account numbers unencrypted: leave proxy out, or call https://."
        )
    tls = proxy_tls = None
    try:
        if base_url.scheme == "https":  # plain http needs no certificates, which take time to read
            tls = _tls_context(verify, base_url, "verify")
        if through is not None and through.url.scheme == "https":
            proxy_tls = _tls_context(through.ssl_context or True, through.url, "proxy: ssl_context")
    except OSError as error:  # of which an SSLError is one
        why = getattr(error, "strerror", None) or type(error).__name__
    else:
        return Route(base_url, tls, through, proxy_tls)
    raise ConfigurationError(
        f"The certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read ({why})."
    )


_BUNDLES = (
    "/etc/ssl/cert.pem",  # Alpine, Arch
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, RHEL
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu
    "/etc/ssl/ca-bundle.pem",  # SUSE
)
"""Where systems have their authorities, for a Python whose OpenSSL was built on another one."""
_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")


def default_context() -> ssl.SSLContext:
    """The context of all clients in this process. Raises `OSError` where SSL_CERT_FILE cannot be
    read.

    These variables replace the system's authorities. Where it has none, as a container without
    ca-certificates, they are those of certifi. On macOS and Windows the system verifies. Two
    threads may each make one, and both are good.
    """
    names = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
    return _context(*map(os.environ.get, names))


@cache
def _context(file: str | None, folder: str | None, _key_log: str | None) -> ssl.SSLContext:
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
        is_filled = any(map(_HASHED.fullmatch, os.listdir(system)))
    for bundle in (paths.openssl_cafile, *([None] if is_filled else _BUNDLES)):
        with suppress(OSError):  # there is none, or it is empty, or not for this user
            return ssl.create_default_context(cafile=bundle, capath=system if is_filled else None)
    return httpx.create_ssl_context(trust_env=False)  # certifi's
