"""`victor doctor`: can this machine read from the provider with these settings, and is its clock
right? What is wrong is said as by any other command.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import typer

from victor_ext._systems import DEFAULT, System
from victor_ext._values.clocks import TOLERATED_SKEW
from victor_ext._values.exit_status import FAILED

from ._screen import in_columns, plain
from ._session import Provider, Session, system_of, with_session

_DEADLINE_SECONDS = 20.0
"""For the signed read, if `--deadline` does not say."""


@with_session
def doctor(session: Session, *, provider: Provider = DEFAULT) -> None:
    """Read from the provider, and compare the clocks.

    Nothing is changed. The exit status is 0 if all is well, 2 if a setting is wrong, 75 if the
    provider cannot be reached now, and 1 if anything else is wrong.
    """
    system = system_of(provider)
    with (
        session.report_failures(),
        session.client_of(provider, deadline=_DEADLINE_SECONDS) as client,
    ):
        facts = dict(_facts(client, system))
        offset = _offset(client)
        facts["clock"] = "not known: no response had a Date header"
        is_right = offset is None or abs(offset) <= TOLERATED_SKEW
        if offset is not None:
            facts["clock"] = f"within {TOLERATED_SKEW:g} s of the provider's"
        if offset is not None and not is_right:
            direction = "ahead of" if offset > 0 else "behind"
            facts["clock"] = f"{abs(offset):,.0f} s {direction} the provider's: let NTP set it"
        lines = in_columns(
            [(name.replace("_", " ").capitalize(), text) for name, text in facts.items()]
        )
        session.conclude({"ok": is_right, **facts}, "\n".join(map(plain, lines)))
    if not is_right:
        raise typer.Exit(FAILED)


def _facts(client: Any, system: System) -> Iterator[tuple[str, str]]:
    """Yield what the settings are, and what a signed read has shown. Raises a `VictorError`."""
    yield "environment", ", ".join(filter(None, (client.environment, client.base_url)))
    if system.credentials:
        yield "credentials", system.load("credentials")(os.environ)
    if client.proxy is not None:
        yield "proxy", client.proxy
    if system.lists:
        ping = client.ping()
        yield "signed_read", f"{system.lists} can be listed ({ping.seconds * 1000:,.0f} ms)"
    elif system.signed_read:
        yield "signed_read", system.load("signed_read")(client)
    else:
        yield "signed_read", system.why_no_ping


def _offset(client: Any) -> float | None:
    """Return how far this clock is ahead, in seconds, by the `Date` of the responses; None: no
    response had one.
    """
    provider_time = client.provider_time()
    if not provider_time.is_known:
        return None
    return float((datetime.now(UTC) - provider_time.moment).total_seconds())
