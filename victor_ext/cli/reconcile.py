"""`victor reconcile`: does our book agree with the provider's?"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from victor_ext.systems import DEFAULT

from . import reconcile_output
from .failures import FOR_NOW, MISUSE, Misuse, victor_failure
from .progress import Progress
from .screen import say
from .session import Checks, Session, option, whole_file, with_session
from .systems import Provider

if TYPE_CHECKING:
    from victor_ext.reconciliation import Reconciliation

_LONGEST_MARGIN = 365 * 24 * 60


@with_session
def reconcile(
    session: Session,
    file: Annotated[Path, typer.Argument(help="Our book: CSV or JSON Lines, a file or an export of victor bulk.")],
    *,
    start: Annotated[str | None, option("The window's start: a Zulu time, yesterday or today (UTC).", "TIME")] = None,
    end: Annotated[str | None, option("The window's end, which is not part of it.", "TIME")] = None,
    provider: Provider = DEFAULT,
    column: Annotated[
        list[str] | None,
        option(
            "Which column is the reference, id, key, amount, currency or at (the time): reference=invoice_no. id= "
            "reads none. Repeat it for several.",
            "FIELD=NAME",
        ),
    ] = None,
    currency: Annotated[str | None, option("Of rows without one (default: Victor's, USD).", "CODE")] = None,
    encoding: Annotated[str | None, option("Of the file, such as windows-1252 (default: UTF-8).", "NAME")] = None,
    margin: Annotated[
        float, option("How far the time of one payment may differ in both books.", "MINUTES", min=0.0)
    ] = 10.0,
    payor_id: Annotated[str | None, option("The payor; Velo needs it.", "ID")] = None,
    page_size: Annotated[int | None, option("Payments in a page (default: the provider's).", "N")] = None,
    out: Annotated[
        Path | None,
        option("Write all rows to a file, as CSV, or as JSON Lines if its name ends in .jsonl.", "FILE"),
    ] = None,
) -> None:
    """Compare a file with what the provider has: matched, missing, unknown, differing, asked twice.

    Nothing is sent but reads. The exit status is 0 if the books agree, 1 if they do not, 2 for misuse or rows that
    cannot be right, and 75 if the provider's book could not be read: then nothing is known, and it can be run again.
    """
    checks = Checks()
    window = {"start": checks.moment("start", start, needed=True), "end": checks.moment("end", end, needed=True)}
    session.use_profile(provider)
    with _failures(session):
        checks.finish("The reconciliation")
        from victor_ext.reconciliation import reconcile as compare  # noqa: PLC0415 - only this needs it

        if out is not None and (out.is_dir() or not os.access(out.parent, os.W_OK)):
            raise Misuse(f"--out {out} cannot be written: name a file in a folder that exists.")
        if out is not None and out.exists() and file.exists() and out.samefile(file):
            raise Misuse(f"--out {out} is the file that is compared: name another one.")
        if not margin <= _LONGEST_MARGIN:  # NaN, too
            raise Misuse(f"--margin is {margin}: write minutes from 0 to {_LONGEST_MARGIN}.")
        options: dict[str, Any] = {
            **window, "columns": _columns(column or []), "currency": currency, "encoding": encoding,
            "margin": timedelta(minutes=margin), "payor_id": payor_id, "page_size": page_size,
        }  # fmt: skip
        with (
            session.client_of(provider)[1] as client,
            Progress(as_json=session.as_json) as progress,
            compare(client, file, **options, on_progress=partial(reconcile_output.show_counts, progress)) as report,
        ):
            progress.close()
            if out is not None:
                _write(report, out)
            if session.as_json:
                say(json.dumps(report.summary.to_dict()))
            else:
                reconcile_output.show(report, out)
            raise typer.Exit(0 if report.agrees else 1)


def _columns(given: list[str]) -> dict[str, str | None]:
    columns: dict[str, str | None] = {}
    for text in given:
        name, equals, column = text.partition("=")
        if not equals:
            raise Misuse(f"--column is {text!r}: write FIELD=NAME, such as reference=invoice_no.")
        columns[name.strip()] = column.strip() or None
    return columns


@contextmanager
def _failures(session: Session) -> Generator[None]:
    """Report a failure. A read that failed must not look like books that differ."""
    from victor_ext import VictorError  # noqa: PLC0415 - `victor --help` does not need them
    from victor_ext.reconciliation import InvalidEntries  # noqa: PLC0415 - the same

    try:
        yield
    except VictorError as error:
        failure = victor_failure(error, None, session.spelled)
        if isinstance(error, InvalidEntries) and not session.as_json:
            reconcile_output.show_problems(error)
        else:
            failure.report(as_json=session.as_json)
        raise typer.Exit(MISUSE if failure.exit_status == MISUSE else FOR_NOW) from None


def _write(report: Reconciliation, out: Path) -> None:
    from victor_ext.reconciliation import write_csv, write_json_lines  # noqa: PLC0415 - only this needs it

    write = write_json_lines if out.suffix.lower() in (".jsonl", ".ndjson", ".json") else write_csv
    with whole_file(out, "--out") as file:
        write(file, report)
