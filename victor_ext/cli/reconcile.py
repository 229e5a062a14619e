"""`victor reconcile`: does our book agree with the provider's?"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TextIO

import typer

from victor_ext._exit_status import FAILED, FOR_NOW, MISUSE
from victor_ext.systems import DEFAULT

from .chosen_system import Provider, system_of
from .failures import Misuse
from .options import argument, number, option, whole_number
from .output_files import report_file
from .row_files import ColumnFile, Columns, DateFormat, DecimalMark, Encoding, columns_of
from .screen import Progress, complain, plain, say, terminal_width, tolerate_lost_output
from .session import Session, with_session
from .times import MOMENTS, moments
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
    file: Annotated[Path, argument("FILE")],
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
            "How far the times of one payment may differ between the books.",
            "MINUTES",
            parser=number(0),
        ),
    ] = 10.0,
    payor_id: Annotated[
        str | None, option("The payor, where payments are listed by payor.", "ID")
    ] = None,
    page_size: Annotated[
        int | None,
        option("Payments in a page (default: the provider's).", "N", parser=whole_number()),
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

    FILE is your book: CSV, JSON Lines, or an export of bulk. It only reads. The exit status is 0 if
    the books agree, 1 if they do not, 2 for misuse or rows that cannot be right, and 75 if the
    provider's book could not be read, or a file not be written: it can be run again.
    """
    with _failures(session):
        texts = {"start": start, "end": end}
        window = moments(texts, *texts, doing="The reconciliation")
        from victor_ext.reconciliation import RowFile  # noqa: PLC0415 - only this needs it
        from victor_ext.reconciliation import reconcile as compare  # noqa: PLC0415 - the same

        _check_outputs(file, {"--out": out, "--html": html})
        if not margin <= _LONGEST_MARGIN:  # NaN, too
            raise Misuse(f"--margin is {margin}: write minutes from 0 to {_LONGEST_MARGIN}.")
        options: dict[str, Any] = {
            **window,
            "currency": currency,
            "margin": timedelta(minutes=margin),
            "payor_id": payor_id,
            "page_size": page_size,
        }
        headings = _headings(column, columns, provider)
        ours = RowFile(file, headings, decimal=decimal, date_format=date_format, encoding=encoding)
        system, client = session.client_of(provider)
        with (
            client,
            Progress(as_json=session.as_json) as progress,
            compare(client, ours, **options, on_progress=partial(_count, progress)) as report,
        ):
            progress.close()
            place = ", ".join(filter(None, (system.title, client.environment, client.base_url)))
            context = {"Our book": plain(file.name), "Provider": place, **_times(window)}
            _write_files(report, context, out=out, html=html)
            written = {"All rows are": out, "The report is": html}
            _show(report, context, written, as_json=session.as_json)
            raise typer.Exit(0 if report.agrees else FAILED)


def _count(progress: Progress, counts: Counts) -> None:
    text = f"{counts.ours:,} of ours, {counts.theirs:,} of theirs, {counts.looked_up:,} looked up"
    progress.show("reconcile", counts.ours + counts.theirs, None, text)


def _times(window: Mapping[str, datetime]) -> dict[str, str]:
    """Return what was compared when, for people."""
    times = {
        "From": window["start"],
        "Until just before": window["end"],
        "Made": datetime.now(UTC),
    }
    return {name: f"{time:{UTC_TIME}}" for name, time in times.items()}


def _write_files(
    report: Reconciliation, context: Mapping[str, str], *, out: Path | None, html: Path | None
) -> None:
    if out is not None:
        _write_rows(out, report)
    if html is not None:
        with report_file(html, "--html") as page:
            _write_page(page, report, context)


def _write_rows(path: Path, report: Reconciliation) -> None:
    from victor_ext.reconciliation import write_csv, write_json_lines  # noqa: PLC0415 - only this needs it

    is_json = path.suffix.lower() in (".jsonl", ".ndjson", ".json")
    write = write_json_lines if is_json else write_csv
    with report_file(path, "--out") as file:
        write(file, report)


