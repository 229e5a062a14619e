"""`victor conform`: seven questions that a provider's document leaves open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import typer

from victor_ext._exit_status import FAILED, FOR_NOW
from victor_ext._systems import DEFAULT

from ._failures import Misuse
from ._options import option
from ._screen import complain, entry, plain, say, tolerate_lost_output
from ._session import Provider, Session, with_session

if TYPE_CHECKING:
    from rich.text import Text

    from victor_ext.conform import Finding, Payment

_WRITES = (
    "Victor, {place}, is asked for 0.01 under four keys and for 0.02 under one of them. A provider "
    "that ignores keys makes at least seven requests of it. Nothing is accepted."
)
_KEY_OF_DAY = (
    "The key of {day} is repeated, too: if it was forgotten, another request may be made of it."
)
_LABEL_WIDTH = 44
"""Columns of the terminal for a question."""


class _ConformSession(Session):
    """The options of `conform`: who asks whom."""

    payee: str | None = option("Ask for 0.01 a few times: to this account number.", "NUMBER")
    payer: str | None = option("And from this counterparty.", "ID")
    key_day: str | None = option(
        "Repeat the key of an earlier run of this day: is it still kept?", "DATE"
    )


@with_session
def conform(session: _ConformSession, *, provider: Provider = DEFAULT) -> None:
    """Ask a provider seven questions that its document leaves open.

    Without --payee and --payer, and of other systems, it only reads.

    The exit status is 0 if all is as assumed, 1 if something differs, 2 for misuse, and 75 if no
    response shows something: run it again.
    """
    with session.report_failures(one_is_a_result=True), session.client_of(provider) as client:
        from victor_ext.conform import ask  # noqa: PLC0415 - only this command needs it

        payment = _payment_of(session, client)
        if payment is not None:
            complain(_WRITES.format(place=session.environment_text(client)))
            if payment.day is not None:
                complain(_KEY_OF_DAY.format(day=payment.day))
        findings = list(_shown(ask(client, payment), as_json=session.as_json))
    if any(finding.differs for finding in findings):
        raise typer.Exit(FAILED)
    raise typer.Exit(0 if all(finding.is_shown for finding in findings) else FOR_NOW)


def _payment_of(session: _ConformSession, client: Any) -> Payment | None:
    """Return who asks whom; None: nothing is written. Raises `Misuse`."""
    from victor_ext.conform import Payment  # noqa: PLC0415 - only this command needs it

    payee, payer, key_day = session.payee, session.payer, session.key_day
    if payee is None and payer is None and key_day is None:
        return None
    if payee is None or payer is None:
        raise Misuse(
            "--payee and --payer belong together, and --key-day needs both: write both, or none of "
            "the three to only read."
        )
    # A variable may have been written for another host.
    host = None if session.environment is None else urlsplit(str(client.base_url)).hostname
    payment = Payment(payee, payer, _day_of(key_day), host)
    refusal = payment.refusal(client)
    if refusal is not None:
        raise Misuse(f"--payee, --payer: {refusal} Leave them out to only read.")
    return payment


def _day_of(text: str | None) -> date | None:
    if text is None:
        return None
    advice = f"--key-day is {text!r}: write the day of an earlier run, such as 2026-03-04."
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Misuse(advice) from None
    # Today's key has just been used.
    if day >= datetime.now(UTC).date():
        raise Misuse(advice)
    return day


def _shown(findings: Iterator[Finding], *, as_json: bool) -> Iterator[Finding]:
    """Show each finding as it comes: a line of JSON, or lines of the table."""
    for finding in findings:
        with tolerate_lost_output():
            say(*([finding.to_dict()] if as_json else _lines(finding)))
        yield finding


def _lines(finding: Finding) -> Iterator[str | Text]:
    sign = "!" if finding.differs else "=" if finding.is_shown else "?"
    seen = finding.seen
    if finding.differs:
        seen = f"{seen} (assumed: {finding.assumed})"
    name = f"{sign} {finding.question}"
    yield from entry(name, plain(seen), label=max(_LABEL_WIDTH, len(name) + 2))
    for exchange in finding.exchanges:
        came = exchange.id or exchange.error or ""
        status = "no response" if exchange.status is None else str(exchange.status)
        yield plain(f"    {exchange.sent}: {status} {came}".rstrip())
