"""`victor doctor`: does this machine reach the provider, with these settings, and at the right
time?

`_findings` makes the checks in the order in which they depend on each other. Those of the settings
come first, then those that connect, from DNS to a signed read.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import typer

import victor_ext
from victor_ext._clocks import TOLERATED_SKEW
from victor_ext._exit_status import FAILED, FOR_NOW, MISUSE
from victor_ext._systems import DEFAULT, System

from ._failures import Misuse, failure_of
from ._options import option
from ._screen import entry, plain, say, tolerate_lost_output
from ._session import Provider, Session, system_of, with_session
from ._wording import CERTIFICATE, CREDENTIALS

if TYPE_CHECKING:
    import ssl

    import httpx

_DEADLINE_SECONDS = 20.0
"""For the signed read, if `--deadline` does not say."""
_LABEL_WIDTH = 15
"""Columns of the terminal for the name of a check."""
_CONNECT_SECONDS = 5.0
"""For a connection, and for a TLS handshake."""
_EXPIRES_SOON_DAYS = 14
"""A certificate with less is named."""
_SECONDS_A_DAY = 86_400
_PORTS = {"http": 80}
"""The port of a scheme, where that is not 443."""


class _Client(Protocol):
    """What the checks use of a client, of whichever system."""

    @property
    def base_url(self) -> str: ...

    @property
    def proxy(self) -> str | None: ...

    @property
    def ssl_context(self) -> ssl.SSLContext | None: ...

    def provider_time(self) -> victor_ext.ProviderTime: ...

    def ping(self) -> victor_ext.Ping: ...


@dataclass(frozen=True)
class _Finding:
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


_good = partial(_Finding, ok=True)
_bad = partial(_Finding, ok=False)


@with_session
def doctor(
    session: Session,
    *,
    provider: Provider = DEFAULT,
    outbox: str | None = option(
        "The database of an outbox: do its entries belong to these credentials?", "URL"
    ),
    table: str = option("The name of its table.", "NAME", default="victor_outbox"),
) -> None:
    """Check settings, connection and clock. Nothing is changed.

    It makes a signed read, too, and says whether an outbox is that of these credentials.

    The exit status is 0 if all is well, 2 if a setting is wrong, 75 if the provider cannot be
    reached now, and 1 if anything else is wrong.
    """

    findings: list[_Finding] = []
    for finding in _findings(session, provider, outbox, table):
        findings.append(finding)
        if not session.as_json:
            _show(finding)
    wrong = (finding.exit_status for finding in findings if finding.ok is False)
    status = next(wrong, 0)
    if session.as_json:
        checks = [finding.as_dict() for finding in findings]
        with tolerate_lost_output():
            say({"ok": status == 0, "checks": checks, "exit_status": status})
    raise typer.Exit(status)


def _findings(
    session: Session, provider: str, outbox: str | None, table: str
) -> Iterator[_Finding]:
    """Yield the findings as they are made. Without settings or credentials, the rest is left
    out. Raises `Misuse` before the first finding if there is no such provider.
    """
    system = system_of(provider)
    settings = _check_settings(session, provider)
    yield settings
    if not settings.ok:
        return
    try:
        client = session.client_of(provider, deadline=_DEADLINE_SECONDS)
    except victor_ext.VictorError as error:
        yield _wrong_credentials(error, session, system)
        return
    with client:
        # A client was made of them: they are complete and readable.
        credentials = f"the variables {system.prefix}... are complete"
        if system.credentials:
            credentials = plain(system.load("credentials")(os.environ))
        yield _good("Credentials", credentials)
        yield from _check_files(system)
        environment = filter(None, (client.environment, client.base_url))
        yield _good("Environment", ", ".join(environment))
        if client.proxy is not None:
            yield _name_proxy(client)
        yield from _check_way_to_provider(client, system, session)
        yield _check_clock(client)
        if outbox is not None:
            yield _check_outbox(client, outbox, table)


def _check_settings(session: Session, provider: str) -> _Finding:
    """Set the variables of the chosen profile, if any, and say where the settings come from."""
    try:
        profile = session.use_profile(provider)
    except Misuse as error:
        advice = (
            "Correct the file, name another profile, or leave it out to use the environment "
            "variables."
        )
        return _bad("Settings", str(error), advice, exit_status=MISUSE)
    if profile:
        return _good("Settings", f"the profile {plain(profile)}")
    return _good("Settings", "the environment variables")


def _check_files(system: System) -> Iterator[_Finding]:
    """Name each file with a secret that others may read or change. The client reads it all the
    same: a container may get its secrets so.
    """
    from victor_ext._profiles import why_not_private  # noqa: PLC0415 - `victor --help` does not need it

    for setting in system.settings:
        variable = f"{system.prefix}{setting.upper()}"
        file = os.environ.get(variable, "")
        if os.path.isfile(file):
            reason = why_not_private(Path(file), os.stat(file))
            if reason:
                yield _Finding("Key file", f"{variable}: {reason}")


def _wrong_credentials(error: victor_ext.VictorError, session: Session, system: System) -> _Finding:
    """Return the finding after no client could be made."""
    failure = failure_of(error, None, session.option_names)
    advice = "Correct that setting, and run it again."
    if CREDENTIALS in failure.notes:
        advice = CREDENTIALS
    text = failure.message
    # It may begin with a setting, such as `api_key is not set`.
    setting = text.partition(" ")[0].partition("=")[0]
    variable = f"{system.prefix}{setting.upper()}"
    if setting in system.settings and variable in os.environ:
        text = f"{variable}: {text}"
    return _bad("Credentials", text, advice, exit_status=MISUSE)


def _name_proxy(client: _Client) -> _Finding:
    """Name the proxy of the client, and the variable that it comes from, as httpx looks for it."""
    scheme = client.base_url.partition(":")[0]
    names = (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY")
    set_names = filter(os.environ.get, names)
    variable = next(set_names, "a setting of this machine")
    return _good("Proxy", f"{client.proxy}, which {variable} names: calls go through it")


def _check_clock(client: _Client) -> _Finding:
    """Compare this machine's clock with the `Date` headers of the responses to the checks."""
    provider_time = client.provider_time()
    if not provider_time.is_known:
        return _Finding("Clock", "not known: no response had a Date header")
    offset = (datetime.now(UTC) - provider_time.moment).total_seconds()
    if abs(offset) <= TOLERATED_SKEW:
        return _good("Clock", f"agrees with the provider's to within {TOLERATED_SKEW:g} s")
    direction = "ahead of" if offset > 0 else "behind"
    advice = (
        "Let NTP set this machine's clock. The client corrects for it, once it has received "
        "a response."
    )
    return _bad("Clock", f"{abs(offset):,.0f} s {direction} the provider's", advice)


