"""`victor conform`: is the provider what this package takes it for?"""

import json
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import typer

from victor_ext._exit_status import FAILED, FOR_NOW
from victor_ext.systems import DEFAULT

from .failures import Misuse
from .screen import Progress, complain, decided, plain, say
from .session import Provider, Session, flag, option, seconds, with_session

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
        from victor_ext.conform import Plan, load, measure  # noqa: PLC0415 - only this needs it

        plan = Plan(**session.own)

        def connect(**more: Any) -> Any:
            return session.client_of(provider, **more)[1]

        if show_plan:
            with connect() as client:
                plan.check(client)
            say(json.dumps(plan.to_dict()) if session.as_json else str(plan))
            return

        before = None if compare is None else load(compare)
        own = "The reads of its table are sent once each. Nothing is created or changed."
        complain(str(plan) if provider == DEFAULT else own)
        began = count()

        def show(probe: Any) -> None:
            progress.show("conform", next(began), None, probe.names[0], unit="probes")

        try:
            with Progress(as_json=session.as_json) as progress:
                report = measure(out, plan, connect, on_probe=show)
        except KeyboardInterrupt:
            if out.exists():
                complain(
                    f"{load(out).creates}\nRun it again with the same options: it goes on from "
                    f"{out}."
                )
            raise
        changes = [] if before is None else report.changes(before)
        with decided():
            more = (
                {}
                if before is None
                else {"changes": changes, "not_compared": report.not_compared(before)}
            )
            text = (
                report.text()
                if before is None
                else f"{report.text()}\n\n{report.comparison(before)}"
            )
            say(
                json.dumps(report.document | more)
                if session.as_json
                else "\n".join(map(plain, text.split("\n")))
            )
        differs = changes if before is not None else report.differences
        raise typer.Exit(FAILED if differs else FOR_NOW if report.failures else 0)
