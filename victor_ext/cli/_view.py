"""Payment requests as text: one in full (`full`), a change of its status (`change`), or a list
(`show_list`) as a table.

Account numbers are masked, times UTC, decimals exact. A terminal that is too narrow for a table
shows cards: a few lines for each payment request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from victor_ext._privacy import short_mask

from ._screen import GAP, entry, plain, say, styled, terminal_width

if TYPE_CHECKING:
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


_FACTS = {
    "Failure": "error_message",
    "Direction": "direction",
    "Network": "network",
    "Amount": "amount",
    "Original amount": "original_amount",
    "Due": "due_date",
    "Created": "created_at",
    "Approved": "approved_at",
    "Payee account": "payee.account_number",
    "Ultimate creditor": "payee.ultimate_creditor",
    "Payer counterparty": "payer.counterparty_id",
    "Payer": "payer.name",
    "Payer account": "payer.account_number",
    "Payer routing": "payer.routing_number",
    "Notes": "notes",
    "Answer": "response.status",
    "Answer's notes": "approval_notes",
    "Client reference": "client_reference_id",
    "Parent": "parent_id",
    "Child": "child_id",
    "Idempotency key": "idempotency_key",
}
"""What is shown of a payment request in full, by its label: the place of the value."""
_UNITS: Mapping[type, str] = {Decimal: " USD", datetime: " UTC"}
"""What follows a value of a type, where there is room."""


def full(request: PaymentRequest, environment: str | None = None) -> Iterator[Text]:
    """Yield the lines of one payment request.

    `environment` is that of a request that was just written; None: the request was read.
    """
    status = _cell_text(request.status)
    meaning = f" ({_MEANINGS[status]})" if status in _MEANINGS else ""
    yield styled(f"{'Payment request':<{_LABEL_WIDTH}}", (_cell_text(request.id), "bold"))
    yield from entry(
        "Status",
        f"{status}{meaning}",
        label=_LABEL_WIDTH,
        style=_STYLES.get(status, ""),
        start=_LABEL_WIDTH,
        end=_LABEL_WIDTH + len(status),
    )
    facts = {"Environment": environment}
    for label, place in _FACTS.items():
        is_news = label != "Original amount" or request.original_amount != request.amount
        value = _value_at(request, place)
        if is_news and value is not None:
            unit = _UNITS.get(type(value), "")
            facts[label] = f"{_text_of(value, place)}{unit}"
    for label, text in facts.items():
        if text is not None:
            yield from entry(label, plain(text), label=_LABEL_WIDTH)


def change(request: PaymentRequest, seen_at: datetime) -> Text:
    """Return one line of a watch: the time at which the status was seen, and the status."""
    status = _cell_text(request.status)
    reason = f"  {plain(request.error_message)}" if request.error_message else ""
    return styled(f"{seen_at:{UTC_TIME}}  ", (status, _STYLES.get(status, "")), reason)


def _value_at(request: PaymentRequest, place: str) -> object:
    """Return the value at a place, such as `payer.name`; None: there is none."""
    value: object = request
    for name in place.split("."):
        value = getattr(value, name, None)
    return value


def _text_of(value: object, place: str) -> str:
    """Return a value as people read it. An amount has both digits of its cents, and more decimals
    stay: nothing is rounded. Account numbers are masked.
    """
    if isinstance(value, Decimal):
        dollars, _, decimals = f"{value:f}".partition(".")
        return f"{dollars}.{decimals:0<2}"
    if isinstance(value, datetime):
        return f"{value:{_TIME_FORMAT}}"
    return short_mask(str(value)) if place.endswith("_number") else f"{value}"


def _cell_text(value: str | None) -> str:
    """Return a text of the provider for display; `-` if it is None or empty."""
    return plain(f"{value}") if value else _NO_VALUE


@dataclass(frozen=True)
class _Column:
    """A column of the table."""

    width: int
    """That of usual values: the columns of all pages stand in line, as far as that goes."""
    places: Sequence[str]
    """Where the value is."""
    may_be_cut: bool = False
    """Whether a value may be cut to `width`, where there is no room."""
    has_all_places: bool = False
    """Whether the cell has the values of all places, or that of the first one that has any."""

    def cell(self, request: PaymentRequest) -> str:
        texts: list[str] = []
        for place in self.places:
            value = _value_at(request, place)
            if value is not None:
                texts.append(_text_of(value, place))
        texts = [text for text in texts if text]
        return _cell_text(" ".join(texts if self.has_all_places else texts[:1]))


_COLUMNS = {
    "ID": _Column(10, ["id"]),
    "STATUS": _Column(12, ["status"]),
    "DIRECTION": _Column(9, ["direction"]),
    "AMOUNT": _Column(10, ["amount"]),
    "DUE": _Column(10, ["due_date"]),
    "CREATED (UTC)": _Column(19, ["created_at"]),
    "PAYER": _Column(
        12, ["payer.counterparty_id", "payer.name", "payer.account_number"], may_be_cut=True
    ),
    "PAYEE": _Column(
        12,
        ["payee.ultimate_creditor", "payee.account_number"],
        may_be_cut=True,
        has_all_places=True,
    ),
    "REFERENCE": _Column(12, ["client_reference_id"], may_be_cut=True),
    "NOTES": _Column(16, ["notes"], may_be_cut=True),
}
_LEAST_NEEDED = ("CREATED (UTC)", "DIRECTION", "PAYEE", "REFERENCE", "DUE")
"""The columns that are left out where there is no room, in this order."""


def show_list(pages: Iterable[Sequence[PaymentRequest]], *, as_json: bool) -> bool:
    """Print pages as they come, as a table or as one JSON document a line.

    Returns whether there was any request.
    """
    if as_json:
        lines: Iterable[Any] = (request.to_dict() for page in pages for request in page)
    else:
        lines = _lines(pages, terminal_width())
    has_any = False
    for line in lines:
        say(line)
        has_any = True
    return has_any


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
    from rich.cells import cell_len  # noqa: PLC0415 - JSON does without it

    widths = {name: column.width for name, column in _COLUMNS.items()}
    empty_columns = set(_COLUMNS)
    last_heading: list[str] = []
    for page in pages:
        rows = [
            {name: column.cell(request) for name, column in _COLUMNS.items()} for request in page
        ]
        for row in rows:
            for name, cell in row.items():
                # Some characters take two columns of a terminal.
                widths[name] = max(widths[name], cell_len(cell))
                if cell != _NO_VALUE:
                    empty_columns.discard(name)
        layout = _layout(widths, width, empty_columns)
        if layout is None:
            for row in rows:
                yield from _card(row)
            continue
        if last_heading != list(layout):
            last_heading = list(layout)
            yield _line({name: name for name in layout}, layout, style="bold")
        for row in rows:
            yield _line(row, layout)


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
        gaps = len(GAP) * (len(layout) - 1)
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


def _line(row: _Row, layout: Mapping[str, int], style: str = "") -> Text:
    """Return a line of the table, whose cells are cut or padded to the widths of the columns."""
    cells: list[Text] = []
    for name, width in layout.items():
        cell = styled((row[name], _STYLES.get(row[name], "") if name == "STATUS" else ""))
        cell.truncate(width, overflow="ellipsis")
        cell.align("right" if name == "AMOUNT" else "left", width)
        cells.append(cell)
    line = styled(GAP, style=style).join(cells)
    line.rstrip()
    return line


def _card(row: _Row) -> Iterator[Text]:
    """Yield the lines of a request where there is no room for a table, and an empty line."""
    status = row["STATUS"]
    yield styled((row["ID"], "bold"), GAP, (status, _STYLES.get(status, "")))
    for name, cell in row.items():
        is_in_heading = name in ("ID", "STATUS")
        if not is_in_heading and cell != _NO_VALUE:
            yield from entry(f"{GAP}{name}", cell, label=_CARD_LABEL_WIDTH)
    yield styled()
