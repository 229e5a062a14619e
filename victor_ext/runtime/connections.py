"""The transports that hold the sockets."""

from __future__ import annotations

import ssl
import urllib.request
from ipaddress import ip_address

import httpx

from .errors import ConfigurationError

Verify = ssl.SSLContext | str | bool


def is_this_machine(host: str) -> bool:
    """Whether a host name or address means the loopback interface (RFC 6761 for `localhost`)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def checked_base_url(base_url: str | httpx.URL, *, name: str = "base_url") -> httpx.URL:
    """A base URL that a token may be sent to.

    Raises:
        ConfigurationError: No scheme or host, `http` to another machine, or parts a base URL cannot have.
    """
    if not isinstance(base_url, str | httpx.URL):
        raise ConfigurationError(f"{name} must be text, not {type(base_url).__name__}.")
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise ConfigurationError(f"{name} {str(base_url)!r} is not a URL ({error}).") from None
    if url.scheme not in ("https", "http") or not url.host:
        raise ConfigurationError(f"{name} {str(base_url)!r} must be absolute: write https:// and the host in front.")
    if url.scheme == "http" and not is_this_machine(url.host):
        raise ConfigurationError(
            f"{name} {str(base_url)!r} would send tokens and account numbers unencrypted: write https://. "
            "(http is for this machine only, as in http://127.0.0.1:8900.)"
        )
    if url.userinfo or url.query or url.fragment:
        raise ConfigurationError(f"{name} must have no user, query or fragment: write scheme, host, port and path.")
    return url


def checked_verify(verify: Verify, base_url: httpx.URL) -> Verify:
    """The TLS setting, refused where it would turn verification off for another machine."""
    is_context = isinstance(verify, ssl.SSLContext)
    off = verify.verify_mode is ssl.CERT_NONE if isinstance(verify, ssl.SSLContext) else not verify
    if off and not is_this_machine(base_url.host):
        raise ConfigurationError(
            f"verify={verify!r} would accept anybody as {base_url.host}: pass an ssl.SSLContext or the path of a "
            "CA bundle that holds the certificate you want to trust."
        )
    if is_context or off:
        return verify
    if base_url.scheme == "http":
        return _no_context()
    return ssl.create_default_context(cafile=verify) if isinstance(verify, str) else True


def _no_context() -> ssl.SSLContext:
    """For plain http to this machine: reading the system's certificates would be time for nothing."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def proxy_for(base_url: httpx.URL, proxy: str | httpx.URL | httpx.Proxy | None) -> str | httpx.URL | httpx.Proxy | None:
    """The proxy for this one origin: the caller's, else what the environment says (HTTPS_PROXY, NO_PROXY ...)."""
    if proxy is not None:
        return proxy
    proxies = urllib.request.getproxies()
    found = proxies.get(base_url.scheme) or proxies.get("all")
    if not found or is_this_machine(base_url.host) or urllib.request.proxy_bypass(base_url.host):
        return None
    return found if "://" in found else f"http://{found}"


def connections(
    base_url: httpx.URL,
    *,
    verify: Verify,
    limits: httpx.Limits | None,
    proxy: str | httpx.URL | httpx.Proxy | None,
) -> httpx.HTTPTransport:
    """A pool of connections for blocking calls."""
    from .bounded import bounded  # noqa: PLC0415 - loads httpcore, as making the transport does

    return bounded(
        httpx.HTTPTransport(
            verify=checked_verify(verify, base_url),
            limits=limits or httpx.Limits(max_connections=100, max_keepalive_connections=20),
            proxy=proxy_for(base_url, proxy),
        )
    )


def async_connections(
    base_url: httpx.URL,
    *,
    verify: Verify,
    limits: httpx.Limits | None,
    proxy: str | httpx.URL | httpx.Proxy | None,
) -> httpx.AsyncHTTPTransport:
    """A pool of connections for awaited calls."""
    return httpx.AsyncHTTPTransport(
        verify=checked_verify(verify, base_url),
        limits=limits or httpx.Limits(max_connections=100, max_keepalive_connections=20),
        proxy=proxy_for(base_url, proxy),
    )