def _check_outbox(client: _Client, database: str, table: str) -> _Finding:
    """Compare the credentials with those that the entries of an outbox belong to."""
    from victor_ext.outbox import Owner  # noqa: PLC0415 - an extra of its own

    from ._outbox import opened_queue  # noqa: PLC0415 - the same

    try:
        with opened_queue(database, table) as (box, has_entries):
            owners = box.owners() if has_entries else []
    except Misuse as error:
        return _bad("Outbox", str(error))
    own = Owner.of(client)
    owner = next((each for each in owners if each.provider == own.provider), None)
    if owner is None:
        return _Finding("Outbox", f"{plain(table)} has no entries of {plain(own.provider)} yet")
    why = owner.why_not(own)
    if not why:
        return _good("Outbox", plain(f"the entries belong to {owner}"))
    return _bad("Outbox", plain(why), "A worker with these settings leaves them alone.")


_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("-", "")}
"""The mark and its style, by whether a finding is right."""


@tolerate_lost_output()
def _show(finding: _Finding) -> None:
    """Print a finding: a line with its mark, and its advice below."""
    mark, style = _MARKS[finding.ok]
    text = finding.text
    if finding.seconds is not None:
        text = f"{text} ({finding.seconds * 1000:,.0f} ms)"
    say(*entry(f"{mark} {finding.check}", plain(text), label=_LABEL_WIDTH, style=style, end=1))
    if finding.advice is not None:
        say(*entry("", plain(finding.advice), label=_LABEL_WIDTH))


# The checks that connect


class _DoctorStep(NamedTuple):
    """A check on the way to the provider."""

    check: str
    """The name of the check."""
    look: Callable[[], _Finding]
    """Makes the check. It may raise `OSError`."""
    failure: str = ""
    """What such an error means."""
    advice: str = ""
    """What to do after such an error."""


