"""`victor conform`: is the provider what this package takes it for?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from victor_ext._exit_status import FAILED, FOR_NOW
from victor_ext.systems import DEFAULT

from .chosen_system import Provider
from .failures import Misuse
from .options import flag, option, seconds
from .screen import Progress, complain, plain, say, tolerate_lost_output
from .session import Session, with_session

if TYPE_CHECKING:
    from victor_ext.conform import Plan, Report

DEFAULT_FILE = Path("conform.json")
"""The default of `--out`. `victor doctor` says how old that file is."""


class _ConformSession(Session):
    """The options of `conform`: the members of a `Plan`."""

    payee: Annotated[
        str | None, option("Ask for 0.01 a few times: to this account number.", "NUMBER")
    ] = None
    payer: Annotated[str | None, option("And from this counterparty.", "ID")] = None
    own_payer: Annotated[
        bool, flag("--own-payer", "Its account is yours: answer two requests, and let 0.01 move.")
    ] = False
    token_tolerance: Annotated[
        bool,
        flag("--token-tolerance", "Send four tokens that should be refused. Many may lock a key."),
    ] = False
    key_life: Annotated[
        float | None,
        option(
            "Measure how long keys are kept, up to 26h. It takes that long.", "TIME", parser=seconds
        ),
    ] = None
    read_only: Annotated[
        bool, flag("--read-only", "Only read. In production nothing else is allowed.")
    ] = False


@with_session
def conform(
    session: _ConformSession,
    *,
    provider: Provider = DEFAULT,
    out: Annotated[
        Path, option("The file of the measurement. It goes on from one that is there.", "FILE")
    ] = DEFAULT_FILE,
    show_plan: Annotated[
        bool, flag("--plan", "Print what would be sent, at most, and send nothing.")
    ] = False,
    compare: Annotated[
        Path | None, option("Say what has changed since an earlier file.", "FILE")
    ] = None,
) -> None:
    """Measure what the provider does where its document is silent, and where that differs from what
    is assumed.

    It prints Markdown, for the provider's ticket, too.

    The exit status is 0 if all is as assumed (with --compare: as before), 1 if something differs, 2
    for misuse, and 75 if something could not be measured: run it again, and it goes on from its
    file.
    """
    if out.is_dir():
        raise Misuse(f"--out is {out}, which is a folder: name a file.")
    with session.report_failures(default_status=FOR_NOW):
        from victor_ext.conform import Plan, load  # noqa: PLC0415 - only this command needs it

        named = session.environment_named(provider)
        plan = Plan(**session.own_options, environment=named)
        if show_plan:
            _show_plan(session, provider, plan)
            return
        before = None if compare is None else load(compare)
        report = _measure(session, provider, plan, out)
        _show_report(report, before, as_json=session.as_json)
        raise typer.Exit(_exit_status(report, before))


def _show_plan(session: Session, provider: str, plan: Plan) -> None:
    """Check the plan, which sends nothing, and print it."""
    with session.client_of(provider) as client:
        plan.check(client)
    say(json.dumps(plan.to_dict()) if session.as_json else str(plan))


def _measure(session: Session, provider: str, plan: Plan, out: Path) -> Report:
    """Measure into the file `out`, with progress on standard error; Ctrl-C shows how to go on."""
    from victor_ext.conform import load, measure  # noqa: PLC0415 - only this command needs it

    if provider == DEFAULT:
        complain(str(plan))
    else:
        complain("The reads of its table are sent once each. Nothing is created or changed.")
    begun_probes = 0

    def connect(**settings: Any) -> Any:
        return session.client_of(provider, **settings)

    def show_probe(probe: Any) -> None:
        """Show a probe that begins: as many are done as have begun before it."""
        nonlocal begun_probes
        progress.show("conform", begun_probes, None, probe.names[0], unit="probes")
        begun_probes += 1

    try:
        with Progress(as_json=session.as_json) as progress:
            return measure(out, plan, connect, on_probe=show_probe)
    except KeyboardInterrupt:
        if out.exists():
            advice = f"Run it again with the same options: it goes on from {out}."
            complain(f"{load(out).creates}\n{advice}")
        raise


@tolerate_lost_output()
def _show_report(report: Report, before: Report | None, *, as_json: bool) -> None:
    """Show the report, compared with that of an earlier file; None: there is none."""
    document = report.document
    text = report.text()
    if before is not None:
        changes = {
            "changes": report.changes(before),
            "not_compared": report.not_compared(before),
        }
        document = document | changes
        text = f"{text}\n\n{report.comparison(before)}"
    if as_json:
        say(json.dumps(document))
    else:
        say("\n".join(map(plain, text.split("\n"))))


def _exit_status(report: Report, before: Report | None) -> int:
    """Return the exit status. The arguments are those of `_show_report`."""
    differences = report.differences if before is None else report.changes(before)
    if differences:
        return FAILED
    return FOR_NOW if report.failures else 0
