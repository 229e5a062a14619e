"""Text views of payment requests: masked account numbers, UTC times, exact decimals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .screen import masked, plain

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
TIME = "%Y-%m-%d %H:%M:%S"
_UTC = f"{TIME} UTC"
NOTHING = "-"
"""What stands for a value that was not sent."""


def full(request: PaymentRequest, place: str | None = None, width: int | None = None) -> Iterator[Text]:
    """Yield the lines of one payment request. `place` is the environment it was written to; `width` as in `entry`."""
    status = shown(request.status)
    meaning = f" ({_MEANINGS[status]})" if status in _MEANINGS else ""
    [line] = entry("Payment request", shown(request.id), None)
    line.stylize("bold", _LABEL_WIDTH)
    yield line
    first, *rest = entry("Status", f"{status}{meaning}", width)
    first.stylize(style_of(status), _LABEL_WIDTH, _LABEL_WIDTH + len(status))
    yield from (first, *rest)
    for label, value in (("Environment", place), *_facts(request)):
        if value is not None:
            yield from entry(label, plain(value), width)


def _facts(request: PaymentRequest) -> Iterator[tuple[str, str | None]]:
    payee, payer, answer = request.payee, request.payer, request.response
    yield "Failure", request.error_message
    yield "Direction", request.direction
    yield "Network", request.network
    yield "Amount", _dollars(request.amount)
    if request.original_amount != request.amount:
        yield "Original amount", _dollars(request.original_amount)
    yield "Due", written(request.due_date)
    yield "Created", written(request.created_at, _UTC)
    yield "Approved", written(request.approved_at, _UTC)
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


def change(request: PaymentRequest, seen: datetime) -> Text:
    """Return one line of a watch: the time of the change and the status."""
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    status = shown(request.status)
    reason = f"  {plain(request.error_message)}" if request.error_message else ""
    return Text.assemble(f"{seen:{_UTC}}  ", (status, style_of(status)), reason)


def entry(name: str, value: str, width: int | None, *, label: int = _LABEL_WIDTH) -> Iterator[Text]:
    """Yield a label with its printable value, which continues below itself where the terminal is too narrow for it.

    `width` is that of the terminal (None: one line, however long), `label` that of the label, in columns.
    """
    from rich.console import Console  # noqa: PLC0415 - JSON does without it
    from rich.text import Text  # noqa: PLC0415 - see above

    text = Text(value)
    parts = [text] if width is None else text.wrap(Console(width=width), max(width - label, label))
    for i, part in enumerate(parts):
        yield Text.assemble(f"{'' if i else name:<{label}}", part.plain.rstrip())


def style_of(status: str) -> str:
    return _STYLES.get(status, "")


def payer_of(request: PaymentRequest) -> str | None:
    payer = request.payer
    return None if payer is None else payer.counterparty_id or payer.name or _number(payer.account_number)


def payee_of(request: PaymentRequest) -> str | None:
    """Return who is to be paid, in short: for whom it is collected, and the account."""
    payee = request.payee
    if payee is None:
        return None
    return " ".join(filter(None, (payee.ultimate_creditor, _number(payee.account_number)))) or None


def _number(number: str | None) -> str | None:
    return None if number is None else masked(number)


def _dollars(amount: object) -> str | None:
    return None if amount is None else f"{amount:f} USD"


def written(value: Any, form: str = "") -> str | None:
    return None if value is None else f"{value:{form}}"


def shown(value: str | None) -> str:
    """Return external text for display; `-` for none."""
    return NOTHING if not value else plain(f"{value}")
