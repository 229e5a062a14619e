"""`victor reconcile`: does our book agree with the provider's?

What is printed, and the page for people, are in `reconcile_report.py`.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from victor_ext._exit_status import FAILED, FOR_NOW, MISUSE
from victor_ext.systems import DEFAULT

from .failures import Misuse
from .options import argument, number, option, whole_number
from .output_files import report_file
from .reconcile_report import show_report, write_page
from .row_files import ColumnFile, Columns, DateFormat, DecimalMark, Encoding, headings_of
from .screen import Progress, complain, plain
from .session import Provider, Session, system_of, with_session
from .times import MOMENTS, moments
from .view import UTC_TIME
from .wording import ENCODING, column_remedy

if TYPE_CHECKING:
    from victor_ext.reconciliation import InvalidEntries, Reconciliation
    from victor_ext.reconciliation import Progress as Counts

_LONGEST_MARGIN_MINUTES = 365 * 24 * 60


@with_session
def reconcile(
    session: Session,
    file: Path = argument("FILE"),
    *,
    start: str | None = option(
        "The window's start: a Zulu time, or a day in UTC, such as 2026-03-04.", "TIME", *MOMENTS
    ),
    end: str | None = option(
        "The window's end, which is not part of it; a day is its first moment.", "TIME", *MOMENTS
    ),
    provider: Provider = DEFAULT,
    column: Columns = None,
    columns: ColumnFile = None,
    decimal: DecimalMark = None,
    date_format: DateFormat = None,
    currency: str | None = option("Of rows without one (default: Victor's, USD).", "CODE"),
    encoding: Encoding = None,
    margin: float = option(
        "How far the times of one payment may differ between the books.",
        "MINUTES",
        parser=number(0),
        default=10.0,
    ),
    payor_id: str | None = option("The payor, where payments are listed by payor.", "ID"),
    page_size: int | None = option(
        "Payments in a page (default: the provider's).", "N", parser=whole_number()
    ),
    out: Path | None = option(
        "Write all rows to a file, as CSV, or as JSON Lines if its name ends in .jsonl.", "FILE"
    ),
    html: Path | None = option(
        "Write a report for people to open and print: totals, differences, what to do.", "FILE"
    ),
) -> None:
    """Compare a file with what the provider has: matched, missing, unknown, differing, asked twice.

    FILE is your book: CSV, JSON Lines, or an export of bulk. It only reads. The exit status is 0 if
    the books agree, 1 if they do not, 2 for misuse or rows that cannot be right, and 75 if the
    provider's book could not be read, or a file not be written: it can be run again.
    """
    with _report_failures(session):
        texts = {"start": start, "end": end}
        window = moments(texts, *texts, doing="The reconciliation")
        from victor_ext.reconciliation import RowFile  # noqa: PLC0415 - only this needs it
        from victor_ext.reconciliation import reconcile as compare  # noqa: PLC0415 - the same

        _check_outputs(file, {"--out": out, "--html": html})
        is_valid_margin = margin <= _LONGEST_MARGIN_MINUTES  # False of NaN, too
        if not is_valid_margin:
            raise Misuse(
                f"--margin is {margin}: write minutes from 0 to {_LONGEST_MARGIN_MINUTES}."
            )
        options: dict[str, Any] = {
            **window,
            "currency": currency,
            "margin": timedelta(minutes=margin),
            "payor_id": payor_id,
            "page_size": page_size,
        }
        headings = headings_of(column, columns, provider, for_bulk=False)
        our_book = RowFile(
            file, headings, decimal=decimal, date_format=date_format, encoding=encoding
        )
        with (
            session.client_of(provider) as client,
            Progress(as_json=session.as_json) as progress,
            compare(
                client, our_book, **options, on_progress=partial(_show_progress, progress)
            ) as report,
        ):
            progress.close()
            place = (system_of(provider).title, client.environment, client.base_url)
            context = {
                "Our book": plain(file.name),
                "Provider": ", ".join(filter(None, place)),
                **_times(window),
            }
            if out is not None:
                _write_rows(out, report)
            if html is not None:
                with report_file(html, "--html") as page:
                    write_page(page, report, context, decimal)
            show_report(
                report, context, out=out, html=html, decimal=decimal, as_json=session.as_json
            )
            raise typer.Exit(0 if report.agrees else FAILED)


def _show_progress(progress: Progress, counts: Counts) -> None:
    """Show how many payments of both books were read."""
    text = f"{counts.ours:,} of ours, {counts.theirs:,} of theirs, {counts.looked_up:,} looked up"
    progress.show("reconcile", counts.ours + counts.theirs, None, text)


def _times(window: Mapping[str, datetime]) -> dict[str, str]:
    """Return the window that was compared, and when that was done, for people: a label and a time
    each.
    """
    times = {
        "From": window["start"],
        "Until just before": window["end"],
        "Made": datetime.now(UTC),
    }
    return {name: f"{time:{UTC_TIME}}" for name, time in times.items()}


def _write_rows(path: Path, report: Reconciliation) -> None:
    """Write all rows to the file of --out, in the format that its name says."""
    from victor_ext.reconciliation import write_csv, write_json_lines  # noqa: PLC0415 - only --out needs it

    is_json = path.suffix.lower() in (".jsonl", ".ndjson", ".json")
    write = write_json_lines if is_json else write_csv
    with report_file(path, "--out") as file:
        write(file, report)


def _check_outputs(book: Path, outputs: Mapping[str, Path | None]) -> None:
    """Raise `Misuse` if a file, by the option that names it, cannot be written, or is the book or
    another output: a comparison may take long, and is not made in vain.
    """
    paths = {option_name: path for option_name, path in outputs.items() if path is not None}
    for option_name, path in paths.items():
        if path.is_dir() or not os.access(path.parent, os.W_OK):
            raise Misuse(
                f"{option_name} {path} cannot be written: name a file in a folder that exists."
            )
        if path.exists() and book.exists() and path.samefile(book):
            raise Misuse(f"{option_name} {path} is the file that is compared: name another one.")
    files = {path.resolve() for path in paths.values()}
    if len(files) < len(paths):
        raise Misuse(f"{' and '.join(paths)} are one file: name two.")


@contextmanager
def _report_failures(session: Session) -> Generator[None]:
    """Report a failure of the block, and end the command with another status than 1, which says
    that the books differ.
    """
    from victor_ext.reconciliation import InvalidEntries  # noqa: PLC0415 - `victor --help` does not need it

    with session.report_failures(default_status=FOR_NOW):
        try:
            yield
        except InvalidEntries as error:
            if session.as_json:
                raise
            _show_invalid_entries(error)
            raise typer.Exit(MISUSE) from None


def _show_invalid_entries(error: InvalidEntries) -> None:
    """Print what is wrong with our book, and then what to do about it."""
    advice: list[str] = []
    for problem in error.problems:
        complain(plain(problem.message))
        remedy = ENCODING if problem.code == "encoding" else column_remedy(problem)
        if remedy is not None:
            advice.append(plain(remedy))
    refusal = "Error: the file cannot be compared. Nothing was read from the provider."
    distinct_advice = dict.fromkeys(advice)
    complain(" ".join([refusal, *distinct_advice]))
