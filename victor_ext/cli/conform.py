"""`victor conform`: is the provider what this package takes it for?"""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import victor_ext
from victor_ext._exit_status import FAILED, FOR_NOW, MISUSE
from victor_ext.systems import DEFAULT

from .chosen_system import Provider, system_of
from .failures import Misuse, failure_of
from .options import flag, option, seconds
from .screen import Progress, complain, plain, say, tolerate_lost_output
from .session import Session, with_session
from .wording import named_in_options

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

    @property
    def option_names(self) -> dict[str, str]:
        """Those of the session. A variable does not name the environment of every host, and its
        option does.
        """
        return super().option_names | {"plan.environment": "--environment"}

    def in_own_options(self, text: str) -> str:
        """Return a text with the names of the options of a plan in place of its arguments."""
        names = {name: self.option_names[name] for name in self.own_options}
        return named_in_options(text, names)

    def environment_of_host(self, provider: str) -> str | None:
        """Return the environment that was named for the host of this run; None: none was.

        A variable that was written for another host does not name it, nor one for a host that looks
        like the provider's: there it must be typed.
        """
        named = self.environment_named(provider)
        if self.environment is not None or self.base_url is not None:
            return self.environment
        return None if self._has_look_alike(provider) else named

    def _has_look_alike(self, provider: str) -> bool:
        from victor_ext.conform.place import is_look_alike  # noqa: PLC0415 - only this command needs it

        urls = getattr(system_of(provider), "urls", {})
        with self.client_of(provider) as client:
            return is_look_alike(client.base_url, urls)

    @contextmanager
    def report_refusals(self) -> Generator[None]:
        """Report a failure of the block, and end the command: refused credentials as a setting
        that is wrong, since the same command would be refused again.
        """
        with self.report_failures(default_status=FOR_NOW):
            try:
                yield
            except (victor_ext.AuthenticationError, victor_ext.PermissionDenied) as error:
                failure = failure_of(error, None, self.option_names)
                self.end_with(replace(failure, exit_status=MISUSE))


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
    for misuse and refused credentials, and 75 if something could not be measured: run it again, and
    it goes on from its file.
    """
    if out.is_dir():
        raise Misuse(f"--out is {out}, which is a folder: name a file.")
    with session.report_refusals():
        from victor_ext.conform import Plan, load  # noqa: PLC0415 - only this command needs it

        named = session.environment_of_host(provider)
        plan = Plan(**session.own_options, environment=named)
        before = None if compare is None else load(compare)
        if show_plan:
            _show_plan(session, provider, plan, out)
            return
        report = _measure(session, provider, plan, out)
        _show_report(session, report, before)
        raise typer.Exit(_exit_status(report, before))


def _show_plan(session: Session, provider: str, plan: Plan, out: Path) -> None:
    """Check the plan and its file, which sends nothing, and print it."""
    from victor_ext.conform.measuring import check_file  # noqa: PLC0415 - only this command needs it

    with session.client_of(provider) as client:
        plan.check(client)
        check_file(out, plan, client)
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
def _show_report(session: _ConformSession, report: Report, before: Report | None) -> None:
    """Show the report, compared with that of an earlier file; None: there is none."""
    document = report.document
    text = session.in_own_options(report.text())
    if before is not None:
        changes = {
            "changes": report.changes(before),
            "not_compared": report.not_compared(before),
        }
        document = document | changes
        text = f"{text}\n\n{report.comparison(before)}"
    if session.as_json:
        say(json.dumps(document))
    else:
        say("\n".join(map(plain, text.split("\n"))))


def _exit_status(report: Report, before: Report | None) -> int:
    """Return the exit status. The arguments are those of `_show_report`."""
    differences = report.differences if before is None else report.changes(before)
    if differences:
        return FAILED
    return FOR_NOW if report.failures else 0