def _check_way_to_provider(client: _Client, system: System, session: Session) -> Iterator[_Finding]:
    """Make the checks of the way to the provider, or to the proxy, one after another: those after
    the first failure are skipped.
    """
    peer = _peer_of(client, system)
    port = f"port {peer.port}{peer.of_proxy}"
    no_address = f"{peer.host} has no address"
    check_tls = partial(_check_tls, client.ssl_context, peer, f"{system.prefix}BASE_URL")
    firewall = "Check for a firewall or a proxy on the way."
    steps = (
        _DoctorStep("DNS", partial(_resolve, peer), no_address, "Check this machine's resolver."),
        _DoctorStep(
            "Connection", partial(_connect, peer), f"{port} cannot be reached", peer.advice
        ),
        _DoctorStep("TLS", check_tls, "the handshake failed", firewall),
        _DoctorStep("Signed read", partial(_read_signed, client, system, session)),
    )
    failed_check: str | None = None
    for step in steps:
        if failed_check is not None:
            yield _Finding(step.check, f"skipped: {failed_check} must be fixed first")
            continue
        finding = _finding_of(step)
        if finding.ok is False:
            failed_check = step.check
        yield finding


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


def _peer_of(client: _Client, system: System) -> _Peer:
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


def _finding_of(step: _DoctorStep) -> _Finding:
    """Make the check of a step, and return its finding: how long it took, or why it failed."""
    began = time.monotonic()
    try:
        finding = step.look()
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or error
        text = f"{step.failure}: {reason}"
        return _bad(step.check, text, step.advice, exit_status=FOR_NOW)
    if not finding.ok or finding.seconds is not None:
        return finding
    return replace(finding, seconds=time.monotonic() - began)


def _resolve(peer: _Peer) -> _Finding:
    """Look up the addresses of the peer."""
    resolved = socket.getaddrinfo(peer.host, peer.port, type=socket.SOCK_STREAM)
    # Each item is (family, type, proto, canonname, sockaddr), and sockaddr begins with the address.
    addresses = [str(sockaddr[0]) for *_, sockaddr in resolved]
    distinct = list(dict.fromkeys(addresses))
    return _good("DNS", f"{peer.host} is {', '.join(distinct[:3])}")


def _connect(peer: _Peer) -> _Finding:
    """Open a connection to the peer, and close it."""
    with socket.create_connection((peer.host, peer.port), timeout=_CONNECT_SECONDS):
        return _good("Connection", f"port {peer.port}{peer.of_proxy} answers")


def _check_tls(context: ssl.SSLContext | None, peer: _Peer, url_variable: str) -> _Finding:
    """Check the certificate with the SSL context of the client. `url_variable` has the URL."""
    import ssl  # noqa: PLC0415 - every start of the command would pay for it

    if peer.of_proxy:
        return _Finding("TLS", "through the proxy: see the signed read")
    if peer.provider_url.scheme == "http":
        return _Finding("TLS", "none: http to this machine")
    assert context is not None, "a client of https has a context"
    try:
        return _shake_hands(context, peer)
    except ssl.SSLCertVerificationError as error:
        # macOS and Windows do not always set it
        reason = getattr(error, "verify_message", None) or error
        return _bad("TLS", f"the certificate is not trusted: {reason}", CERTIFICATE)
    except ssl.SSLError as error:
        if error.reason != "WRONG_VERSION_NUMBER":
            raise
        text = f"what listens on port {peer.port} does not speak TLS"
        advice = f"Correct {url_variable}: another port, or http for a sandbox on this machine."
        return _bad("TLS", text, advice, exit_status=MISUSE)


def _shake_hands(context: ssl.SSLContext, peer: _Peer) -> _Finding:
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
        return _good("TLS", text, "It expires soon: ask the provider when it is renewed.")
    return _good("TLS", text)


def _read_signed(client: _Client, system: System, session: Session) -> _Finding:
    """Check whether the provider accepts the credentials, by the ping or the signed read of the
    system.
    """
    if not system.lists and not system.signed_read:
        return _Finding("Signed read", system.why_no_ping)
    try:
        if not system.lists:
            return _good("Signed read", system.load("signed_read")(client))
        ping = client.ping()
    except victor_ext.VictorError as error:
        failure = failure_of(error, None, session.option_names)
        status = error.status_code
        advice = _signed_read_advice(status, system)
        # A wrong path and an outage look the same whoever responds.
        if error.intermediary is not None and status not in (401, 404, 405) and (status or 0) < 500:
            advice = "Look at what is in front of the provider: a gateway, a firewall or a proxy."
        return _bad("Signed read", failure.message, advice, exit_status=failure.exit_status)
    return _good("Signed read", f"{system.lists} can be listed", seconds=ping.seconds)


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
