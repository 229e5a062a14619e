"""`victor reconcile`: does our book agree with the provider's?

First the command, then `Report`: what is printed.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from victor_ext._systems import DEFAULT
from victor_ext._values.exit_status import FAILED, MISUSE

from ._failures import Misuse
from ._options import argument, moments, number, option, whole_number
from ._output_files import report_file
from ._row_files import ColumnFile, Columns, DateFormat, DecimalMark, Encoding, headings_of
from ._screen import (
    ProgressBar,
    complain,
    in_columns,
    plain,
    say,
    styled,
    tolerate_lost_output,
)
from ._session import Provider, Session, with_session
from ._view import UTC_TIME
from ._wording import ENCODING, column_remedy, rows_text

if TYPE_CHECKING:
    from rich.text import Text

    from victor_ext.money import Money
    from victor_ext.reconciliation import InvalidEntries, Reconciliation, Row
    from victor_ext.reconciliation import Progress as Counts
    from victor_ext.reconciliation._entries import Ours

_LONGEST_MARGIN_MINUTES = 365 * 24 * 60


@with_session
def reconcile(
    session: Session,
    file: Path | None = argument("FILE", default=None),
    *,
    state: str | None = option(
        "Instead of FILE: the state of bulk sending, with all of its payments. (default: that of "
        "'victor bulk')",
        "URL",
    ),
    batch: list[str] | None = option("Of the state, only this batch. Repeat it.", "NAME"),
    start: str | None = option(
        "The window's start: a Zulu time, or a day in UTC, such as 2026-03-04.", "TIME"
    ),
    end: str | None = option(
        "The window's end, which is not part of it; a day is its first moment.", "TIME"
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
) -> None:
    """Compare your payments with the provider's.

    Each is matched, missing, only theirs, or was asked twice.

    FILE is your book: CSV, JSON Lines, or an export of bulk; without it, the state of bulk is. It
    only reads. The exit status is 0 if the books agree, 1 if they do not, 2 for misuse or rows that
    cannot be right, and 75 if the provider's book could not be read, or a file not be written: it
    can be run again.
    """
    with _report_failures(session):
        texts = {"start": start, "end": end}
        window = moments(texts, *texts, doing="The reconciliation")
        from victor_ext.reconciliation import COLUMNS, RowFile  # noqa: PLC0415 - only this needs it
        from victor_ext.reconciliation import reconcile as compare  # noqa: PLC0415 - the same

        form: dict[str, Any] = {
            "column": column,
            "columns": columns,
            "decimal": decimal,
            "date_format": date_format,
            "encoding": encoding,
            "currency": currency,
        }
        _check_book(session, file, state, batch, form)
        _check_output(file, out)
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
        known = {*COLUMNS, *chain.from_iterable(COLUMNS.values())}
        headings = headings_of(column, columns, known)

        def our_book(client: Any) -> Ours:
            if file is None:
                return _book_of_state(client, state, batch)
            return RowFile(
                file, headings, decimal=decimal, date_format=date_format, encoding=encoding
            )

        with (
            session.client_of(provider) as client,
            ProgressBar(as_json=session.as_json) as bar,
            compare(
                client, our_book(client), **options, on_progress=partial(_show_progress, bar)
            ) as reconciliation,
        ):
            bar.close()
            if out is not None:
                _write_rows(session, out, reconciliation)
            report = Report(reconciliation, window, decimal)
            report.show(out, as_json=session.as_json)
            raise typer.Exit(0 if reconciliation.agrees else FAILED)


def _show_progress(bar: ProgressBar, counts: Counts) -> None:
    """Show how many payments of both books are read."""
    text = f"{counts.ours:,} of ours, {counts.theirs:,} of theirs, {counts.looked_up:,} looked up"
    bar.show("reconcile", counts.ours + counts.theirs, None, text)


def _write_rows(session: Session, path: Path, reconciliation: Reconciliation) -> None:
    """Write all rows to the file of --out, in the format that its name says."""
    from victor_ext.reconciliation import write_csv, write_json_lines  # noqa: PLC0415 - only --out needs it

    is_json = path.suffix.lower() in (".jsonl", ".ndjson", ".json")
    write = write_json_lines if is_json else write_csv
    with report_file(path, "--out", session) as file:
        write(file, reconciliation)


def _check_book(
    session: Session,
    file: Path | None,
    state: str | None,
    batches: Sequence[str] | None,
    form: Mapping[str, object],
) -> None:
    """Raise `Misuse` unless the command line names one book. `form` has the options that say how a
    file is written.
    """
    if file is not None and state is not None:
        raise Misuse(f"Two books are named, {file} and --state: leave one of them out.")
    if batches and file is not None:
        raise Misuse("--batch names a batch of the state of bulk sending: leave the FILE out.")
    if file is not None:
        return
    for parameter, value in form.items():
        if value:
            option_name = session.option_names[parameter]
            raise Misuse(f"{option_name} says how a FILE is written: leave it out.")


def _book_of_state(client: Any, state: str | None, batches: Sequence[str] | None) -> Ours:
    """Return the payments of a state of bulk sending, or of these of its batches. Raises
    `Misuse`.
    """
    try:
        from victor_ext.bulk import BulkSender  # noqa: PLC0415 - an extra of its own, and heavy
    except ImportError as error:
        raise Misuse(f"{error}.") from error
    names: Iterable[str | None] = dict.fromkeys(batches) if batches else [None]
    senders = [BulkSender(client, state=state, batch=name) for name in names]
    return chain.from_iterable(sender.book() for sender in senders)


def _check_output(book: Path | None, out: Path | None) -> None:
    """Raise `Misuse` if the file of --out cannot be written, or is the book: a comparison may take
    long, and is not made in vain.
    """
    if out is None:
        return
    if out.is_dir() or not os.access(out.parent, os.W_OK):
        raise Misuse(f"--out {out} cannot be written: name a file in a folder that exists.")
    if book is not None and out.exists() and book.exists() and out.samefile(book):
        raise Misuse(f"--out {out} is the file that is compared: name another one.")


@contextmanager
def _report_failures(session: Session) -> Generator[None]:
    """Report a failure of the block, and end the command with another status than 1, which says
    that the books differ.
    """
    from victor_ext.reconciliation import InvalidEntries  # noqa: PLC0415 - `victor --help` does not need it

    with session.report_failures(one_is_a_result=True):
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


# The result for people


_PRINTED_DIFFERENCES = 10
"""The maximum number of differences to print."""
_LABEL_WIDTH = 14
"""Columns of the terminal for the kind of a difference."""


class KindText(NamedTuple):
    """How a kind of row is shown."""

    style: str
    meaning: str


KINDS = {
    "duplicate": KindText("bold white on red", "asked twice: one more of theirs for one of ours"),
    "differs": KindText("red", "another amount, currency, id or reference"),
    "missing": KindText("red", "ours, and not theirs"),
    "only_theirs": KindText("red", "theirs, and not ours"),
    "at_edge": KindText("yellow", "theirs, near an end of the window: see the neighbouring book"),
    "repeated": KindText("yellow", "ours once more than theirs: look before you ask again"),
    "unchecked": KindText("yellow", "on one side, and nothing shows whether it is on the other"),
    "modified": KindText("cyan", "the payer agreed to another amount"),
    "matched": KindText("green", "in both books"),
}
_AGREEING_KINDS = ("matched", "modified")
_COLUMNS = {
    "batch": "Batch",
    "line": "Line",
    "ours": "Ours",
    "our_amount": "Our amount",
    "theirs": "Theirs",
    "their_amount": "Their amount",
    "status": "Status",
    "remark": "Remark",
}
"""The cells of a row."""


@dataclass
class Report:
    """The result of a reconciliation for people."""

    reconciliation: Reconciliation
    window: Mapping[str, datetime]
    """The `start` and the `end` of what was compared."""
    decimal: str | None
    """The decimal mark of our file: the report writes amounts as the file does."""

    @tolerate_lost_output()
    def show(self, out: Path | None, *, as_json: bool) -> None:
        """Print the result. `out` is the file that was written."""
        if as_json:
            say(self.reconciliation.summary.to_dict())
            return
        self._show_differences(out)
        say(*self._table())
        start, end = (f"{self.window[name]:{UTC_TIME}}" for name in ("start", "end"))
        say(f"\nThe window is from {start} until just before {end}.")
        say(*_notes(self.reconciliation), _verdict(self.reconciliation))
        if out is not None:
            complain(f"All rows are in {plain(str(out))}.")

    def _show_differences(self, out: Path | None) -> None:
        """Print the first differences, and where all of them are."""
        count = _difference_count(self.reconciliation)
        for row in islice(self.reconciliation.differences(), _PRINTED_DIFFERENCES):
            label = (_label(row.kind).ljust(_LABEL_WIDTH), KINDS[row.kind].style)
            say(styled(label, "; ".join(self._facts(row))))
        if count > _PRINTED_DIFFERENCES:
            all_differences = "--out report.csv writes all of them"
            if out is not None:
                all_differences = f"see {plain(str(out))}"
            say(f"... and {count - _PRINTED_DIFFERENCES:,} more: {all_differences}")
        if count:
            say("")

    def _facts(self, row: Row) -> Iterator[str]:
        """Yield our side of a row, their side, and the remark, as far as there are any."""
        cells = self._cells(row)
        if row.ours is not None:
            line = f"line {cells['line']}" if cells["line"] else ""
            facts = (cells["batch"], line, cells["ours"], cells["our_amount"])
            yield f"ours: {', '.join(filter(None, facts))}"
        if row.theirs is not None:
            yield f"theirs: {cells['theirs']}, {cells['their_amount']}, {cells['status']}"
        if cells["remark"]:
            yield cells["remark"]

    def _table(self) -> Iterator[Text]:
        """Yield the counts and sums, and what the kinds mean."""
        totals = self.reconciliation.summary.totals
        rows = [["", "rows", "ours", "theirs", ""]]
        for kind, total in totals.items():
            sums = [self._sums(total.ours), self._sums(total.theirs)]
            meaning = KINDS[kind.value].meaning
            rows.append([kind.replace("_", " "), f"{total.count:,}", *sums, meaning])
        lines = [*in_columns(rows, 1, 2, 3)]
        yield styled(lines[0], style="bold")
        for kind, line in zip(totals, lines[1:], strict=True):
            text = styled(line)
            text.stylize(KINDS[kind.value].style, 0, len(kind))
            yield text

    def _cells(self, row: Row) -> dict[str, str]:
        """Return the cells of a row, without unprintable characters. Those of a payment that is not
        there are empty.
        """
        texts = row.to_dict()
        cells = dict.fromkeys(_COLUMNS, "")
        if row.ours is not None:
            name = f"key {row.ours.key}" if row.ours.key else "no reference"
            cells["batch"] = texts["batch"] or ""
            cells["line"] = "" if row.ours.line is None else str(row.ours.line)
            cells["ours"] = texts["reference"] or texts["id"] or name
            cells["our_amount"] = self._written(row.ours.amount)
        if row.theirs is not None:
            amount = row.theirs.amount
            reference = f"({texts['their_reference']})" if row.theirs.reference else None
            cells["theirs"] = " ".join(filter(None, (texts["their_id"], reference))) or "-"
            cells["their_amount"] = "no amount" if amount is None else self._written(amount)
            cells["status"] = row.theirs.status or "no status"
        remarks = [" and ".join(f"another {difference}" for difference in row.differences)]
        if row.other_id:
            remarks.append(f"the other payment is {row.other_id}")
        cells["remark"] = "; ".join(filter(None, [*remarks, row.reason]))
        return {name: plain(cell) for name, cell in cells.items()}

    def _sums(self, sums: Sequence[Money]) -> str:
        """Return a sum of each currency; `-` for none."""
        return " + ".join(map(self._written, sums)) or "-"

    def _written(self, money: Money) -> str:
        """Return an amount as our file writes amounts, with its currency."""
        from victor_ext._tables.formats import written_amount  # noqa: PLC0415 - JSON does without it

        return f"{written_amount(money.amount, money.currency, self.decimal)} {money.currency}"


def _verdict(reconciliation: Reconciliation) -> str:
    """Return whether the books agree, in a sentence."""
    if not reconciliation.summary.totals:
        return "Nothing was compared: no row of either book is in the window."
    if reconciliation.agrees:
        return "The books agree."
    count = _difference_count(reconciliation)
    if not count:
        return "Nothing shows whether the books agree: the provider's list changed meanwhile."
    rows = rows_text(count)
    if {*reconciliation.summary.totals} <= {"unchecked", *_AGREEING_KINDS}:
        return f"Nothing shows whether the books agree: {rows} cannot be compared."
    return f"The books differ: {rows}."


def _difference_count(reconciliation: Reconciliation) -> int:
    """Return how many rows are of a kind that does not agree."""
    totals = reconciliation.summary.totals
    return sum(totals[kind].count for kind in totals if kind not in _AGREEING_KINDS)


def _label(kind: str) -> str:
    """Return what people read for a kind."""
    return "ASKED TWICE" if kind == "duplicate" else kind.replace("_", " ")


def _notes(reconciliation: Reconciliation) -> Iterator[str]:
    """Yield sentences about what was read, and what is no part of the comparison."""
    summary = reconciliation.summary
    yield f"{rows_text(summary.ours)} of ours, {summary.theirs:,} of theirs were read."
    if summary.outside:
        yield (
            f"{rows_text(summary.outside)} of ours outside of the window by their own time: no "
            "part of this."
        )
    if summary.not_asked:
        yield (
            f"{rows_text(summary.not_asked)} of bulk sending for which the provider has nothing: "
            "no part of this."
        )
    if summary.forgotten:
        yield (
            f"{rows_text(summary.forgotten)} of bulk sending whose contents were forgotten: no "
            "part of this. The provider's payments of these are only theirs."
        )
    if summary.elsewhere:
        yield (
            f"{rows_text(summary.elsewhere)} of ours matched only by id, because the provider's "
            "list of the window has no such payment: whether the customer was asked twice is not "
            "known."
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
