"""`victor doctor`: does this machine reach the provider, with these settings, and at the right
time?
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import typer

import victor_ext
from victor_ext._exit_status import FAILED, FOR_NOW, MISUSE
from victor_ext.systems import DEFAULT, System

from .chosen_system import Provider, system_of
from .conform import FILE
from .failures import Misuse, victor_failure
from .screen import decided, plain, say
from .session import Session, with_session
from .view import entry
from .wording import CERTIFICATE, CREDENTIALS

if TYPE_CHECKING:
    import httpx

_DEADLINE = 20.0
"""Seconds for the signed read, if `--deadline` does not say."""
_CONNECT = 5.0
"""Seconds for a connection, and for a TLS handshake."""
_TOLERATED = 2.0
"""Seconds by which two clocks may differ: a `Date` header has whole seconds, and was under way."""
_EXPIRES_SOON = 14
"""Days."""
_DAY = 86_400
"""Seconds."""
_PORTS = {"http": 80}
"""The port of a scheme, where that is not 443."""
_LABEL_WIDTH = 15
"""Columns."""


@dataclass(frozen=True)
class Finding:
    """The result of one check: None in `ok` is a check that could not be made.

    The command ends with the `exit_status` of the first one that is not right.
    """

    check: str
    text: str
    advice: str | None = None
    seconds: float | None = None
    ok: bool | None = None
    exit_status: int = FAILED

    def as_dict(self) -> dict[str, Any]:
        return {
            "check": self.check,
            "ok": self.ok,
            "found": self.text,
            "advice": self.advice,
            "seconds": self.seconds,
        }


_good, _bad = partial(Finding, ok=True), partial(Finding, ok=False)


@with_session
def doctor(session: Session, *, provider: Provider = DEFAULT) -> None:
    """Check the settings, the connection to the provider, the clock and a signed read. Nothing is
    changed.

    The exit status is 0 if all is well, 2 if a setting is wrong, 75 if the provider cannot be
    reached now, and 1 if anything else is wrong.
    """
    system_of(provider)  # a name of none is refused before anything is ticked
    findings: list[Finding] = []
    for finding in _findings(session, provider):
        findings.append(finding)
        if not session.as_json:
            _show(finding)
    status = _exit_status(findings)
    if session.as_json:
        checks = [finding.as_dict() for finding in findings]
        with decided():
            say(json.dumps({"ok": status == 0, "checks": checks, "exit_status": status}))
    raise typer.Exit(status)


def _exit_status(findings: Sequence[Finding]) -> int:
    for finding in findings:
        if finding.ok is False:
            return finding.exit_status
    return 0


def _findings(session: Session, provider: str) -> Iterator[Finding]:
    settings = _settings(session, provider)
    yield settings
    if not settings.ok:
        return
    try:
        system, client = session.client_of(provider, deadline=_DEADLINE)
    except victor_ext.VictorError as error:
        yield _wrong_credentials(error, session, system_of(provider))
        return
    with client:
        yield _credentials(system)
        place = filter(None, (client.environment, client.base_url))
        yield _good("Environment", ", ".join(place))
        if client.proxy is not None:
            yield _proxy(client)
        yield from _way_to_provider(client, system, session)
        yield _clock(client)
    yield from _measured()


def _settings(session: Session, provider: str) -> Finding:
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


def _credentials(system: System) -> Finding:
    """The client is made: they are complete and can be used."""
    if system.credentials:
        return _good("Credentials", plain(system.load("credentials")(os.environ)))
    return _good("Credentials", f"the variables {system.prefix}... are complete")


def _wrong_credentials(error: victor_ext.VictorError, session: Session, system: System) -> Finding:
    failure = victor_failure(error, None, session.spelled)
    advice = "Correct that setting, and run it again."
    if CREDENTIALS in failure.notes:
        advice = CREDENTIALS
    text = f"{_variable_of(failure.message, system)}{failure.message}"
    return _bad("Credentials", text, advice, exit_status=MISUSE)


def _proxy(client: Any) -> Finding:
    variable = _proxy_variable(client.base_url.partition(":")[0])
    return _good("Proxy", f"{client.proxy}, which {variable} names: calls go through it")


def _proxy_variable(scheme: str) -> str:
    for name in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY"):
        if os.environ.get(name):
            return name
    return "a setting of this machine"


def _variable_of(message: str, system: System) -> str:
    """The variable that has the setting with which a message begins, as `NAME: `; else empty."""
    setting = message.partition(" ")[0].partition("=")[0]
    variable = f"{system.prefix}{setting.upper()}"
    is_set = setting in system.settings and variable in os.environ
    return f"{variable}: " if is_set else ""


@dataclass(frozen=True)
class _Step:
    """A check on the way to the provider, with what its failure is, and what to do then."""

    check: str
    look: Callable[[], Finding]
    failure: str = ""
    advice: str = ""


def _way_to_provider(client: Any, system: System, session: Session) -> Iterator[Finding]:
    """Check the steps one after another: those after the first failure are skipped."""
    failed: str | None = None
    for step in _steps(client, system, session):
        if failed is not None:
            yield Finding(step.check, f"skipped: {failed} must be fixed first")
            continue
        finding = _timed(step)
        if finding.ok is False:
            failed = step.check
        yield finding


def _steps(client: Any, system: System, session: Session) -> list[_Step]:
    """Return the checks of the way to the provider, or to the proxy."""
    place = _place_of(client, system)
    setting = f"{system.prefix}BASE_URL"
    port = f"port {place.port}{place.of_proxy}"
    return [
        _Step(
            "DNS",
            partial(_dns, place),
            f"{place.host} has no address",
            "Check this machine's resolver.",
        ),
        _Step("Connection", partial(_connection, place), f"{port} cannot be reached", place.advice),
        _Step(
            "TLS",
            partial(_tls, client.ssl_context, place, setting),
            "the handshake failed",
            "Check for a firewall or a proxy on the way.",
        ),
        _Step("Signed read", partial(_signed_read, client, system, session)),
    ]


@dataclass(frozen=True)
class _Place:
    """What this machine connects to: the provider, or a proxy."""

    url: httpx.URL
    """That of the provider."""
    host: str
    port: int
    advice: str
    """What to do if it cannot be reached."""
    of_proxy: str = ""
    """Which proxy it is, for a sentence; empty: none."""


def _place_of(client: Any, system: System) -> _Place:
    import httpx  # noqa: PLC0415 - `victor --help` does not need it

    url = httpx.URL(client.base_url)
    if client.proxy is not None:
        host, _, number = client.proxy.rpartition(":")
        advice = (
            "Correct HTTPS_PROXY or ALL_PROXY, or name this host in NO_PROXY to call it "
            "without a proxy."
        )
        return _Place(url, host, int(number), advice, of_proxy=f" of the proxy {host}")
    port = url.port or _PORTS.get(url.scheme, 443)
    advice = f"Check that a firewall lets this machine call {url.host}, or set HTTPS_PROXY."
    if url.host in {"127.0.0.1", "::1", "localhost"}:
        advice = (
            f"Start what should listen there, such as 'victor sandbox --provider {system.name}', "
            f"or correct {system.prefix}BASE_URL."
        )
    return _Place(url, url.host, port, advice)


def _timed(step: _Step) -> Finding:
    """Return the finding of a step with how long it took, or with why it failed."""
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


def _dns(place: _Place) -> Finding:
    resolved = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(address[4][0]) for address in resolved))
    return _good("DNS", f"{place.host} is {', '.join(addresses[:3])}")


def _connection(place: _Place) -> Finding:
    with socket.create_connection((place.host, place.port), timeout=_CONNECT):
        return _good("Connection", f"port {place.port}{place.of_proxy} answers")


def _tls(context: Any, place: _Place, setting: str) -> Finding:
    import ssl  # noqa: PLC0415 - every start of the command would pay for it

    if place.of_proxy:
        return Finding("TLS", "through the proxy: see the signed read")
    if place.url.scheme == "http":
        return Finding("TLS", "none: http to this machine")
    try:
        return _handshake(context, place)
    except ssl.SSLCertVerificationError as error:
        # macOS and Windows do not always set it
        reason = getattr(error, "verify_message", None) or error
        return _bad("TLS", f"the certificate is not trusted: {reason}", CERTIFICATE)
    except ssl.SSLError as error:
        if error.reason != "WRONG_VERSION_NUMBER":
            raise
        text = f"what listens on port {place.port} does not speak TLS"
        advice = f"Correct {setting}: another port, or http for a sandbox on this machine."
        return _bad("TLS", text, advice, exit_status=MISUSE)


def _handshake(context: Any, place: _Place) -> Finding:
    import ssl  # noqa: PLC0415 - every start of the command would pay for it

    with (
        socket.create_connection((place.host, place.port), timeout=_CONNECT) as connection,
        context.wrap_socket(connection, server_hostname=place.host) as secured,
    ):
        certificate: dict[str, Any] = secured.getpeercert() or {}
        version = secured.version() or "TLS"
    expires_at = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    days = (expires_at - time.time()) / _DAY
    text = f"{version}, the certificate is good for {days:.0f} days"
    if days < _EXPIRES_SOON:
        return _good("TLS", text, "It expires soon: ask the provider when it is renewed.")
    return _good("TLS", text)


def _signed_read(client: Any, system: System, session: Session) -> Finding:
    if not system.lists and not system.signed_read:
        return Finding("Signed read", system.why_no_ping)
    try:
        if not system.lists:
            return _good("Signed read", system.load("signed_read")(client))
        ping = client.ping()
    except victor_ext.VictorError as error:
        failure = victor_failure(error, None, session.spelled)
        advice = _advice(error.status_code, system)
        return _bad("Signed read", failure.message, advice, exit_status=failure.exit_status)
    return _good("Signed read", f"{system.lists} can be listed", seconds=ping.seconds)


def _advice(status: int | None, system: System) -> str:
    """What to do after a signed read that failed with this status; None: without a response."""
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


def _clock(client: Any) -> Finding:
    provider = client.provider_time()
    if not provider.is_known:
        return Finding("Clock", "not known: no response had a Date header")
    offset = (datetime.now(UTC) - provider.moment).total_seconds()
    if abs(offset) <= _TOLERATED:
        return _good("Clock", f"agrees with the provider's to within {_TOLERATED:g} s")
    direction = "ahead of" if offset > 0 else "behind"
    advice = (
        "Let NTP set this machine's clock. The client corrects for it, once it has received "
        "a response."
    )
    return _bad("Clock", f"{abs(offset):,.0f} s {direction} the provider's", advice)


def _measured() -> Iterator[Finding]:
    """Name the measurement in this folder, if there is one."""
    if not FILE.exists():
        return
    from victor_ext.conform import load  # noqa: PLC0415 - only who has measured pays for it

    try:
        document = load(FILE).document
    except victor_ext.VictorError as error:
        yield Finding("Measured", str(error), "Name another file, or remove it.")
        return
    age = "not finished"
    if document["measured_at"] is not None:
        measured_at = datetime.fromisoformat(document["measured_at"])
        age = f"{(datetime.now(UTC) - measured_at).days} days ago"
    text = f"{document['environment']} ({document['base_url']}), {age}, in {FILE}"
    advice = "victor sandbox --like plays it; victor conform --compare says what changed."
    yield Finding("Measured", plain(text), advice)


_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("-", "")}
"""The mark and its style, by whether a finding is right."""


@decided()
def _show(finding: Finding) -> None:
    mark, style = _MARKS[finding.ok]
    text = finding.text
    if finding.seconds is not None:
        text = f"{text} ({finding.seconds * 1000:,.0f} ms)"
    first, *rest = entry(f"{mark} {finding.check}", plain(text), label=_LABEL_WIDTH)
    first.stylize(style, 0, 1)
    say(first)
    for line in rest:
        say(line)
    if finding.advice is not None:
        for line in entry("", plain(finding.advice), label=_LABEL_WIDTH):
            say(line)
