"""`victor doctor`: does this machine reach the provider, with these settings, and at the right
time?

`_findings` makes the checks in the order in which they depend on each other; the functions of the
checks follow in that order. Those that connect are in `doctor_connection.py`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

import victor_ext
from victor_ext._exit_status import MISUSE
from victor_ext.systems import DEFAULT, System

from .chosen_system import Provider, system_of
from .doctor_connection import Finding, bad, check_way_to_provider, good
from .failures import Misuse, failure_of
from .screen import plain, say, tolerate_lost_output
from .session import Session, with_session
from .view import entry
from .wording import CREDENTIALS

_DEADLINE_SECONDS = 20.0
"""For the signed read, if `--deadline` does not say."""
_CLOCK_TOLERANCE_SECONDS = 2.0
"""By which two clocks may differ: a `Date` header has whole seconds, and was under way."""
_LABEL_WIDTH = 15
"""Columns of the terminal for the name of a check."""


@with_session
def doctor(session: Session, *, provider: Provider = DEFAULT) -> None:
    """Check the settings, the connection to the provider, the clock and a signed read. Nothing is
    changed.

    The exit status is 0 if all is well, 2 if a setting is wrong, 75 if the provider cannot be
    reached now, and 1 if anything else is wrong.
    """

    findings: list[Finding] = []
    for finding in _findings(session, provider):
        findings.append(finding)
        if not session.as_json:
            _show(finding)
    status = _exit_status(findings)
    if session.as_json:
        checks = [finding.as_dict() for finding in findings]
        with tolerate_lost_output():
            say(json.dumps({"ok": status == 0, "checks": checks, "exit_status": status}))
    raise typer.Exit(status)


def _exit_status(findings: Sequence[Finding]) -> int:
    """Return the exit status of the first finding that is not right."""
    for finding in findings:
        if finding.ok is False:
            return finding.exit_status
    return 0


def _findings(session: Session, provider: str) -> Iterator[Finding]:
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
        yield _usable_credentials(system)
        yield from _check_files(system)
        environment = filter(None, (client.environment, client.base_url))
        yield good("Environment", ", ".join(environment))
        if client.proxy is not None:
            yield _name_proxy(client)
        yield from check_way_to_provider(client, system, session)
        yield _check_clock(client)


def _check_settings(session: Session, provider: str) -> Finding:
    """Set the variables of the chosen profile, if any, and say where the settings come from."""
    try:
        profile = session.use_profile(provider)
    except Misuse as error:
        advice = (
            "Correct the file, name another profile, or leave it out to use the environment "
            "variables."
        )
        return bad("Settings", str(error), advice, exit_status=MISUSE)
    if profile:
        return good("Settings", f"the profile {plain(profile)}")
    return good("Settings", "the environment variables")


def _usable_credentials(system: System) -> Finding:
    """The finding that the credentials are complete and readable: a client was made of them."""
    if system.credentials:
        kind_of_credentials = system.load("credentials")
        return good("Credentials", plain(kind_of_credentials(os.environ)))
    return good("Credentials", f"the variables {system.prefix}... are complete")


def _check_files(system: System) -> Iterator[Finding]:
    """Name each file with a secret that others may read or change. The client reads it all the
    same: a container may get its secrets so.
    """
    from victor_ext.profiles import why_not_private  # noqa: PLC0415 - `victor --help` does not need it

    for setting in system.settings:
        variable = f"{system.prefix}{setting.upper()}"
        file = os.environ.get(variable, "")
        if os.path.isfile(file):
            reason = why_not_private(Path(file), os.stat(file))
            if reason:
                yield Finding("Key file", f"{variable}: {reason}")


def _wrong_credentials(error: victor_ext.VictorError, session: Session, system: System) -> Finding:
    """Return the finding after no client could be made."""
    failure = failure_of(error, None, session.option_names)
    advice = "Correct that setting, and run it again."
    if CREDENTIALS in failure.notes:
        advice = CREDENTIALS
    variable = _variable_in(failure.message, system)
    text = failure.message if variable is None else f"{variable}: {failure.message}"
    return bad("Credentials", text, advice, exit_status=MISUSE)


def _variable_in(message: str, system: System) -> str | None:
    """Return the environment variable with the setting that a message begins with, such as
    `api_key is not set`; None: it begins with no setting, or the variable is not set.
    """
    setting = message.partition(" ")[0].partition("=")[0]
    variable = f"{system.prefix}{setting.upper()}"
    is_set = setting in system.settings and variable in os.environ
    return variable if is_set else None


def _name_proxy(client: Any) -> Finding:
    """Name the proxy of the client, and the variable that it comes from."""
    scheme = client.base_url.partition(":")[0]
    variable = _proxy_variable(scheme)
    return good("Proxy", f"{client.proxy}, which {variable} names: calls go through it")


def _proxy_variable(scheme: str) -> str:
    """Return the variable that names the proxy for URLs of this scheme, as httpx looks for it."""
    for name in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY"):
        if os.environ.get(name):
            return name
    return "a setting of this machine"


def _check_clock(client: Any) -> Finding:
    """Compare this machine's clock with the `Date` headers of the responses to the checks."""
    provider_time = client.provider_time()
    if not provider_time.is_known:
        return Finding("Clock", "not known: no response had a Date header")
    offset = (datetime.now(UTC) - provider_time.moment).total_seconds()
    tolerance = _CLOCK_TOLERANCE_SECONDS
    if abs(offset) <= tolerance:
        return good("Clock", f"agrees with the provider's to within {tolerance:g} s")
    direction = "ahead of" if offset > 0 else "behind"
    advice = (
        "Let NTP set this machine's clock. The client corrects for it, once it has received "
        "a response."
    )
    return bad("Clock", f"{abs(offset):,.0f} s {direction} the provider's", advice)


_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("-", "")}
"""The mark and its style, by whether a finding is right."""


@tolerate_lost_output()
def _show(finding: Finding) -> None:
    """Print a finding: a line with its mark, and its advice below."""
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
