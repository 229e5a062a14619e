"""`victor doctor`: does this machine reach the provider, with these settings, and at the right
time?
"""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import typer

import victor_ext
from victor_ext._exit_status import FAILED, FOR_NOW, MISUSE
from victor_ext.systems import DEFAULT, System

from .conform import FILE
from .failures import Misuse, victor_failure
from .screen import decided, plain, say
from .session import Provider, Session, system_of, with_session
from .view import entry
from .wording import CERTIFICATE, CREDENTIALS

_DEADLINE = 20.0
"""Seconds for the signed read, if `--deadline` does not say."""
_CONNECT = 5.0
"""Seconds for a connection, and for a TLS handshake."""
_TOLERATED = 2.0
"""Seconds by which two clocks may differ: a `Date` header has whole seconds, and was under way."""
_EXPIRES_SOON = 14
"""Days."""


@dataclass(frozen=True)
class Finding:
    """The result of one check: None in `ok` is a check that could not be made.

    The command ends with the `exit_status` of the first one that is not right.
    """

    check: str
    found: str
    advice: str | None = None
    seconds: float | None = None
    ok: bool | None = None
    exit_status: int = FAILED


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
    status = next((finding.exit_status for finding in findings if finding.ok is False), 0)
    if session.as_json:
        names = ("check", "ok", "found", "advice", "seconds")
        checks = [{name: getattr(finding, name) for name in names} for finding in findings]
        with decided():
            say(json.dumps({"ok": status == 0, "checks": checks, "exit_status": status}))
    raise typer.Exit(status)


def _findings(session: Session, provider: str) -> Iterator[Finding]:
    try:
        name = session.use_profile(provider)
    except Misuse as error:
        advice = (
            "Correct the file, name another profile, or leave it out to use the environment "
            "variables."
        )
        yield _bad("Settings", str(error), advice, exit_status=MISUSE)
        return
    yield _good("Settings", f"the profile {plain(name)}" if name else "the environment variables")
    try:
        system, client = session.client_of(provider, deadline=_DEADLINE)
    except victor_ext.VictorError as error:
        told = victor_failure(error, None, session.spelled)
        what_to_do = (
            CREDENTIALS if CREDENTIALS in told.notes else "Correct that setting, and run it again."
        )
        found = f"{_variable_of(told.message, system_of(provider))}{told.message}"
        yield _bad("Credentials", found, what_to_do, exit_status=MISUSE)
        return
    with client:
        # The client is made: they are complete and can be used.
        complete = f"the variables {system.prefix}... are complete"
        known = plain(system.load("credentials")(os.environ)) if system.credentials else complete
        yield _good("Credentials", known)
        yield _good("Environment", ", ".join(filter(None, [client.environment, client.base_url])))
        if client.proxy is not None:
            names = (f"{client.base_url.partition(':')[0]}_proxy", "all_proxy")
            variables = (
                name for lower in names for name in (lower, lower.upper()) if os.environ.get(name)
            )
            variable = next(variables, "a setting of this machine")
            yield _good("Proxy", f"{client.proxy}, which {variable} names: calls go through it")
        failed: str | None = None
        for check, look, failure, advice in _steps(client, system, session):
            skipped = Finding(check, f"skipped: {failed} must be fixed first")
            finding = skipped if failed else _timed(check, look, failure, advice)
            failed = check if failed is None and finding.ok is False else failed
            yield finding
        yield _clock(client)
    yield from _measured()


def _variable_of(message: str, system: System) -> str:
    """The variable that has the setting with which a message begins, as `NAME: `; else empty."""
    setting = message.partition(" ")[0].partition("=")[0]
    variable = f"{system.prefix}{setting.upper()}"
    is_set = setting in system.settings and variable in os.environ
    return f"{variable}: " if is_set else ""


def _steps(
    client: Any, system: System, session: Session
) -> Iterator[tuple[str, Callable[[], Finding], str, str]]:
    """Yield the checks of the way to the provider, or to the proxy, each with what a failure is,
    and what to do.
    """
    import httpx  # noqa: PLC0415 - `victor --help` does not need it

    url = httpx.URL(client.base_url)
    host, port, of = url.host, url.port or {"http": 80}.get(url.scheme, 443), ""
    firewall = f"Check that a firewall lets this machine call {host}, or set HTTPS_PROXY."
    if client.proxy is not None:
        host, _, number = client.proxy.rpartition(":")
        port, of = int(number), f" of the proxy {host}"
        firewall = (
            "Correct HTTPS_PROXY or ALL_PROXY, or name this host in NO_PROXY to call it "
            "without a proxy."
        )
    elif host in {"127.0.0.1", "::1", "localhost"}:
        sandbox = f"victor sandbox --provider {system.name}"
        firewall = (
            f"Start what should listen there, such as '{sandbox}', or correct "
            f"{system.prefix}BASE_URL."
        )

    tls = partial(_tls, client.ssl_context, url, port, of, f"{system.prefix}BASE_URL")
    yield (
        "DNS",
        partial(_dns, host, port),
        f"{host} has no address",
        "Check this machine's resolver.",
    )
    yield (
        "Connection",
        partial(_connection, host, port, of),
        f"port {port}{of} cannot be reached",
        firewall,
    )
    yield "TLS", tls, "the handshake failed", "Check for a firewall or a proxy on the way."
    yield "Signed read", partial(_signed_read, client, system, session), "", ""


