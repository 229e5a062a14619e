"""Payment requests as text: one in full (`full`), a change of its status (`change`), or a list
(`show_list`) as a table.

Account numbers are masked, times UTC, decimals exact. A terminal that is too narrow for a table
shows cards: a few lines for each payment request.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from victor_ext.privacy import short_mask

from .screen import plain, say, terminal_width

if TYPE_CHECKING:
    from decimal import Decimal

    from rich.text import Text

    from victor_ext import PaymentRequest

_STYLES = {
    "completed": "green",
    "accepted": "cyan",
    "declined": "red",
    "failed": "red",
    "expired": "yellow",
    "needs-review": "yellow",
}
_MEANINGS = {
    "created": "taken by the provider; neither sent nor paid yet",
    "accepted": "the payer agreed; the money has yet to move",
    "completed": "paid",
}
"""What a status means, where its word does not say it all."""
_LABEL_WIDTH = 20
"""Columns for the labels of a payment request in full."""
_CARD_LABEL_WIDTH = 17
_TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
UTC_TIME = f"{_TIME_FORMAT} UTC"
_NO_VALUE = "-"
"""What stands for a value that was not sent."""


def full(request: PaymentRequest, environment: str | None = None) -> Iterator[Text]:
    """Yield the lines of one payment request.

    `environment` is that of a request that was just written; None: the request was read.
    """
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    status = _cell_text(request.status)
    meaning = f" ({_MEANINGS[status]})" if status in _MEANINGS else ""
    yield Text.assemble(f"{'Payment request':<{_LABEL_WIDTH}}", (_cell_text(request.id), "bold"))
    first, *more = entry("Status", f"{status}{meaning}")
    first.stylize(_STYLES.get(status, ""), _LABEL_WIDTH, _LABEL_WIDTH + len(status))
    yield first
    yield from more
    facts = [("Environment", environment), *_facts(request)]
    for label, value in facts:
        if value is not None:
            yield from entry(label, plain(value))


def _facts(request: PaymentRequest) -> Iterator[tuple[str, str | None]]:
    """Yield a label and a value each; None: there is no such value."""
    payee = request.payee
    payer = request.payer
    response = request.response
    yield "Failure", request.error_message
    yield "Direction", request.direction
    yield "Network", request.network
    yield "Amount", _dollars(request.amount, " USD")
    if request.original_amount != request.amount:
        yield "Original amount", _dollars(request.original_amount, " USD")
    yield "Due", _formatted(request.due_date)
    yield "Created", _formatted(request.created_at, UTC_TIME)
    yield "Approved", _formatted(request.approved_at, UTC_TIME)
    if payee is not None:
        yield "Payee account", _masked(payee.account_number)
        yield "Ultimate creditor", payee.ultimate_creditor
    if payer is not None:
        yield "Payer counterparty", payer.counterparty_id
        yield "Payer", payer.name
        yield "Payer account", _masked(payer.account_number)
        yield "Payer routing", _masked(payer.routing_number)
    yield "Notes", request.notes
    yield "Answer", None if response is None else response.status
    yield "Answer's notes", request.approval_notes
    yield "Client reference", request.client_reference_id
    yield "Parent", request.parent_id
    yield "Child", request.child_id
    yield "Idempotency key", request.idempotency_key


def change(request: PaymentRequest, seen_at: datetime) -> Text:
    """Return one line of a watch: the time at which the status was seen, and the status."""
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    status = _cell_text(request.status)
    reason = f"  {plain(request.error_message)}" if request.error_message else ""
    return Text.assemble(f"{seen_at:{UTC_TIME}}  ", (status, _STYLES.get(status, "")), reason)


def entry(name: str, value: str, *, label: int = _LABEL_WIDTH) -> Iterator[Text]:
    """Yield a label (`name`) with its printable value, in several lines where the terminal is too
    narrow for the value.

    `label` is the width of the label, in columns.
    """
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    for line in _lines_of_value(Text(value), label):
        yield Text.assemble(f"{name:<{label}}", line.plain.rstrip())
        name = ""  # the first line alone has the label


def _lines_of_value(text: Text, label: int) -> Iterable[Text]:
    """Return a value in lines that have room beside a label of this width."""
    from rich.console import Console  # noqa: PLC0415 - JSON does without it

    width = terminal_width()
    if width is None:
        return [text]
    return text.wrap(Console(width=width), max(width - label, label))


def _payer_of(request: PaymentRequest) -> str | None:
    """Return who is asked, in short: the counterparty, the name, or the account."""
    payer = request.payer
    if payer is None:
        return None
    return payer.counterparty_id or payer.name or _masked(payer.account_number)


def _payee_of(request: PaymentRequest) -> str | None:
    """Return who is to be paid, in short: for whom it is collected, and the account."""
    payee = request.payee
    if payee is None:
        return None
    parts = filter(None, (payee.ultimate_creditor, _masked(payee.account_number)))
    return " ".join(parts) or None


def _masked(number: str | None) -> str | None:
    return None if number is None else plain(short_mask(number))


def _dollars(amount: Decimal | None, unit: str = "") -> str | None:
    """Return an amount with both digits of its cents. More decimals stay: nothing is rounded."""
    if amount is None:
        return None
    dollars, _, decimals = f"{amount:f}".partition(".")
    return f"{dollars}.{decimals:0<2}{unit}"


def _formatted(value: Any, spec: str = "") -> str | None:
    return None if value is None else f"{value:{spec}}"


def _cell_text(value: str | None) -> str:
    """Return a text of the provider for display; `-` if it is None or empty."""
    return _NO_VALUE if not value else plain(f"{value}")


@dataclass(frozen=True)
class _Column:
    """A column of the table."""

    width: int
    """That of usual values: the columns of all pages stand in line, as far as that goes."""
    value: Callable[[PaymentRequest], str | None]
    may_be_cut: bool = False
    """Whether a value may be cut to `width`, where there is no room."""
    is_right_aligned: bool = False


_COLUMNS = {
    "ID": _Column(10, lambda request: request.id),
    "STATUS": _Column(12, lambda request: request.status),
    "DIRECTION": _Column(9, lambda request: request.direction),
    "AMOUNT": _Column(10, lambda request: _dollars(request.amount), is_right_aligned=True),
    "DUE": _Column(10, lambda request: _formatted(request.due_date)),
    "CREATED (UTC)": _Column(19, lambda request: _formatted(request.created_at, _TIME_FORMAT)),
    "PAYER": _Column(12, _payer_of, may_be_cut=True),
    "PAYEE": _Column(12, _payee_of, may_be_cut=True),
    "REFERENCE": _Column(12, lambda request: request.client_reference_id, may_be_cut=True),
    "NOTES": _Column(16, lambda request: request.notes, may_be_cut=True),
}
_LEAST_NEEDED = ("CREATED (UTC)", "DIRECTION", "PAYEE", "REFERENCE", "DUE")
"""The columns that are left out where there is no room, in this order."""
_GAP = "  "
"""What stands between two columns."""


def show_list(pages: Iterable[Sequence[PaymentRequest]], *, as_json: bool) -> bool:
    """Print pages as they come, as a table or as one JSON document a line.

    Returns whether there was any request.
    """
    lines = map(_page_as_json, pages) if as_json else _lines(pages, terminal_width())
    has_any = False
    for line in lines:
        say(line)
        has_any = True
    return has_any


def _page_as_json(page: Sequence[PaymentRequest]) -> str:
    return "\n".join(json.dumps(request.to_dict()) for request in page)


def at_most(
    limit: int | None, pages: Iterator[Sequence[PaymentRequest]]
) -> Iterator[Sequence[PaymentRequest]]:
    """Yield pages with at most `limit` requests together; None: all pages.

    A page that is not needed is not fetched.
    """
    if limit is None:
        yield from pages
        return
    remaining = limit
    for page in pages:
        yield page[:remaining]
        remaining -= len(page)
        if remaining <= 0:
            return


def with_payers(
    pages: Iterable[Sequence[PaymentRequest]], get: Callable[[str], PaymentRequest]
) -> Iterator[Sequence[PaymentRequest]]:
    """Yield the pages with the payers of inbound requests: a list lacks these payers, and `get`
    reads each such request.
    """
    for page in pages:
        completed: list[PaymentRequest] = []
        for request in page:
            lacks_payer = request.direction == "inbound" and request.payer is None
            if lacks_payer and request.id:
                completed.append(request.completed_by(get(request.id)))
            else:
                completed.append(request)
        yield completed


_Row = Mapping[str, str]
"""The cells of a payment request, by the names of their columns."""


def _lines(pages: Iterable[Sequence[PaymentRequest]], width: int | None) -> Iterator[Text]:
    """Yield a heading, and a line for each request as its page arrives; or cards, if there is no
    room for a table.

    A page with other columns than those before it, such as one that needs more room, has a heading
    of its own. `width` is that of the terminal; None: all columns are shown, and nothing is cut.
    """
    widths = {name: column.width for name, column in _COLUMNS.items()}
    empty_columns = set(_COLUMNS)
    last_heading: list[str] = []
    for page in pages:
        rows = [_row(request) for request in page]
        widths = _with_room_for(rows, widths)
        for row in rows:
            empty_columns -= _filled_columns(row)
        layout = _layout(widths, width, empty_columns)
        if layout is None:
            for row in rows:
                yield from _card(row)
            continue
        if last_heading != list(layout):
            last_heading = list(layout)
            yield _heading(layout)
        for row in rows:
            yield _line(row, layout)


def _row(request: PaymentRequest) -> _Row:
    return {name: _cell_text(column.value(request)) for name, column in _COLUMNS.items()}


def _filled_columns(row: _Row) -> set[str]:
    return {name for name, cell in row.items() if cell != _NO_VALUE}


def _with_room_for(rows: Sequence[_Row], widths: Mapping[str, int]) -> dict[str, int]:
    """Return the widths of the columns, widened where a cell of these rows needs it."""
    from rich.cells import cell_len  # noqa: PLC0415 - JSON does without it

    widened = dict(widths)
    for row in rows:
        for name, cell in row.items():
            # Some characters take two columns of a terminal.
            widened[name] = max(widened[name], cell_len(cell))
    return widened


def _layout(
    widths: Mapping[str, int], total: int | None, empty_columns: set[str]
) -> Mapping[str, int] | None:
    """Return the columns to show with their widths; None: not even the needed ones have room.

    Args:
        widths: The widths with which no cell is cut.
        total: The width of the terminal; None: there is none.
        empty_columns: The columns that have no value so far.
    """
    if total is None:
        return widths
    layout = dict(widths)
    for name, column in _COLUMNS.items():
        if column.may_be_cut:
            layout[name] = column.width

    def room() -> int:
        gaps = len(_GAP) * (len(layout) - 1)
        return total - sum(layout.values()) - gaps

    for name in _optional_columns(empty_columns):
        if room() < 0:
            del layout[name]
    if room() < 0:
        return None
    # What room is left, the cut columns get: the reference first, because a search by a reference
    # that is cut finds nothing.
    for name in sorted(layout, key="REFERENCE".__ne__):
        layout[name] += min(widths[name] - layout[name], room())
    return layout


def _optional_columns(empty_columns: set[str]) -> list[str]:
    """Return the columns that may be left out, in the order in which they are.

    Columns without a value go first. The payee is needed where no payer is known, as in a list of
    inbound requests.
    """
    without_value = [
        name for name in reversed(_COLUMNS) if name in empty_columns and name != "PAYEE"
    ]
    names = list(dict.fromkeys([*without_value, *_LEAST_NEEDED]))
    if "PAYER" in empty_columns:
        names.remove("PAYEE")
    return names


def _heading(layout: Mapping[str, int]) -> Text:
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    cells = [_cell(name, Text(name), width) for name, width in layout.items()]
    return _join(cells, style="bold")


def _line(row: _Row, layout: Mapping[str, int]) -> Text:
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    cells: list[Text] = []
    for name, width in layout.items():
        style = _STYLES.get(row[name], "") if name == "STATUS" else ""
        cells.append(_cell(name, Text(row[name], style=style), width))
    return _join(cells)


def _cell(name: str, text: Text, width: int) -> Text:
    """Cut or pad a text to the width of its column; returns the same text."""
    text.truncate(width, overflow="ellipsis")
    text.align("right" if _COLUMNS[name].is_right_aligned else "left", width)
    return text


def _join(cells: Iterable[Text], style: str = "") -> Text:
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    line = Text(_GAP, style=style).join(cells)
    line.rstrip()
    return line


def _card(row: _Row) -> Iterator[Text]:
    """Yield the lines of a request where there is no room for a table, and an empty line."""
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    status = row["STATUS"]
    yield Text.assemble((row["ID"], "bold"), _GAP, (status, _STYLES.get(status, "")))
    for name, cell in row.items():
        is_in_heading = name in ("ID", "STATUS")
        if not is_in_heading and cell != _NO_VALUE:
            yield from entry(f"{_GAP}{name}", cell, label=_CARD_LABEL_WIDTH)
    yield Text()
