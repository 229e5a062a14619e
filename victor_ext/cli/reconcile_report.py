"""The result of a reconciliation for people: lines for a terminal, and a page of HTML.

First what is printed, then the page (with its template, `reconcile.html`), then the texts of a row
and the sentences that both have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from .screen import (
    complain,
    entry,
    in_columns,
    plain,
    say,
    styled,
    terminal_width,
    tolerate_lost_output,
)
from .wording import rows_text

if TYPE_CHECKING:
    from jinja2 import Template
    from rich.text import Text

    from victor_ext.money import Money
    from victor_ext.reconciliation import Reconciliation, Row

_PRINTED_DIFFERENCES = 10
"""The maximum number of differences to print."""
_PAGE_ROWS = 1000
"""The maximum rows of one kind in a page: a browser can open and print it, however much differs."""
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
    "unknown": KindText("red", "theirs, and not ours"),
    "at_edge": KindText("yellow", "theirs, near an end of the window: see the neighbouring book"),
    "repeated": KindText("yellow", "ours once more than theirs: look before you ask again"),
    "unchecked": KindText("yellow", "on one side, and nothing shows whether it is on the other"),
    "modified": KindText("cyan", "the payer agreed to another amount"),
    "matched": KindText("green", "in both books"),
}
"""Each kind of row. What to do about it is in `reconcile.html`."""
_AGREEING_KINDS = ("matched", "modified")


@tolerate_lost_output()
def show_report(
    report: Reconciliation,
    context: Mapping[str, str],
    *,
    out: Path | None,
    html: Path | None,
    decimal: str | None,
    as_json: bool,
) -> None:
    """Print the result.

    `context` says what was compared, by labels. `out` and `html` are the files that were written.
    `decimal` is the decimal mark of our file: the report writes amounts as the file does.
    """
    if as_json:
        say(report.summary.to_dict())
        return
    _show_differences(report, out, decimal)
    say(*_table(report, decimal))
    start = context["From"]
    end = context["Until just before"]
    say(f"\nThe window is from {start} until just before {end}.")
    say(*_notes(report), _verdict(report))
    if out is not None:
        complain(f"All rows are in {plain(str(out))}.")
    if html is not None:
        complain(f"The report is in {plain(str(html))}.")


def _show_differences(report: Reconciliation, out: Path | None, decimal: str | None) -> None:
    """Print the first differences, and where all of them are."""
    count = _difference_count(report)
    for row in islice(report.differences(), _PRINTED_DIFFERENCES):
        label = _label(row.kind)
        facts = plain("; ".join(_facts(row, decimal)))
        style = KINDS[row.kind].style
        say(*entry(label, facts, label=_LABEL_WIDTH, style=style, end=len(label)))
    if count > _PRINTED_DIFFERENCES:
        all_differences = "--out report.csv writes all of them"
        if out is not None:
            all_differences = f"see {plain(str(out))}"
        say(f"... and {count - _PRINTED_DIFFERENCES:,} more: {all_differences}")
    if count:
        say("")


def _facts(row: Row, decimal: str | None) -> Iterator[str]:
    """Yield our side of a row, their side, and the remark, as far as there are any."""
    cells = _plain_cells(row, decimal)
    if row.ours is not None:
        line = f"line {cells.line}, " if cells.line else ""
        yield f"ours: {line}{cells.ours}, {cells.our_amount}"
    if row.theirs is not None:
        yield f"theirs: {cells.theirs}, {cells.their_amount}, {cells.status}"
    if cells.remark:
        yield cells.remark


def _table(report: Reconciliation, decimal: str | None) -> Iterator[Text]:
    """Yield the counts and sums: without what the kinds mean where the terminal is too narrow."""
    totals = report.summary.totals
    rows = [["", "rows", "ours", "theirs", ""]]
    for kind, total in totals.items():
        sums = [_sums(total.ours, decimal), _sums(total.theirs, decimal)]
        rows.append([kind.replace("_", " "), f"{total.count:,}", *sums, KINDS[kind.value].meaning])
    lines = [*in_columns(rows, 1, 2, 3)]
    width = terminal_width()
    if width is not None and max(map(len, lines)) > width:
        lines = [*in_columns([row[:-1] for row in rows], 1, 2, 3)]
    yield styled(lines[0], style="bold")
    for kind, line in zip(totals, lines[1:], strict=True):
        text = styled(line)
        text.stylize(KINDS[kind.value].style, 0, len(kind))
        yield text


# The page


def write_page(
    file: TextIO, report: Reconciliation, context: Mapping[str, str], decimal: str | None
) -> None:
    """Write the report as one HTML document: it loads nothing, and runs nothing.

    `context` and `decimal` are those of `show_report`.
    """
    # A generator, as the template is: only the rows of one section are in memory.
    sections = (
        _section(kind, rows, decimal)
        for kind, rows in groupby(report.differences(), lambda row: row.kind)
    )
    values = {
        "verdict": _verdict(report),
        "notes": map(plain, _notes(report)),
        "kinds": KINDS,
        "listed": _PAGE_ROWS,
        "context": context,
        "report": report,
        "sections": sections,
        "columns": _COLUMNS,
        "label": _label,
        "sums": partial(_sums, decimal=decimal),
    }
    file.writelines(page_template().generate(values))


class _Section(NamedTuple):
    """The rows of one kind on the page, and the columns in which one of them says something."""

    kind: str
    columns: Sequence[str]
    rows: Sequence[_Cells]


def _section(kind: str, rows: Iterable[Row], decimal: str | None) -> _Section:
    """Return the first rows of a kind, as they are shown."""
    shown = [_plain_cells(row, decimal) for row in islice(rows, _PAGE_ROWS)]
    columns = [name for name in _COLUMNS if any(getattr(cells, name) for cells in shown)]
    return _Section(kind, columns, shown)


def page_template() -> Template:
    """Return the template of the page, which escapes what it shows."""
    from importlib.resources import files  # noqa: PLC0415 - only the page needs it

    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - only the page needs it

    templates = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    source = files("victor_ext.cli").joinpath("reconcile.html").read_text(encoding="utf-8")
    return templates.from_string(source)


# A row as text


class _Cells(NamedTuple):
    """A row as people read it: our side, their side, and the remark."""

    line: str
    ours: str
    our_amount: str
    theirs: str
    their_amount: str
    status: str
    remark: str


_COLUMNS = {
    "line": "Line",
    "ours": "Ours",
    "our_amount": "Our amount",
    "theirs": "Theirs",
    "their_amount": "Their amount",
    "status": "Status",
    "remark": "Remark",
}
"""The heading of each cell on the page."""


def _plain_cells(row: Row, decimal: str | None) -> _Cells:
    """Return the cells of a row, without unprintable characters."""
    ours = _our_cells(row, decimal)
    theirs = _their_cells(row, decimal)
    return _Cells(*map(plain, (*ours, *theirs, _remark(row))))


def _our_cells(row: Row, decimal: str | None) -> tuple[str, str, str]:
    """Return the line, the name and the amount of our payment; all are empty where there is
    none.
    """
    payment = row.ours
    if payment is None:
        return "", "", ""
    texts = row.to_dict()
    name = texts["reference"] or texts["id"]
    if not name:
        name = f"key {payment.key}" if payment.key else "no reference"
    line = "" if payment.line is None else str(payment.line)
    return line, name, _written(payment.amount, decimal)


def _their_cells(row: Row, decimal: str | None) -> tuple[str, str, str]:
    """Return the name, the amount and the status of their payment; all are empty where there is
    none.
    """
    payment = row.theirs
    if payment is None:
        return "", "", ""
    texts = row.to_dict()
    names = [texts["their_id"]]
    if payment.reference:
        names.append(f"({texts['their_reference']})")
    name = " ".join(filter(None, names)) or "-"
    amount = "no amount" if payment.amount is None else _written(payment.amount, decimal)
    return name, amount, payment.status or "no status"


def _remark(row: Row) -> str:
    """Return what differs in a row, and why; empty: there is nothing to say."""
    remarks = [" and ".join(f"another {difference}" for difference in row.differences)]
    if row.other_id:
        remarks.append(f"the other payment is {row.other_id}")
    if row.reason:
        remarks.append(row.reason)
    return "; ".join(filter(None, remarks))


# Sentences


def _verdict(report: Reconciliation) -> str:
    """Return whether the books agree, in a sentence."""
    if not report.summary.totals:
        return "Nothing was compared: no row of either book is in the window."
    if report.agrees:
        return "The books agree."
    rows = rows_text(_difference_count(report))
    if {*report.summary.totals} <= {"unchecked", *_AGREEING_KINDS}:
        return f"Nothing shows whether the books agree: {rows} cannot be compared."
    return f"The books differ: {rows}."


def _difference_count(report: Reconciliation) -> int:
    """Return how many rows are of a kind that does not agree."""
    totals = report.summary.totals
    return sum(totals[kind].count for kind in totals if kind not in _AGREEING_KINDS)


def _label(kind: str) -> str:
    """Return what people read for a kind."""
    return "ASKED TWICE" if kind == "duplicate" else kind.replace("_", " ")


def _notes(report: Reconciliation) -> Iterator[str]:
    """Yield sentences about what was read, and what is no part of the comparison."""
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


def _sums(sums: Sequence[Money], decimal: str | None) -> str:
    """Return a sum of each currency; `-` for none."""
    return " + ".join(_written(money, decimal) for money in sums) or "-"


def _written(money: Money, decimal: str | None) -> str:
    """Return an amount as our file writes amounts, with its currency."""
    from victor_ext.tables.formats import written_amount  # noqa: PLC0415 - JSON does without it

    return f"{written_amount(money.amount, money.currency, decimal)} {money.currency}"
