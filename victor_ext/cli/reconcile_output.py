"""Output of `victor reconcile`: progress, a table of counts and sums, and the first differences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .screen import complain, plain, say, terminal_width
from .view import entry
from .wording import ENCODING, column_remedy

if TYPE_CHECKING:
    from rich.text import Text

    from victor_ext.money import Money
    from victor_ext.reconciliation import InvalidEntries, Reconciliation, Row
    from victor_ext.reconciliation import Progress as Counts

    from .progress import Progress

_SHOWN = 10
"""The maximum number of differences to show."""
_STYLES = {
    "duplicate": "bold white on red",
    "differs": "red",
    "missing": "red",
    "unknown": "red",
    "at_edge": "yellow",
    "repeated": "yellow",
    "unchecked": "yellow",
    "modified": "cyan",
    "matched": "green",
}
_MEANINGS = {
    "duplicate": "asked twice: one more of theirs for one of ours",
    "differs": "another amount, currency, id or reference",
    "missing": "ours, and not theirs",
    "unknown": "theirs, and not ours",
    "at_edge": "theirs, near an end of the window: see the neighbouring book",
    "repeated": "ours once more than theirs: look before you ask again",
    "unchecked": "ours, and nothing shows whether the provider has it",
    "modified": "the payer agreed to another amount",
    "matched": "in both books",
}


def show_counts(progress: Progress, counts: Counts) -> None:
    """Show how far it has come."""
    looked_up = f", {counts.looked_up:,} looked up" if counts.looked_up else ""
    text = f"{counts.ours:,} of ours, {counts.theirs:,} of theirs{looked_up}"
    progress.show("reconcile", counts.ours + counts.theirs, None, text)


def show(report: Reconciliation, out: Path | None) -> None:
    """Print the first differences, counts and sums, and the verdict."""
    summary = report.summary
    differing = sum(summary.totals[kind].count for kind in summary.totals if kind not in ("matched", "modified"))
    for row in islice(report.differences(), _SHOWN):
        for line in _difference(row):
            say(line)
    if differing > _SHOWN:
        more = f"... and {differing - _SHOWN:,} more"
        say(more + (": --out report.csv writes all of them" if out is None else f": see {plain(str(out))}"))
    if differing:
        say("")
    for line in _table(report):
        say(line)
    say("")
    for note in _notes(report):
        say(note)
    if not summary.totals:
        say("Nothing was compared: no row of either book is in the window.")
    else:
        say("The books agree." if report.agrees else f"The books differ: {_rows(differing)}.")
    if out is not None:
        complain(f"All rows are in {plain(str(out))}.")


def show_problems(error: InvalidEntries) -> None:
    """Print the problems of rows, a line each."""
    for problem in error.problems:
        complain(plain(problem.message))
    remedies = [ENCODING if problem.code == "encoding" else column_remedy(problem) for problem in error.problems]
    advice = [plain(remedy) for remedy in dict.fromkeys(remedies) if remedy is not None]
    complain(" ".join(["Error: the file cannot be compared. Nothing was read from the provider.", *advice]))


def _difference(row: Row) -> Iterator[Text]:
    kind = row.kind.value
    label = "ASKED TWICE" if kind == "duplicate" else kind.replace("_", " ")
    first, *rest = entry(label, plain("; ".join(_facts(row))), terminal_width(), label=14)
    first.stylize(_STYLES[kind], 0, len(label))
    yield from (first, *rest)


def _facts(row: Row) -> Iterator[str]:
    ours, theirs, cells = row.ours, row.theirs, row.to_dict()
    if row.differences:
        yield ", ".join(row.differences)
    if ours is not None:
        line = "" if ours.line is None else f"line {ours.line}, "
        name = cells["reference"] or cells["id"] or (f"key {ours.key}" if ours.key else "no reference")
        yield f"ours: {line}{name}, {ours.amount}"
    if theirs is not None:
        amount = "no amount" if theirs.amount is None else str(theirs.amount)
        reference = f"({cells['their_reference']})" if theirs.reference else None
        name = " ".join(part for part in (cells["their_id"], reference) if part)
        yield f"theirs: {name or '-'}, {amount}, {theirs.status or 'no status'}"
    if row.other_id is not None:
        yield f"and {row.other_id}"
    if row.reason is not None:
        yield row.reason


def _table(report: Reconciliation) -> Iterator[Text]:
    """Yield the counts and sums: without what the kinds mean where the terminal is too narrow, or as cards."""
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    headings = ("", "rows", "ours", "theirs", "")
    rows = [
        (kind.value, f"{totals.count:,}", _sums(totals.ours), _sums(totals.theirs), _MEANINGS[kind.value])
        for kind, totals in report.summary.totals.items()
    ]
    widths = [max(len(row[place]) for row in [headings, *rows]) for place in range(5)]
    room = terminal_width() or sum(widths) + 8
    if sum(widths[:4]) + 6 > room:
        yield from (line for row in rows for line in _card(row, room))
        return
    for row in [headings, *rows]:
        meaning = row[4] if sum(widths) + 8 <= room else ""
        cells = [row[0].replace("_", " ").ljust(widths[0]), *(row[i].rjust(widths[i]) for i in (1, 2, 3)), meaning]
        line = Text("  ".join(cells).rstrip(), style="bold" if row is headings else "")
        line.stylize(_STYLES.get(row[0], ""), 0, len(row[0]))
        yield line


def _card(row: Sequence[str], width: int) -> Iterator[Text]:
    [name] = entry(f"{row[0].replace('_', ' ')}: {row[1]}", "", None)
    name.stylize(_STYLES[row[0]], 0, len(row[0]))
    yield name
    for label, value in (("ours", row[2]), ("theirs", row[3]), ("", row[4])):
        yield from entry(f"  {label}", value, width, label=10)


def _notes(report: Reconciliation) -> Iterator[str]:
    summary = report.summary
    yield f"{_rows(summary.ours)} of ours, {summary.theirs:,} of theirs were read."
    if summary.outside:
        yield f"{_rows(summary.outside)} of ours outside of the window by their own time: no part of this."
    if summary.not_asked:
        yield f"{_rows(summary.not_asked)} of the export for which nothing was made at the provider: no part of this."
    if summary.elsewhere:
        yield (
            f"{_rows(summary.elsewhere)} of ours matched only by id, because the provider's list of the window "
            "has no such payment: whether the customer was asked twice is not known."
        )
        if summary.elsewhere == summary.ours:
            yield "These are all the rows: check that --start and --end are those of the file."
    if summary.statuses:
        counts = ", ".join(f"{count:,} {plain(status)}" for status, count in summary.statuses.items())
        yield f"Of those in both books: {counts}."
    if summary.ours and not summary.theirs:
        yield "The provider has shown nothing: check the account, the environment and the window before you ask again."
    yield from summary.notes


def _sums(sums: Sequence[Money]) -> str:
    return " + ".join(f"{money.amount:,f} {money.currency}" for money in sums) or "-"


def _rows(count: Any) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"
