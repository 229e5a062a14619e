"""`victor reconcile`: does our book agree with the provider's?"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from victor_ext._exit_status import FOR_NOW, MISUSE
from victor_ext._output import OutputLost
from victor_ext.systems import DEFAULT

from . import reconcile_output
from .failures import Misuse
from .screen import Progress, complain, plain
from .session import MOMENTS, Checks, Provider, Session, option, whole_file, with_session
from .view import UTC_TIME
from .wording import ENCODING, column_remedy

if TYPE_CHECKING:
    from victor_ext.reconciliation import InvalidEntries
    from victor_ext.reconciliation import Progress as Counts

_LONGEST_MARGIN = 365 * 24 * 60


@with_session
def reconcile(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Your book: CSV, JSON Lines, or an export of bulk.")],
    *,
    start: Annotated[
        str | None, option("The window's start: a Zulu time, or a day in UTC, such as 2026-03-04.", "TIME", *MOMENTS)
    ] = None,
    end: Annotated[
        str | None, option("The window's end, which is not part of it; a day is its first moment.", "TIME", *MOMENTS)
    ] = None,
    provider: Provider = DEFAULT,
    column: Annotated[
        list[str] | None,
        option("Of a reference, id, key, amount, currency or at (the time). id= reads none. Repeat it.", "FIELD=NAME"),
    ] = None,
    currency: Annotated[str | None, option("Of rows without one (default: Victor's, USD).", "CODE")] = None,
    encoding: Annotated[str | None, option("Of the file, such as windows-1252 (default: UTF-8).", "NAME")] = None,
    margin: Annotated[
        float, option("How far the times of one payment may differ between the books.", "MINUTES", min=0.0)
    ] = 10.0,
    payor_id: Annotated[str | None, option("The payor, where payments are listed by payor.", "ID")] = None,
    page_size: Annotated[int | None, option("Payments in a page (default: the provider's).", "N")] = None,
    out: Annotated[Path | None, option("Write all rows to a file, as CSV.", "FILE")] = None,
    html: Annotated[
        Path | None, option("Write a report for people to open and print: totals, differences, what to do.", "FILE")
    ] = None,
) -> None:
    """Compare a file with what the provider has: matched, missing, unknown, differing, asked twice.

    It only reads. The exit status is 0 if the books agree, 1 if they do not, 2 for misuse or rows that
    cannot be right, and 75 if the provider's book could not be read, or a file not be written: it can be run again.
    """
    checks = Checks()
    moment = partial(checks.moment, needed=True)
    window: dict[str, Any] = {"start": moment("start", start), "end": moment("end", end)}
    session.use_profile(provider)
    with _failures(session):
        checks.finish("The reconciliation")
        from victor_ext.reconciliation import reconcile as compare  # noqa: PLC0415 - only this needs it
        from victor_ext.reconciliation import write_csv  # noqa: PLC0415 - the same

        _check_outputs(file, {"--out": out, "--html": html})
        if not margin <= _LONGEST_MARGIN:  # NaN, too
            raise Misuse(f"--margin is {margin}: write minutes from 0 to {_LONGEST_MARGIN}.")
        options: dict[str, Any] = {
            **window, "columns": _columns(column or []), "currency": currency, "encoding": encoding,
            "margin": timedelta(minutes=margin), "payor_id": payor_id, "page_size": page_size,
        }  # fmt: skip

        def show(counts: Counts) -> None:
            text = f"{counts.ours:,} of ours, {counts.theirs:,} of theirs, {counts.looked_up:,} looked up"
            progress.show("reconcile", counts.ours + counts.theirs, None, text)

        system, client = session.client_of(provider)
        with (
            client,
            Progress(as_json=session.as_json) as progress,
            compare(client, file, **options, on_progress=show) as report,
        ):
            progress.close()
            if out is not None:
                with whole_file(out, "--out", mode=0o600) as written:
                    write_csv(written, report)
            place = ", ".join(filter(None, (system.title, client.environment, client.base_url)))
            about = {"Our book": plain(file.name), "Provider": place}
            moments = {"From": window["start"], "Until just before": window["end"], "Made": datetime.now(UTC)}
            about |= {name: f"{at:{UTC_TIME}}" for name, at in moments.items()}
            if html is not None:
                with whole_file(html, "--html", mode=0o600) as written:
                    reconcile_output.write_page(written, report, about)
            written_to = {"All rows are": out, "The report is": html}
            reconcile_output.show(report, about, written_to, as_json=session.as_json)
            raise typer.Exit(0 if report.agrees else 1)


def _check_outputs(book: Path, outputs: Mapping[str, Path | None]) -> None:
    given = {name: path for name, path in outputs.items() if path is not None}
    for name, path in given.items():
        if path.is_dir() or not os.access(path.parent, os.W_OK):
            raise Misuse(f"{name} {path} cannot be written: name a file in a folder that exists.")
        if path.exists() and book.exists() and path.samefile(book):
            raise Misuse(f"{name} {path} is the file that is compared: name another one.")
    if len({path.resolve() for path in given.values()}) < len(given):
        raise Misuse(f"{' and '.join(given)} are one file: name two.")


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
    """Report a failure. A read that failed, or a file that could not be written, must not look like a difference."""
    from victor_ext.reconciliation import InvalidEntries  # noqa: PLC0415 - `victor --help` does not need it

    with replace(session, failed=FOR_NOW).failures():
        try:
            yield
        except InvalidEntries as error:
            if session.as_json:
                raise
            _show_problems(error)
            raise typer.Exit(MISUSE) from None
        except OutputLost as error:
            complain(f"Error: the report could not be written: {error}.")
            raise typer.Exit(FOR_NOW) from None


def _show_problems(error: InvalidEntries) -> None:
    for problem in error.problems:
        complain(plain(problem.message))
    remedies = [ENCODING if problem.code == "encoding" else column_remedy(problem) for problem in error.problems]
    advice = [plain(remedy) for remedy in dict.fromkeys(remedies) if remedy is not None]
    complain(" ".join(["Error: the file cannot be compared. Nothing was read from the provider.", *advice]))