def _check_outputs(book: Path, outputs: Mapping[str, Path | None]) -> None:
    named = {name: path for name, path in outputs.items() if path is not None}
    for name, path in named.items():
        if path.is_dir() or not os.access(path.parent, os.W_OK):
            raise Misuse(f"{name} {path} cannot be written: name a file in a folder that exists.")
        if path.exists() and book.exists() and path.samefile(book):
            raise Misuse(f"{name} {path} is the file that is compared: name another one.")
    files = {path.resolve() for path in named.values()}
    if len(files) < len(named):
        raise Misuse(f"{' and '.join(named)} are one file: name two.")


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

    with session.report_failures(default_status=FOR_NOW):
        try:
            yield
        except InvalidEntries as error:
            if session.as_json:
                raise
            _show_problems(error)
            raise typer.Exit(MISUSE) from None


def _show_problems(error: InvalidEntries) -> None:
    advice = dict[str, None]()  # each once, in their order
    for problem in error.problems:
        complain(plain(problem.message))
        remedy = ENCODING if problem.code == "encoding" else column_remedy(problem)
        if remedy is not None:
            advice[plain(remedy)] = None
    refusal = "Error: the file cannot be compared. Nothing was read from the provider."
    complain(" ".join([refusal, *advice]))


@tolerate_lost_output()
def _show(
    report: Reconciliation,
    context: Mapping[str, str],
    written: Mapping[str, Path | None],
    *,
    as_json: bool,
) -> None:
    """Print the result.

    `context` says what was compared, `written` what is in which file, or would be.
    """
    if as_json:
        say(json.dumps(report.summary.to_dict()))
        return
    _show_differences(report, written["All rows are"])
    for line in _table(report):
        say(line)
    start, end = context["From"], context["Until just before"]
    say(f"\nThe window is from {start} until just before {end}.")
    for note in _notes(report):
        say(note)
    say(_verdict(report))
    for content, path in written.items():
        if path is not None:
            complain(f"{content} in {plain(str(path))}.")


def _show_differences(report: Reconciliation, out: Path | None) -> None:
    """Print the first differences, and where all of them are."""
    count = _differing(report)
    for row in islice(report.differences(), _SHOWN):
        for line in _difference(row):
            say(line)
    if count > _SHOWN:
        all_of_them = "--out report.csv writes all of them"
        if out is not None:
            all_of_them = f"see {plain(str(out))}"
        say(f"... and {count - _SHOWN:,} more: {all_of_them}")
    if count:
        say("")


def _write_page(file: TextIO, report: Reconciliation, context: Mapping[str, str]) -> None:
    """Write the report as one HTML document: it loads nothing, and runs nothing."""
    kinds = groupby(report.differences(), lambda row: row.kind)
    sections = ((kind, map(_page_cells, islice(rows, _LISTED))) for kind, rows in kinds)
    shown = {
        "verdict": _verdict(report),
        "notes": map(plain, _notes(report)),
        "kinds": KINDS,
        "listed": _LISTED,
        "about": context,
        "report": report,
        "sections": sections,
        "label": _label,
        "sums": _sums,
    }
    file.writelines(page_template().generate(shown))


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
    if report.agrees:
        return "The books agree."
    rows = rows_text(_differing(report))
    if {*report.summary.totals} <= {"unchecked", "matched", "modified"}:
        return f"Nothing shows whether the books agree: {rows} cannot be compared."
    return f"The books differ: {rows}."


def _differing(report: Reconciliation) -> int:
    totals = report.summary.totals
    return sum(totals[kind].count for kind in totals if kind not in ("matched", "modified"))


def _label(kind: str) -> str:
    return "ASKED TWICE" if kind == "duplicate" else kind.replace("_", " ")


class _Cells(NamedTuple):
    """A row as people read it: our side and theirs, and what is remarked."""

    line: str
    ours: str
    our_amount: str
    theirs: str
    their_amount: str
    status: str
    remark: str


def _page_cells(row: Row) -> Sequence[str]:
    return [plain(cell) for cell in _cells(row)]


