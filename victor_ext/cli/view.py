"""Payment requests as text: one in full, or a list.

Account numbers are masked, times UTC, decimals exact.
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
_LABEL_WIDTH = 20
_TIME = "%Y-%m-%d %H:%M:%S"
UTC_TIME = f"{_TIME} UTC"
_NOTHING = "-"
"""What stands for a value that was not sent."""


def full(request: PaymentRequest, place: str | None = None) -> Iterator[Text]:
    """Yield the lines of one payment request. `place` is the environment it was written to."""
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    status = _shown(request.status)
    meaning = f" ({_MEANINGS[status]})" if status in _MEANINGS else ""
    yield Text.assemble(f"{'Payment request':<{_LABEL_WIDTH}}", (_shown(request.id), "bold"))
    first, *more = entry("Status", f"{status}{meaning}")
    first.stylize(_STYLES.get(status, ""), _LABEL_WIDTH, _LABEL_WIDTH + len(status))
    yield first
    yield from more
    facts = [("Environment", place), *_facts(request)]
    for label, value in facts:
        if value is not None:
            yield from entry(label, plain(value))


def _facts(request: PaymentRequest) -> Iterator[tuple[str, str | None]]:
    payee = request.payee
    payer = request.payer
    response = request.response
    yield "Failure", request.error_message
    yield "Direction", request.direction
    yield "Network", request.network
    yield "Amount", _written(request.amount, "f", " USD")
    if request.original_amount != request.amount:
        yield "Original amount", _written(request.original_amount, "f", " USD")
    yield "Due", _written(request.due_date)
    yield "Created", _written(request.created_at, UTC_TIME)
    yield "Approved", _written(request.approved_at, UTC_TIME)
    if payee is not None:
        yield "Payee account", _number(payee.account_number)
        yield "Ultimate creditor", payee.ultimate_creditor
    if payer is not None:
        yield "Payer counterparty", payer.counterparty_id
        yield "Payer", payer.name
        yield "Payer account", _number(payer.account_number)
        yield "Payer routing", _number(payer.routing_number)
    yield "Notes", request.notes
    yield "Answer", None if response is None else response.status
    yield "Answer's notes", request.approval_notes
    yield "Client reference", request.client_reference_id
    yield "Parent", request.parent_id
    yield "Child", request.child_id
    yield "Idempotency key", request.idempotency_key


def change(request: PaymentRequest, seen: datetime) -> Text:
    """Return one line of a watch: the time of the change and the status."""
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    status = _shown(request.status)
    reason = f"  {plain(request.error_message)}" if request.error_message else ""
    return Text.assemble(f"{seen:{UTC_TIME}}  ", (status, _STYLES.get(status, "")), reason)


def entry(name: str, value: str, *, label: int = _LABEL_WIDTH) -> Iterator[Text]:
    """Yield a label with its printable value, which continues below itself where the terminal is
    too narrow for it.

    `label` is the width of the label, in columns.
    """
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    for part in _wrapped(Text(value), label):
        yield Text.assemble(f"{name:<{label}}", part.plain.rstrip())
        name = ""


def _wrapped(text: Text, label: int) -> Iterable[Text]:
    from rich.console import Console  # noqa: PLC0415 - JSON does without it

    width = terminal_width()
    if width is None:
        return [text]
    return text.wrap(Console(width=width), max(width - label, label))


def _payer_of(request: PaymentRequest) -> str | None:
    payer = request.payer
    if payer is None:
        return None
    return payer.counterparty_id or payer.name or _number(payer.account_number)


def _payee_of(request: PaymentRequest) -> str | None:
    """Return who is to be paid, in short: for whom it is collected, and the account."""
    payee = request.payee
    if payee is None:
        return None
    parts = filter(None, (payee.ultimate_creditor, _number(payee.account_number)))
    return " ".join(parts) or None


def _number(number: str | None) -> str | None:
    return None if number is None else plain(short_mask(number))


def _written(value: Any, form: str = "", unit: str = "") -> str | None:
    return None if value is None else f"{value:{form}}{unit}"


def _shown(value: str | None) -> str:
    """Return external text for display; `-` for none."""
    return _NOTHING if not value else plain(f"{value}")


@dataclass(frozen=True)
class _Column:
    """A column of the table.

    `width` is that of usual values, so that the columns of all pages stand in line. `cut` allows
    the value to be cut to that width.
    """

    width: int
    value: Callable[[PaymentRequest], str | None]
    cut: bool = False
    right: bool = False


_COLUMNS = {
    "ID": _Column(10, lambda request: request.id),
    "STATUS": _Column(12, lambda request: request.status),
    "DIRECTION": _Column(9, lambda request: request.direction),
    "AMOUNT": _Column(10, lambda request: _written(request.amount, "f"), right=True),
    "DUE": _Column(10, lambda request: _written(request.due_date)),
    "CREATED (UTC)": _Column(19, lambda request: _written(request.created_at, _TIME)),
    "PAYER": _Column(12, _payer_of, cut=True),
    "PAYEE": _Column(12, _payee_of, cut=True),
    "REFERENCE": _Column(12, lambda request: request.client_reference_id, cut=True),
    "NOTES": _Column(16, lambda request: request.notes, cut=True),
}
_DROPPED = ("CREATED (UTC)", "DIRECTION", "PAYEE", "REFERENCE", "DUE")
"""What goes where there is no room, in this order."""
_GAP = "  "


def show_list(pages: Iterable[Sequence[PaymentRequest]], *, as_json: bool) -> bool:
    """Print pages as they come, as a table or as one JSON document a line.

    Returns whether there was any request.
    """
    lines = map(_as_json, pages) if as_json else _lines(pages, terminal_width())
    has_any = False
    for line in lines:
        say(line)
        has_any = True
    return has_any


def _as_json(page: Sequence[PaymentRequest]) -> str:
    return "\n".join(json.dumps(request.to_dict()) for request in page)


def at_most(
    limit: int | None, pages: Iterator[Sequence[PaymentRequest]]
) -> Iterator[Sequence[PaymentRequest]]:
    """Yield pages up to `limit` requests; None for all.

    A page that is not needed is not fetched.
    """
    if limit is None:
        yield from pages
        return
    for page in pages:
        yield page[:limit]
        limit -= len(page)
        if limit <= 0:
            return


def with_payers(
    pages: Iterable[Sequence[PaymentRequest]], get: Callable[[str], PaymentRequest]
) -> Iterator[Sequence[PaymentRequest]]:
    """Yield the pages with the payers of inbound requests, which a list lacks: `get` reads each of
    them.
    """
    from victor_ext import PaymentRequest  # noqa: PLC0415 - `victor --help` does not need it

    for page in pages:
        whole: list[PaymentRequest] = []
        for request in page:
            lacks_payer = request.direction == "inbound" and request.payer is None
            if lacks_payer and request.id:
                whole.append(PaymentRequest(request.raw, completed_by=get(request.id)))
            else:
                whole.append(request)
        yield whole


_Row = Mapping[str, str]
"""The cells of a payment request, by the names of their columns."""


def _lines(pages: Iterable[Sequence[PaymentRequest]], width: int | None) -> Iterator[Text]:
    """Yield a heading, and a line for each request as its page arrives; or cards, if there is no
    room for a table.

    A page that needs more room than those before it has a heading of its own. Without a `width`,
    that of a terminal, all columns are shown, and nothing is cut.
    """
    widths = {name: column.width for name, column in _COLUMNS.items()}
    empty = set(_COLUMNS)
    headed: list[str] = []
    for page in pages:
        rows = [_row(request) for request in page]
        widths = _widened(widths, rows)
        empty.difference_update(*map(_filled, rows))
        layout = _fit(widths, width, empty)
        if layout is None:
            for row in rows:
                yield from _card(row)
            continue
        if headed != list(layout):
            headed = list(layout)
            yield _heading(layout)
        for row in rows:
            yield _line(row, layout)


def _row(request: PaymentRequest) -> _Row:
    return {name: _shown(column.value(request)) for name, column in _COLUMNS.items()}


def _filled(row: _Row) -> set[str]:
    return {name for name, cell in row.items() if cell != _NOTHING}


def _widened(widths: Mapping[str, int], rows: Sequence[_Row]) -> dict[str, int]:
    """Return the widths of the columns, in which the cells of these rows have room, too."""
    from rich.cells import cell_len  # noqa: PLC0415 - JSON does without it

    widened = dict(widths)
    for row in rows:
        for name, cell in row.items():
            # Some characters take two columns of a terminal.
            widened[name] = max(widened[name], cell_len(cell))
    return widened


def _fit(widths: Mapping[str, int], total: int | None, empty: set[str]) -> Mapping[str, int] | None:
    """Return the columns to show with their widths, or None if not even the needed ones have room.

    Columns without a value go first. Where no payer is known, as in a list of inbound requests, the
    payee is needed.
    """
    if total is None:
        return widths
    shown = dict(widths)
    for name, column in _COLUMNS.items():
        if column.cut:
            shown[name] = column.width

    def room() -> int:
        gaps = len(_GAP) * (len(shown) - 1)
        return total - sum(shown.values()) - gaps

    for name in _dropped_first(empty):
        if room() < 0:
            del shown[name]
    if room() < 0:
        return None
    # A reference that is cut finds nothing: the room is first its own.
    for name in sorted(shown, key="REFERENCE".__ne__):
        shown[name] += min(widths[name] - shown[name], room())
    return shown


def _dropped_first(empty: set[str]) -> list[str]:
    """Return the columns that may be left out, in the order in which they go."""
    valueless = [name for name in reversed(_COLUMNS) if name in empty and name != "PAYEE"]
    names = list(dict.fromkeys([*valueless, *_DROPPED]))
    if "PAYER" in empty:
        names.remove("PAYEE")
    return names


def _heading(layout: Mapping[str, int]) -> Text:
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    parts = [_cell(name, Text(name), width) for name, width in layout.items()]
    return _joined(parts, style="bold")


def _line(row: _Row, layout: Mapping[str, int]) -> Text:
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    parts: list[Text] = []
    for name, width in layout.items():
        style = _STYLES.get(row[name], "") if name == "STATUS" else ""
        parts.append(_cell(name, Text(row[name], style=style), width))
    return _joined(parts)


def _cell(name: str, text: Text, width: int) -> Text:
    text.truncate(width, overflow="ellipsis")
    text.align("right" if _COLUMNS[name].right else "left", width)
    return text


def _joined(parts: Iterable[Text], style: str = "") -> Text:
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    line = Text(_GAP, style=style).join(parts)
    line.rstrip()
    return line


def _card(row: _Row) -> Iterator[Text]:
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    status = row["STATUS"]
    yield Text.assemble((row["ID"], "bold"), _GAP, (status, _STYLES.get(status, "")))
    for name, cell in row.items():
        is_fact = name not in ("ID", "STATUS") and cell != _NOTHING
        if is_fact:
            yield from entry(f"{_GAP}{name}", cell, label=17)
    yield Text()
