"""`victor reconcile`: does our book agree with the provider's?"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import chain, groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from victor_ext._exit_status import FOR_NOW, MISUSE
from victor_ext.systems import DEFAULT

from .failures import Misuse
from .row_files import ColumnFile, Columns, DateFormat, DecimalMark, Encoding, columns_of
from .screen import Progress, complain, decided, plain, say, terminal_width
from .session import (
    MOMENTS,
    Provider,
    Session,
    moments,
    option,
    report_file,
    system_of,
    with_session,
)
from .view import UTC_TIME, entry
from .wording import ENCODING, column_remedy, rows_text

if TYPE_CHECKING:
    from jinja2 import Template
    from rich.text import Text

    from victor_ext.money import Money
    from victor_ext.reconciliation import InvalidEntries, Reconciliation, Row
    from victor_ext.reconciliation import Progress as Counts

_LONGEST_MARGIN = 365 * 24 * 60
"""Minutes."""
_SHOWN = 10
"""The maximum number of differences to show."""
_LISTED = 1000
"""The maximum rows of one kind in a page: a browser can open and print it, however much differs."""
KINDS = {
    "duplicate": ("bold white on red", "asked twice: one more of theirs for one of ours"),
    "differs": ("red", "another amount, currency, id or reference"),
    "missing": ("red", "ours, and not theirs"),
    "unknown": ("red", "theirs, and not ours"),
    "at_edge": ("yellow", "theirs, near an end of the window: see the neighbouring book"),
    "repeated": ("yellow", "ours once more than theirs: look before you ask again"),
    "unchecked": ("yellow", "on one side, and nothing shows whether it is on the other"),
    "modified": ("cyan", "the payer agreed to another amount"),
    "matched": ("green", "in both books"),
}
"""The style and the meaning of each kind of row. What to do about it is in `reconcile.html`."""


@with_session
def reconcile(
    session: Session,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Your book: CSV, JSON Lines, or an export of bulk."),
    ],
    *,
    start: Annotated[
        str | None,
        option(
            "The window's start: a Zulu time, or a day in UTC, such as 2026-03-04.",
            "TIME",
            *MOMENTS,
        ),
    ] = None,
    end: Annotated[
        str | None,
        option(
            "The window's end, which is not part of it; a day is its first moment.",
            "TIME",
            *MOMENTS,
        ),
    ] = None,
    provider: Provider = DEFAULT,
    column: Columns = None,
    columns: ColumnFile = None,
    decimal: DecimalMark = None,
    date_format: DateFormat = None,
    currency: Annotated[
        str | None, option("Of rows without one (default: Victor's, USD).", "CODE")
    ] = None,
    encoding: Encoding = None,
    margin: Annotated[
        float,
        option(
            "How far the times of one payment may differ between the books.", "MINUTES", min=0.0
        ),
    ] = 10.0,
    payor_id: Annotated[
        str | None, option("The payor, where payments are listed by payor.", "ID")
    ] = None,
    page_size: Annotated[
        int | None, option("Payments in a page (default: the provider's).", "N")
    ] = None,
    out: Annotated[
        Path | None,
        option(
            "Write all rows to a file, as CSV, or as JSON Lines if its name ends in .jsonl.", "FILE"
        ),
    ] = None,
    html: Annotated[
        Path | None,
        option(
            "Write a report for people to open and print: totals, differences, what to do.", "FILE"
        ),
    ] = None,
) -> None:
    """Compare a file with what the provider has: matched, missing, unknown, differing, asked twice.

    It only reads. The exit status is 0 if the books agree, 1 if they do not, 2 for misuse or rows
    that cannot be right, and 75 if the provider's book could not be read, or a file not be written:
    it can be run again.
    """
    with _failures(session):
        ends = moments({"start": start, "end": end}, "start", "end", doing="The reconciliation")
        from victor_ext.reconciliation import (  # noqa: PLC0415 - the same
            RowFile,
            write_csv,
            write_json_lines,
        )
        from victor_ext.reconciliation import reconcile as compare  # noqa: PLC0415 - only this needs it

        _check_outputs(file, {"--out": out, "--html": html})
        if not margin <= _LONGEST_MARGIN:  # NaN, too
            raise Misuse(f"--margin is {margin}: write minutes from 0 to {_LONGEST_MARGIN}.")
        options: dict[str, Any] = {
            **ends, "currency": currency,
            "margin": timedelta(minutes=margin), "payor_id": payor_id, "page_size": page_size,
        }  # fmt: skip

        def show(counts: Counts) -> None:
            text = (
                f"{counts.ours:,} of ours, {counts.theirs:,} of theirs, {counts.looked_up:,} "
                "looked up"
            )
            progress.show("reconcile", counts.ours + counts.theirs, None, text)

        headings = _headings(column, columns, provider)
        ours = RowFile(file, headings, decimal=decimal, date_format=date_format, encoding=encoding)
        system, client = session.client_of(provider)
        with (
            client,
            Progress(as_json=session.as_json) as progress,
            compare(client, ours, **options, on_progress=show) as report,
        ):
            progress.close()
            if out is not None:
                write = (
                    write_json_lines
                    if out.suffix.lower() in (".jsonl", ".ndjson", ".json")
                    else write_csv
                )
                with report_file(out, "--out") as written:
                    write(written, report)
            place = ", ".join(filter(None, (system.title, client.environment, client.base_url)))
            about = {"Our book": plain(file.name), "Provider": place}
            times = {
                "From": ends["start"],
                "Until just before": ends["end"],
                "Made": datetime.now(UTC),
            }
            about |= {name: f"{at:{UTC_TIME}}" for name, at in times.items()}
            if html is not None:
                with report_file(html, "--html") as written:
                    _write_page(written, report, about)
            written_to = {"All rows are": out, "The report is": html}
            _show(report, about, written_to, as_json=session.as_json)
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


def _headings(named: list[str] | None, file: Path | None, provider: str) -> dict[str, str | None]:
    """Return the file's own headings of columns. Raises `Misuse`."""
    from victor_ext.reconciliation import COLUMNS  # noqa: PLC0415 - only this needs it

    system = system_of(provider)
    elsewhere: Collection[str] = ()
    if file is not None and not system.why_not_bulk:
        elsewhere = system.load("bulk").columns
    known = {*COLUMNS, *chain.from_iterable(COLUMNS.values())}
    return columns_of(named, file, known=known, elsewhere=elsewhere)


