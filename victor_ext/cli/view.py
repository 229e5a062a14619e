"""Text views of payment requests: masked account numbers, UTC times, exact decimals."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from .screen import masked, plain, say

if TYPE_CHECKING:
    from rich.text import Text

    from victor_ext import Payer, PaymentRequest

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
_GAP = "  "

_HEADINGS = ("ID", "STATUS", "DIRECTION", "AMOUNT", "DUE", "CREATED (UTC)", "PAYER", "PAYEE", "REFERENCE")
# Minimum widths for usual values, so that columns align across pages.
_WIDTHS = (10, 12, 9, 12, 10, 19, 16, 8, 0)
_AMOUNT = 3
_STATUS = 1


def full(request: PaymentRequest, place: str | None = None) -> Iterator[Text]:
    """Yield the lines of one payment request; `place` is the environment it was written to."""
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    yield Text.assemble(_label("Payment request"), (_shown(request.id), "bold"))
    status = _shown(request.status)
    meaning = f" ({_MEANINGS[status]})" if status in _MEANINGS else ""
    yield Text.assemble(_label("Status"), (status, _STYLES.get(status, "")), meaning)
    for label, value in (("Environment", place), *_facts(request)):
        if value is not None:
            yield Text.assemble(_label(label), plain(value))


def _facts(request: PaymentRequest) -> Iterator[tuple[str, str | None]]:
    payee, payer, answer = request.payee, request.payer, request.response
    yield "Failure", request.error_message
    yield "Direction", request.direction
    yield "Network", request.network
    yield "Amount", _dollars(request.amount)
    if request.original_amount != request.amount:
        yield "Original amount", _dollars(request.original_amount)
    yield "Due", None if request.due_date is None else request.due_date.isoformat()
    yield "Created", _moment(request.created_at)
    yield "Approved", _moment(request.approved_at)
    if payee is not None:
        yield "Payee account", _number(payee.account_number)
        yield "Ultimate creditor", payee.ultimate_creditor
    if payer is not None:
        yield "Payer counterparty", payer.counterparty_id
        yield "Payer", payer.name
        yield "Payer account", _number(payer.account_number)
        yield "Payer routing", _number(payer.routing_number)
    yield "Notes", request.notes
    yield "Answer", None if answer is None else answer.status
    yield "Answer's notes", request.approval_notes
    yield "Client reference", request.client_reference_id
    yield "Parent", request.parent_id
    yield "Child", request.child_id
    yield "Idempotency key", request.idempotency_key


def table(pages: Iterable[Sequence[PaymentRequest]]) -> Iterator[Text]:
    """Yield a heading, and a line for each request as its page arrives."""
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    widths = list(_WIDTHS)
    headed = False
    for page in pages:
        rows = [_cells(request) for request in page]
        widths = [max(width, *(_cell_width(row[i]) for row in rows)) for i, width in enumerate(widths)]
        if not headed:
            headed = True
            yield Text(_line(_HEADINGS, widths).rstrip(), style="bold")
        for row in rows:
            line = Text(_line(row, widths).rstrip())
            start = widths[0] + len(_GAP)
            line.stylize(_STYLES.get(row[_STATUS], ""), start, start + len(row[_STATUS]))
            yield line


def change(request: PaymentRequest, seen: datetime) -> Text:
    """Return one line of a watch: the time of the change and the status."""
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    status = _shown(request.status)
    reason = f"  {plain(request.error_message)}" if request.error_message else ""
    return Text.assemble(f"{_moment(seen)}{_GAP}", (status, _STYLES.get(status, "")), reason)


def _cells(request: PaymentRequest) -> tuple[str, ...]:
    cells = (
        request.id,
        request.status,
        request.direction,
        None if request.amount is None else f"{request.amount:f}",
        None if request.due_date is None else request.due_date.isoformat(),
        None if request.created_at is None else f"{request.created_at:%Y-%m-%d %H:%M:%S}",
        _payer(request.payer),
        None if request.payee is None else _number(request.payee.account_number),
        request.client_reference_id,
    )
    return tuple(_shown(cell) for cell in cells)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded: list[str] = []
    for i, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        padding = " " * (width - _cell_width(cell))
        padded.append(padding + cell if i == _AMOUNT else cell + padding)
    return _GAP.join(padded)


def _cell_width(text: str) -> int:
    from rich.cells import cell_len  # noqa: PLC0415 - see above

    # Some characters take two columns of a terminal.
    return cell_len(text)


def _label(text: str) -> str:
    return f"{text:<{_LABEL_WIDTH}}"


def _payer(payer: Payer | None) -> str | None:
    if payer is None:
        return None
    return payer.counterparty_id or payer.name or _number(payer.account_number)


def _number(number: str | None) -> str | None:
    return None if number is None else masked(number)


def _dollars(amount: object) -> str | None:
    return None if amount is None else f"{amount:f} USD"


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _shown(value: str | None) -> str:
    return "-" if not value else plain(f"{value}")


def as_json_lines(pages: Iterable[Sequence[PaymentRequest]]) -> int:
    """Print one JSON document per line. Returns the number of requests."""
    count = 0
    for page in pages:
        say("\n".join(json.dumps(request.to_dict()) for request in page))
        count += len(page)
    return count


def as_table(pages: Iterable[Sequence[PaymentRequest]]) -> int:
    """Print a table, page by page. Returns the number of requests."""
    count = 0
    for count, line in enumerate(table(pages)):  # noqa: B007 - the heading is line 0
        say(line)
    return count


def at_most(limit: int | None, pages: Iterator[Sequence[PaymentRequest]]) -> Iterator[Sequence[PaymentRequest]]:
    """Yield pages up to `limit` requests; None for all."""
    left = limit
    for page in pages:
        items = page if left is None else page[:left]
        yield items
        if left is not None:
            left -= len(items)
            if left <= 0:
                # Do not fetch a page that is not needed.
                return