def _cells(row: Row) -> _Cells:
    line, ours, our_amount = _our_cells(row)
    theirs, their_amount, status = _their_cells(row)
    return _Cells(line, ours, our_amount, theirs, their_amount, status, _remark(row))


def _our_cells(row: Row) -> tuple[str, str, str]:
    """Return the line, the name and the amount of our payment; all are empty where there is
    none.
    """
    payment = row.ours
    if payment is None:
        return "", "", ""
    written = row.to_dict()
    name = written["reference"] or written["id"]
    if not name:
        name = f"key {payment.key}" if payment.key else "no reference"
    line = "" if payment.line is None else str(payment.line)
    return line, name, str(payment.amount)


def _their_cells(row: Row) -> tuple[str, str, str]:
    """Return the name, the amount and the status of their payment; all are empty where there is
    none.
    """
    payment = row.theirs
    if payment is None:
        return "", "", ""
    written = row.to_dict()
    names = [written["their_id"]]
    if payment.reference:
        names.append(f"({written['their_reference']})")
    amount = "no amount" if payment.amount is None else str(payment.amount)
    return " ".join(filter(None, names)) or "-", amount, payment.status or "no status"


def _remark(row: Row) -> str:
    remarks = [" and ".join(f"another {difference}" for difference in row.differences)]
    if row.other_id:
        remarks.append(f"the other payment is {row.other_id}")
    if row.reason:
        remarks.append(row.reason)
    return "; ".join(filter(None, remarks))


def _difference(row: Row) -> Iterator[Text]:
    label = _label(row.kind)
    style, _ = KINDS[row.kind]
    first, *more = entry(label, plain("; ".join(_facts(row))), label=14)
    first.stylize(style, 0, len(label))
    yield first
    yield from more


def _facts(row: Row) -> Iterator[str]:
    cells = _Cells(*_page_cells(row))
    if row.ours is not None:
        line = f"line {cells.line}, " if cells.line else ""
        yield f"ours: {line}{cells.ours}, {cells.our_amount}"
    if row.theirs is not None:
        yield f"theirs: {cells.theirs}, {cells.their_amount}, {cells.status}"
    if cells.remark:
        yield cells.remark


class _Line(NamedTuple):
    """A line of the table of totals."""

    kind: str
    rows: str
    ours: str
    theirs: str
    meaning: str


_HEADING = _Line("", "rows", "ours", "theirs", "")


def _table(report: Reconciliation) -> Iterator[Text]:
    """Yield the counts and sums: without what the kinds mean where the terminal is too narrow."""
    lines = [_HEADING]
    for kind, totals in report.summary.totals.items():
        _, meaning = KINDS[kind.value]
        count = f"{totals.count:,}"
        lines.append(_Line(kind.value, count, _sums(totals.ours), _sums(totals.theirs), meaning))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    total = sum(widths) + 8
    has_room = total <= (terminal_width() or total)
    for line in lines:
        yield _table_line(line, widths, has_room=has_room)


def _table_line(line: _Line, widths: Sequence[int], *, has_room: bool) -> Text:
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    cells = [
        line.kind.replace("_", " ").ljust(widths[0]),
        line.rows.rjust(widths[1]),
        line.ours.rjust(widths[2]),
        line.theirs.rjust(widths[3]),
    ]
    if has_room:
        cells.append(line.meaning)
    text = Text("  ".join(cells).rstrip(), style="bold" if line is _HEADING else "")
    if line.kind:
        style, _ = KINDS[line.kind]
        text.stylize(style, 0, len(line.kind))
    return text


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
        counts = [f"{count:,} {plain(status)}" for status, count in summary.statuses.items()]
        yield f"Of those in both books: {', '.join(counts)}."
    if summary.ours and not summary.theirs:
        yield (
            "The provider has shown nothing: check the account, the environment and the window "
            "before you ask again."
        )
    yield from summary.notes


def _sums(sums: Sequence[Money]) -> str:
    return " + ".join(f"{money.amount:,f} {money.currency}" for money in sums) or "-"