@contextmanager
def _failures(session: Session) -> Generator[None]:
    """Report a failure. A read that failed must not look like a difference."""
    from victor_ext.reconciliation import InvalidEntries  # noqa: PLC0415 - `victor --help` does not need it

    with session.failures(failed=FOR_NOW):
        try:
            yield
        except InvalidEntries as error:
            if session.as_json:
                raise
            _show_problems(error)
            raise typer.Exit(MISUSE) from None


def _show_problems(error: InvalidEntries) -> None:
    for problem in error.problems:
        complain(plain(problem.message))
    remedies = [
        ENCODING if problem.code == "encoding" else column_remedy(problem)
        for problem in error.problems
    ]
    advice = [plain(remedy) for remedy in dict.fromkeys(remedies) if remedy is not None]
    complain(
        " ".join(
            ["Error: the file cannot be compared. Nothing was read from the provider.", *advice]
        )
    )


@decided()
def _show(
    report: Reconciliation,
    about: Mapping[str, str],
    written: Mapping[str, Path | None],
    *,
    as_json: bool,
) -> None:
    """Print the result.

    `about` says what was compared, `written` what is in which file, or would be.
    """
    summary = report.summary
    if as_json:
        say(json.dumps(summary.to_dict()))
        return
    differing = _differing(report)
    for row in islice(report.differences(), _SHOWN):
        for line in _difference(row):
            say(line)
    if differing > _SHOWN:
        more, out = f"... and {differing - _SHOWN:,} more", written["All rows are"]
        say(
            more
            + (
                ": --out report.csv writes all of them"
                if out is None
                else f": see {plain(str(out))}"
            )
        )
    if differing:
        say("")
    for line in _table(report):
        say(line)
    say(f"\nThe window is from {about['From']} until just before {about['Until just before']}.")
    for note in _notes(report):
        say(note)
    say(_verdict(report))
    for what, path in written.items():
        if path is not None:
            complain(f"{what} in {plain(str(path))}.")


def _write_page(file: TextIO, report: Reconciliation, about: Mapping[str, str]) -> None:
    """Write the report as one HTML document: it loads nothing, and runs nothing."""
    kinds = groupby(report.differences(), lambda row: row.kind)
    sections = ((kind, map(_cells, islice(rows, _LISTED))) for kind, rows in kinds)
    words = {
        "verdict": _verdict(report),
        "notes": map(plain, _notes(report)),
        "kinds": KINDS,
        "listed": _LISTED,
    }
    shown = {"about": about, "report": report, "sections": sections, "label": _label, "sums": _sums}
    file.writelines(page_template().generate(words | shown))


def page_template() -> Template:
    """The template of the page. What it shows is escaped."""
    from importlib.resources import files  # noqa: PLC0415 - only the page needs it

    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - only the page needs it

    templates = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    source = files("victor_ext.cli").joinpath("reconcile.html").read_text(encoding="utf-8")
    return templates.from_string(source)


