"""Checks of `victor doctor` that connect to the provider: from DNS to a signed read."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import victor_ext
from victor_ext._exit_status import FAILED, FOR_NOW, MISUSE

from .failures import failure_of
from .wording import CERTIFICATE

if TYPE_CHECKING:
    import httpx

    from victor_ext.systems import System

    from .session import Session

_CONNECT_SECONDS = 5.0
"""For a connection, and for a TLS handshake."""
_EXPIRES_SOON_DAYS = 14
"""A certificate with less is named."""
_SECONDS_A_DAY = 86_400
_PORTS = {"http": 80}
"""The port of a scheme, where that is not 443."""


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    check: str
    """The name of the check."""
    text: str
    advice: str | None = None
    seconds: float | None = None
    """How long the check took, where that tells something."""
    ok: bool | None = None
    """Whether all is right; None: the check could not be made."""
    exit_status: int = FAILED
    """The exit status of the command, if this is the first finding that is not right."""

    def as_dict(self) -> dict[str, Any]:
        return {
            "check": self.check,
            "ok": self.ok,
            "found": self.text,
            "advice": self.advice,
            "seconds": self.seconds,
        }


good = partial(Finding, ok=True)
bad = partial(Finding, ok=False)


@dataclass(frozen=True)
class _Step:
    """A check on the way to the provider."""

    check: str
    """The name of the check."""
    look: Callable[[], Finding]
    """Makes the check. It may raise `OSError`."""
    failure: str = ""
    """What such an error means."""
    advice: str = ""
    """What to do after such an error."""


def check_way_to_provider(client: Any, system: System, session: Session) -> Iterator[Finding]:
    """Make the checks one after another: those after the first failure are skipped."""
    failed_check: str | None = None
    for step in _steps(client, system, session):
        if failed_check is not None:
            yield Finding(step.check, f"skipped: {failed_check} must be fixed first")
            continue
        finding = _finding_of(step)
        if finding.ok is False:
            failed_check = step.check
        yield finding


def _steps(client: Any, system: System, session: Session) -> list[_Step]:
    """Return the checks of the way to the provider, or to the proxy."""
    peer = _peer_of(client, system)
    port = f"port {peer.port}{peer.of_proxy}"
    return [
        _Step(
            "DNS",
            partial(_resolve, peer),
            f"{peer.host} has no address",
            "Check this machine's resolver.",
        ),
        _Step("Connection", partial(_connect, peer), f"{port} cannot be reached", peer.advice),
        _Step(
            "TLS",
            partial(_check_tls, client.ssl_context, peer, f"{system.prefix}BASE_URL"),
            "the handshake failed",
            "Check for a firewall or a proxy on the way.",
        ),
        _Step("Signed read", partial(_read_signed, client, system, session)),
    ]


@dataclass(frozen=True)
class _Peer:
    """The machine that this one connects to: the provider, or a proxy."""

    provider_url: httpx.URL
    host: str
    port: int
    advice: str
    """What to do if the peer cannot be reached."""
    of_proxy: str = ""
    """Names the proxy, for the middle of a sentence; empty: the peer is the provider."""


def _peer_of(client: Any, system: System) -> _Peer:
    """Return the machine that this one connects to, to reach the provider."""
    import httpx  # noqa: PLC0415 - `victor --help` does not need it

    url = httpx.URL(client.base_url)
    if client.proxy is not None:
        host, _, number = client.proxy.rpartition(":")
        advice = (
            "Correct HTTPS_PROXY or ALL_PROXY, or name this host in NO_PROXY to call it "
            "without a proxy."
        )
        return _Peer(url, host, int(number), advice, of_proxy=f" of the proxy {host}")
    port = url.port or _PORTS.get(url.scheme, 443)
    advice = f"Check that a firewall lets this machine call {url.host}, or set HTTPS_PROXY."
    if url.host in {"127.0.0.1", "::1", "localhost"}:
        advice = (
            f"Start what should listen there, such as 'victor sandbox --provider {system.name}', "
            f"or correct {system.prefix}BASE_URL."
        )
    return _Peer(url, url.host, port, advice)


def _finding_of(step: _Step) -> Finding:
    """Make the check of a step, and return its finding: how long it took, or why it failed."""
    began = time.monotonic()
    try:
        finding = step.look()
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or error
        text = f"{step.failure}: {reason}"
        return bad(step.check, text, step.advice, exit_status=FOR_NOW)
    if not finding.ok or finding.seconds is not None:
        return finding
    return replace(finding, seconds=time.monotonic() - began)


def _resolve(peer: _Peer) -> Finding:
    """Look up the addresses of the peer."""
    resolved = socket.getaddrinfo(peer.host, peer.port, type=socket.SOCK_STREAM)
    # Each item is (family, type, proto, canonname, sockaddr), and sockaddr begins with the address.
    addresses = [str(sockaddr[0]) for *_, sockaddr in resolved]
    distinct = list(dict.fromkeys(addresses))
    return good("DNS", f"{peer.host} is {', '.join(distinct[:3])}")


def _connect(peer: _Peer) -> Finding:
    """Open a connection to the peer, and close it."""
    with socket.create_connection((peer.host, peer.port), timeout=_CONNECT_SECONDS):
        return good("Connection", f"port {peer.port}{peer.of_proxy} answers")


def _check_tls(context: Any, peer: _Peer, url_variable: str) -> Finding:
    """Check the certificate with the SSL context of the client. `url_variable` has the URL."""
    import ssl  # noqa: PLC0415 - every start of the command would pay for it

    if peer.of_proxy:
        return Finding("TLS", "through the proxy: see the signed read")
    if peer.provider_url.scheme == "http":
        return Finding("TLS", "none: http to this machine")
    try:
        return _shake_hands(context, peer)
    except ssl.SSLCertVerificationError as error:
        # macOS and Windows do not always set it
        reason = getattr(error, "verify_message", None) or error
        return bad("TLS", f"the certificate is not trusted: {reason}", CERTIFICATE)
    except ssl.SSLError as error:
        if error.reason != "WRONG_VERSION_NUMBER":
            raise
        text = f"what listens on port {peer.port} does not speak TLS"
        advice = f"Correct {url_variable}: another port, or http for a sandbox on this machine."
        return bad("TLS", text, advice, exit_status=MISUSE)


def _shake_hands(context: Any, peer: _Peer) -> Finding:
    """Make a TLS handshake, and say how long the certificate is valid. Raises `SSLError`."""
    import ssl  # noqa: PLC0415 - every start of the command would pay for it

    address = (peer.host, peer.port)
    with (
        socket.create_connection(address, timeout=_CONNECT_SECONDS) as connection,
        context.wrap_socket(connection, server_hostname=peer.host) as tls_connection,
    ):
        certificate: dict[str, Any] = tls_connection.getpeercert() or {}
        version = tls_connection.version() or "TLS"
    expires_at = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    days = (expires_at - time.time()) / _SECONDS_A_DAY
    text = f"{version}, the certificate is good for {days:.0f} days"
    if days < _EXPIRES_SOON_DAYS:
        return good("TLS", text, "It expires soon: ask the provider when it is renewed.")
    return good("TLS", text)


def _read_signed(client: Any, system: System, session: Session) -> Finding:
    """Check whether the provider accepts the credentials, by the ping or the signed read of the
    system.
    """
    if not system.lists and not system.signed_read:
        return Finding("Signed read", system.why_no_ping)
    try:
        if not system.lists:
            return good("Signed read", system.load("signed_read")(client))
        ping = client.ping()
    except victor_ext.VictorError as error:
        failure = failure_of(error, None, session.option_names)
        advice = _signed_read_advice(error.status_code, system)
        return bad("Signed read", failure.message, advice, exit_status=failure.exit_status)
    return good("Signed read", f"{system.lists} can be listed", seconds=ping.seconds)


def _signed_read_advice(status: int | None, system: System) -> str:
    """Return what to do after a signed read failed with this status of HTTP; None: there was no
    response.
    """
    match status:
        case None:
            return "Check for a firewall, a proxy, or an outage at the provider."
        case 401 | 403:
            return "Check that the credentials were made in this environment."
        case 404 | 405:
            return f"Check the path of {system.prefix}BASE_URL."
        case 400 | 422:
            return "Check the settings that the provider names, with the credentials."
        case _:
            return "Run it again later. If it fails again, give the provider the request id."