def _timed(check: str, look: Callable[[], Finding], failure: str, advice: str) -> Finding:
    """Return the finding with how long it took, or with why it failed, and this advice."""
    began = time.monotonic()
    try:
        finding = look()
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or error
        return _bad(check, f"{failure}: {reason}", advice, exit_status=FOR_NOW)
    seconds = time.monotonic() - began if finding.seconds is None else finding.seconds
    return replace(finding, seconds=seconds) if finding.ok else finding


def _dns(host: str, port: int) -> Finding:
    resolved = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(address[4][0]) for address in resolved))
    return _good("DNS", f"{host} is {', '.join(addresses[:3])}")


def _connection(host: str, port: int, of: str) -> Finding:
    with socket.create_connection((host, port), timeout=_CONNECT):
        return _good("Connection", f"port {port}{of} answers")


def _tls(context: Any, url: Any, port: int, of: str, setting: str) -> Finding:
    import ssl  # noqa: PLC0415 - every start of the command would pay for it

    if of or url.scheme == "http":
        return Finding(
            "TLS", "through the proxy: see the signed read" if of else "none: http to this machine"
        )
    try:
        with (
            socket.create_connection((url.host, port), timeout=_CONNECT) as plain_socket,
            context.wrap_socket(plain_socket, server_hostname=url.host) as secured,
        ):
            certificate: dict[str, Any] = secured.getpeercert() or {}
            days = (ssl.cert_time_to_seconds(str(certificate["notAfter"])) - time.time()) / 86400
            advice = (
                "It expires soon: ask the provider when it is renewed."
                if days < _EXPIRES_SOON
                else None
            )
            return _good(
                "TLS",
                f"{secured.version() or 'TLS'}, the certificate is good for {days:.0f} days",
                advice,
            )
    except ssl.SSLCertVerificationError as error:
        # macOS and Windows do not always set it
        why = getattr(error, "verify_message", None) or error
        return _bad("TLS", f"the certificate is not trusted: {why}", CERTIFICATE)
    except ssl.SSLError as error:
        if error.reason != "WRONG_VERSION_NUMBER":
            raise
        advice = f"Correct {setting}: another port, or http for a sandbox on this machine."
        return _bad(
            "TLS", f"what listens on port {port} does not speak TLS", advice, exit_status=MISUSE
        )


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
    off = f"{abs(offset):,.0f} s {'ahead of' if offset > 0 else 'behind'} the provider's"
    advice = (
        "Let NTP set this machine's clock. The client corrects for it, once it has received "
        "a response."
    )
    return _bad("Clock", off, advice)


def _measured() -> Iterator[Finding]:
    """Name the measurement in this folder, if there is one."""
    if FILE.exists():
        from victor_ext.conform import load  # noqa: PLC0415 - only who has measured pays for it

        try:
            document = load(FILE).document
        except victor_ext.VictorError as error:
            yield Finding("Measured", str(error), "Name another file, or remove it.")
            return
        at = document["measured_at"]
        age = (
            "not finished"
            if at is None
            else f"{(datetime.now(UTC) - datetime.fromisoformat(at)).days} days ago"
        )
        found = f"{document['environment']} ({document['base_url']}), {age}, in {FILE}"
        yield Finding(
            "Measured",
            plain(found),
            "victor sandbox --like plays it; victor conform --compare says what changed.",
        )


@decided()
def _show(finding: Finding) -> None:
    mark, style = {True: ("✓", "green"), False: ("✗", "red"), None: ("-", "")}[finding.ok]
    took = "" if finding.seconds is None else f" ({finding.seconds * 1000:,.0f} ms)"
    texts = [f"{finding.found}{took}", *([] if finding.advice is None else [finding.advice])]
    for i, text in enumerate(texts):
        for line in entry("" if i else f"{mark} {finding.check}", plain(text), label=15):
            line.stylize("" if i else style, 0, 1)
            say(line)
