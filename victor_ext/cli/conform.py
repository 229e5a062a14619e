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
from .screen import Progress, complain, decided, plain, say
from .session import Session, with_session

if TYPE_CHECKING:
    from victor_ext.conform import Plan, Report

FILE = Path("conform.json")
"""The default of `--out`. `victor doctor` names its age, too."""


class _Plan(Session):
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
    session: _Plan,
    *,
    provider: Provider = DEFAULT,
    out: Annotated[
        Path, option("The file of the measurement. It goes on from one that is there.", "FILE")
    ] = FILE,
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
    with session.failures(failed=FOR_NOW):
        from victor_ext.conform import Plan, load  # noqa: PLC0415 - only this needs it

        plan = Plan(**session.own)
        if show_plan:
            _show_plan(session, provider, plan)
            return
        before = None if compare is None else load(compare)
        report = _measure(session, provider, plan, out)
        _show(report, before, as_json=session.as_json)
        raise typer.Exit(_exit_status(report, before))


def _show_plan(session: Session, provider: str, plan: Plan) -> None:
    _, client = session.client_of(provider)
    with client:
        plan.check(client)
    say(json.dumps(plan.to_dict()) if session.as_json else str(plan))


def _measure(session: Session, provider: str, plan: Plan, out: Path) -> Report:
    """Measure, with progress on standard error; Ctrl-C shows how to go on."""
    from victor_ext.conform import load, measure  # noqa: PLC0415 - only this needs it

    if provider == DEFAULT:
        complain(str(plan))
    else:
        complain("The reads of its table are sent once each. Nothing is created or changed.")
    done = 0

    def connect(**settings: Any) -> Any:
        return session.client_of(provider, **settings)[1]

    def show(probe: Any) -> None:
        nonlocal done
        progress.show("conform", done, None, probe.names[0], unit="probes")
        done += 1

    try:
        with Progress(as_json=session.as_json) as progress:
            return measure(out, plan, connect, on_probe=show)
    except KeyboardInterrupt:
        if out.exists():
            advice = f"Run it again with the same options: it goes on from {out}."
            complain(f"{load(out).creates}\n{advice}")
        raise


@decided()
def _show(report: Report, before: Report | None, *, as_json: bool) -> None:
    document, text = report.document, report.text()
    if before is not None:
        changes, not_compared = report.changes(before), report.not_compared(before)
        document = document | {"changes": changes, "not_compared": not_compared}
        text = f"{text}\n\n{report.comparison(before)}"
    if as_json:
        say(json.dumps(document))
    else:
        say("\n".join(map(plain, text.split("\n"))))


def _exit_status(report: Report, before: Report | None) -> int:
    differs = report.differences if before is None else report.changes(before)
    if differs:
        return FAILED
    return FOR_NOW if report.failures else 0