def _verdict(report: Reconciliation) -> str:
    if not report.summary.totals:
        return "Nothing was compared: no row of either book is in the window."
    if {*report.summary.totals} <= {"unchecked", "matched", "modified"} and not report.agrees:
        return (
            "Nothing shows whether the books agree: "
            f"{rows_text(_differing(report))} cannot be compared."
        )
    return (
        "The books agree."
        if report.agrees
        else f"The books differ: {rows_text(_differing(report))}."
    )


def _differing(report: Reconciliation) -> int:
    totals = report.summary.totals
    return sum(totals[kind].count for kind in totals if kind not in ("matched", "modified"))


def _label(kind: str) -> str:
    return "ASKED TWICE" if kind == "duplicate" else kind.replace("_", " ")


def _cells(row: Row) -> Sequence[str]:
    """Return the cells of a row in a page: line, ours, its amount, theirs, its amount, its status,
    remark.
    """
    ours, theirs, cells = row.ours, row.theirs, row.to_dict()
    line = our = our_amount = their = their_amount = status = ""
    if ours is not None:
        line = "" if ours.line is None else str(ours.line)
        our = (
            cells["reference"] or cells["id"] or (f"key {ours.key}" if ours.key else "no reference")
        )
        our_amount = str(ours.amount)
    if theirs is not None:
        reference = f"({cells['their_reference']})" if theirs.reference else None
        their = " ".join(part for part in (cells["their_id"], reference) if part) or "-"
        their_amount = "no amount" if theirs.amount is None else str(theirs.amount)
        status = theirs.status or "no status"
    other = row.other_id and f"the other payment is {row.other_id}"
    remark = "; ".join(
        filter(
            None, (" and ".join(f"another {each}" for each in row.differences), other, row.reason)
        )
    )
    return [plain(cell) for cell in (line, our, our_amount, their, their_amount, status, remark)]


def _difference(row: Row) -> Iterator[Text]:
    label = _label(row.kind)
    first, *rest = entry(label, plain("; ".join(_facts(row))), label=14)
    first.stylize(KINDS[row.kind][0], 0, len(label))
    yield from (first, *rest)


def _facts(row: Row) -> Iterator[str]:
    line, ours, our_amount, theirs, their_amount, status, remark = _cells(row)
    if row.ours is not None:
        yield f"ours: {f'line {line}, ' if line else ''}{ours}, {our_amount}"
    if row.theirs is not None:
        yield f"theirs: {theirs}, {their_amount}, {status}"
    if remark:
        yield remark


def _table(report: Reconciliation) -> Iterator[Text]:
    """Yield the counts and sums: without what the kinds mean where the terminal is too narrow."""
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    headings = ("", "rows", "ours", "theirs", "")
    rows = [
        (
            kind.value,
            f"{totals.count:,}",
            _sums(totals.ours),
            _sums(totals.theirs),
            KINDS[kind.value][1],
        )
        for kind, totals in report.summary.totals.items()
    ]
    widths = [max(len(row[place]) for row in [headings, *rows]) for place in range(5)]
    room = terminal_width() or sum(widths) + 8
    for row in [headings, *rows]:
        meaning = row[4] if sum(widths) + 8 <= room else ""
        cells = [
            row[0].replace("_", " ").ljust(widths[0]),
            *(row[i].rjust(widths[i]) for i in (1, 2, 3)),
            meaning,
        ]
        line = Text("  ".join(cells).rstrip(), style="bold" if row is headings else "")
        line.stylize(KINDS.get(row[0], ("",))[0], 0, len(row[0]))
        yield line


def _notes(report: Reconciliation) -> Iterator[str]:
    summary = report.summary
    yield f"{rows_text(summary.ours)} of ours, {summary.theirs:,} of theirs were read."
    if summary.outside:
        yield (
            f"{rows_text(summary.outside)} of ours outside of the window by their own time: no "
            "part of this."
        )
    if summary.not_asked:
        yield (
            f"{rows_text(summary.not_asked)} of the export for which the provider has nothing: "
            "no part of this."
        )
    if summary.elsewhere:
        yield (
            f"{rows_text(summary.elsewhere)} of ours matched only by id, because the provider's "
            "list of the window "
            "has no such payment: whether the customer was asked twice is not known."
        )
    if summary.statuses:
        counts = ", ".join(
            f"{count:,} {plain(status)}" for status, count in summary.statuses.items()
        )
        yield f"Of those in both books: {counts}."
    if summary.ours and not summary.theirs:
        yield (
            "The provider has shown nothing: check the account, the environment and the window "
            "before you ask again."
        )
    yield from summary.notes


def _sums(sums: Sequence[Money]) -> str:
    return " + ".join(f"{money.amount:,f} {money.currency}" for money in sums) or "-"
