"""Output of `victor reconcile`: the differences, the counts and sums, and the report as a page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from victor_ext._output import page_of

from .screen import complain, decided, plain, say, terminal_width
from .view import entry
from .wording import rows_text

if TYPE_CHECKING:
    from rich.text import Text

    from victor_ext.money import Money
    from victor_ext.reconciliation import Reconciliation, Row

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
    "unchecked": ("yellow", "ours, and nothing shows whether the provider has it"),
    "modified": ("cyan", "the payer agreed to another amount"),
    "matched": ("green", "in both books"),
}
"""The style and the meaning of each kind of row. What to do about it is in `reconcile.html`."""


@decided()
def show(
    report: Reconciliation, about: Mapping[str, str], written: Mapping[str, Path | None], *, as_json: bool
) -> None:
    """Print the result. `about` says what was compared, `written` what is in which file, or would be."""
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
        say(more + (": --out report.csv writes all of them" if out is None else f": see {plain(str(out))}"))
    if differing:
        say("")
    for line in _table(report):
        say(line)
    say("")
    for note in (
        f"The window is from {about['From']} until just before {about['Until just before']}.",
        *_notes(report),
    ):
        say(note)
    say(_verdict(report))
    for what, path in written.items():
        if path is not None:
            complain(f"{what} in {plain(str(path))}.")


def write_page(file: TextIO, report: Reconciliation, about: Mapping[str, str]) -> None:
    """Write the report as one HTML document: it loads nothing, and runs nothing."""
    kinds = groupby(report.differences(), lambda row: row.kind)
    sections = ((kind, map(_cells, islice(rows, _LISTED))) for kind, rows in kinds)
    words = {"verdict": _verdict(report), "notes": map(plain, _notes(report)), "kinds": KINDS, "listed": _LISTED}
    shown = {"about": about, "report": report, "sections": sections, "label": _label, "sums": _sums}
    file.writelines(page_of(Path(__file__).with_name("reconcile.html"), **words, **shown))


def _verdict(report: Reconciliation) -> str:
    if not report.summary.totals:
        return "Nothing was compared: no row of either book is in the window."
    return "The books agree." if report.agrees else f"The books differ: {rows_text(_differing(report))}."


def _differing(report: Reconciliation) -> int:
    totals = report.summary.totals
    return sum(totals[kind].count for kind in totals if kind not in ("matched", "modified"))


def _label(kind: str) -> str:
    return "ASKED TWICE" if kind == "duplicate" else kind.replace("_", " ")


def _cells(row: Row) -> Sequence[str]:
    """Return the cells of a row in a page: line, ours, its amount, theirs, its amount, its status, remark."""
    ours, theirs, cells = row.ours, row.theirs, row.to_dict()
    line = our = our_amount = their = their_amount = status = ""
    if ours is not None:
        line = "" if ours.line is None else str(ours.line)
        our = cells["reference"] or cells["id"] or (f"key {ours.key}" if ours.key else "no reference")
        our_amount = str(ours.amount)
    if theirs is not None:
        reference = f"({cells['their_reference']})" if theirs.reference else None
        their = " ".join(part for part in (cells["their_id"], reference) if part) or "-"
        their_amount = "no amount" if theirs.amount is None else str(theirs.amount)
        status = theirs.status or "no status"
    other = row.other_id and f"the other payment is {row.other_id}"
    remark = "; ".join(filter(None, (" and ".join(f"another {each}" for each in row.differences), other, row.reason)))
    return [plain(cell) for cell in (line, our, our_amount, their, their_amount, status, remark)]


def _difference(row: Row) -> Iterator[Text]:
    label = _label(row.kind)
    first, *rest = entry(label, plain("; ".join(_facts(row))), terminal_width(), label=14)
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
        (kind.value, f"{totals.count:,}", _sums(totals.ours), _sums(totals.theirs), KINDS[kind.value][1])
        for kind, totals in report.summary.totals.items()
    ]
    widths = [max(len(row[place]) for row in [headings, *rows]) for place in range(5)]
    room = terminal_width() or sum(widths) + 8
    for row in [headings, *rows]:
        meaning = row[4] if sum(widths) + 8 <= room else ""
        cells = [row[0].replace("_", " ").ljust(widths[0]), *(row[i].rjust(widths[i]) for i in (1, 2, 3)), meaning]
        line = Text("  ".join(cells).rstrip(), style="bold" if row is headings else "")
        line.stylize(KINDS.get(row[0], ("",))[0], 0, len(row[0]))
        yield line


def _notes(report: Reconciliation) -> Iterator[str]:
    summary = report.summary
    yield f"{rows_text(summary.ours)} of ours, {summary.theirs:,} of theirs were read."
    if summary.outside:
        yield f"{rows_text(summary.outside)} of ours outside of the window by their own time: no part of this."
    if summary.not_asked:
        yield f"{rows_text(summary.not_asked)} of the export for which the provider has nothing: no part of this."
    if summary.elsewhere:
        yield (
            f"{rows_text(summary.elsewhere)} of ours matched only by id, because the provider's list of the window "
            "has no such payment: whether the customer was asked twice is not known."
        )
    if summary.statuses:
        counts = ", ".join(f"{count:,} {plain(status)}" for status, count in summary.statuses.items())
        yield f"Of those in both books: {counts}."
    if summary.ours and not summary.theirs:
        yield "The provider has shown nothing: check the account, the environment and the window before you ask again."
    yield from summary.notes


def _sums(sums: Sequence[Money]) -> str:
    return " + ".join(f"{money.amount:,f} {money.currency}" for money in sums) or "-"
