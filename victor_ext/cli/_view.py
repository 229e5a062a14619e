"""Payment requests as text: one in full (`full`), a change of its status (`change`), or a list
(`show_list`) as a table.

Account numbers are masked, times UTC, decimals exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING

from victor_ext._privacy import short_mask

from ._screen import in_columns, plain, say, styled, terminal_width

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
    facts: dict[str, str | Text | None] = {
        "Payment request": styled(_cell_text(request.id), style="bold"),
        "Status": styled((status, _STYLES.get(status, "")), meaning),
        "Environment": None if environment is None else plain(environment),
    }
    for label, place in _FACTS.items():
        is_news = label != "Original amount" or request.original_amount != request.amount
        value = _value_at(request, place)
        if is_news and value is not None:
            unit = _UNITS.get(type(value), "")
            facts[label] = plain(f"{_text_of(value, place)}{unit}")
    for label, text in facts.items():
        if text is not None:
            yield styled(label.ljust(_LABEL_WIDTH), text)


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


_COLUMNS: Mapping[str, Sequence[str]] = {
    "ID": ["id"],
    "STATUS": ["status"],
    "AMOUNT": ["amount"],
    "PAYER": ["payer.counterparty_id", "payer.name", "payer.account_number"],
    "PAYEE": ["payee.ultimate_creditor", "payee.account_number"],
    "DUE": ["due_date"],
    "DIRECTION": ["direction"],
    "CREATED (UTC)": ["created_at"],
    "REFERENCE": ["client_reference_id"],
    "NOTES": ["notes"],
}
"""The columns of a list, each with the places of its value: the first one that has any. What is
needed to decide comes first: a narrow terminal cuts the end of each line.
"""


def show_list(pages: Iterable[Sequence[PaymentRequest]], *, as_json: bool) -> bool:
    """Print a list: a table, or one JSON document a line as its pages come.

    Returns whether there was any request.
    """
    has_any = False
    if as_json:
        for request in chain.from_iterable(pages):
            say(request.to_dict())
            has_any = True
        return has_any
    rows = [[*_COLUMNS]]
    rows.extend(
        [_cell(request, places) for places in _COLUMNS.values()]
        for request in chain.from_iterable(pages)
    )
    if len(rows) == 1:
        return False
    width = terminal_width()
    for row, line in zip(rows, in_columns(rows, [*_COLUMNS].index("AMOUNT")), strict=True):
        text = styled(line, style="bold" if row is rows[0] else "")
        text.highlight_words([row[1]], _STYLES.get(row[1], ""))
        if width is not None:
            text.truncate(width, overflow="ellipsis")
        say(text)
    return True


def _cell(request: PaymentRequest, places: Sequence[str]) -> str:
    """Return the value of the first place that has one."""
    for place in places:
        value = _value_at(request, place)
        if value is not None:
            return _cell_text(_text_of(value, place))
    return _NO_VALUE


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
