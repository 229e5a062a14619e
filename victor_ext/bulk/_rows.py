"""The rows of bulk sending: as stored (`RowContent`), with what became of them (`Result`), and as a
line of an export (`RowResult`).

`content_of` and `result_of` decrypt what a stored payment asks for, and what became of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

from victor_ext import idempotency_key_for
from victor_ext._event_queue.vault import Vault
from victor_ext._settlement.flow import PaymentOutcome
from victor_ext.outbox._files import UNDER_WAY

RowOutcome = PaymentOutcome
Arguments: TypeAlias = Mapping[str, Any]
"""What is sent for a row, by column."""
_NOT_DECIDED = "It was sent, and the provider has not said yet whether it accepts this row."


@dataclass(frozen=True, slots=True)
class RowContent:
    """What a row, or a payment, asks for.

    Attributes:
        number: Record number in the source, from 1; 0: it was forgotten.
        value: The value in the key column, which the key is made of.
        arguments: What is sent, as JSON data by column, or None for a refused row.
        cells: All cells of its source, as text, by the source's own headings, for the export.
    """

    number: int
    value: str | None
    arguments: Arguments | None = field(repr=False)
    cells: Mapping[str, str] = field(repr=False)


def key_after(payment: str, again: int) -> str:
    """Return the key that a payment is sent with which had so many keys before: each time it is
    asked once more after a rejection, it has a new one.
    """
    return idempotency_key_for("again", payment, again) if again else payment


class Result(NamedTuple):
    """What became of a row, as it is stored.

    Attributes:
        id: The provider's id of what the row asks for, if it is known.
        status: The status in the provider's response, if it is known.
        error: Why the row is not created, or how a lost response was settled.
        unit: The provider's id of the payout that the row was sent in, if it is known; else None.
    """

    outcome: RowOutcome
    id: str | None = None
    status: str | None = None
    error: str | None = None
    unit: str | None = None

    @property
    def made(self) -> str | None:
        """The id of what was made for the row, of its request or of the payout that has it, in the
        form in which entries have it and ids are compared.
        """
        return self.unit or self.id


def content_of(vault: Vault, row: str | None) -> RowContent:
    """Return the content of a row that is stored encrypted; None: it was forgotten."""
    return RowContent(0, None, None, {}) if row is None else RowContent(*vault.opened(row))


def result_of(vault: Vault, stored: Any) -> Result:
    """Return what became of a stored payment.

    Args:
        stored: A row with the `PAYMENT_COLUMNS`, such as a `StoredPayment`.
    """
    if stored.state == UNDER_WAY:
        return Result(RowOutcome.UNKNOWN, error="It is being sent, or its sender was interrupted.")
    if stored.state is None:  # it was pulled back
        return Result(RowOutcome.WAITING)
    outcome = RowOutcome(stored.state)
    error = None if stored.error is None else vault.opened_text(stored.error)
    if stored.own_state is not None:
        unit = None if stored.made == stored.request_id else stored.made
        return Result(outcome, stored.request_id, stored.status, error, unit)
    if not stored.shared:
        return Result(outcome, stored.request_id, stored.status, error)
    if outcome is RowOutcome.ACCEPTED and stored.request_id is not None:
        return Result(outcome, error=_NOT_DECIDED, unit=stored.request_id)
    return Result(outcome, error=error)


def asked_at_of(stored: Any) -> datetime | None:
    """Return when a stored payment was first sent, an aware time; None: it was not."""
    moment = stored.first_sent_at
    return datetime.fromtimestamp(moment, UTC) if moment else None


def own_values(vault: Vault, result: Result) -> dict[str, Any]:
    """Return the columns of a payment, with their values, that store a result beside its entry."""
    return {
        "state": result.outcome,
        "request_id": result.id,
        "status": result.status,
        "error": None if result.error is None else vault.sealed_text(result.error),
        "made": result.made,
    }


NOTHING_OWN = dict.fromkeys(("state", "request_id", "status", "error", "made"))
"""The same columns, where nothing is known beside the entry."""


@dataclass(frozen=True, slots=True)
class RowResult:
    """One line of an export.

    Attributes:
        number: The value in the key column; its key, if the value is forgotten.
        id: The provider's id of what the row asks for, if known.
        status: The provider's status: that of the response, or with `refresh` the present one.
        outcome: Outcome of the row. If it is `to_decide`, `id`, `status` and `asked` are those of
            what was created.
        error: Why the row is not `created`, or how a lost response was settled. With `refresh` also
            why the provider says that the request failed or was declined.
        asked: The amount that was, or may have been, asked for; None: nothing was, or it is
            forgotten.
        agreed: With `refresh`, the amount that the payer has agreed to, in whole or in part; of a
            payout's payment, the amount that was paid. None: not, or not yet.
        currency: The currency of both (ISO 4217).
        batch: The batch whose latest sheet has the row.
        cells: The cells of its source, by the source's own headings.
        key: Idempotency key, the same in every attempt; empty for a refused row without one.
        reference: The reference that was sent with it.
        asked_at: When it was first sent, an aware time; None: it was not.
        unit: The id of the payout that has it, if it is known.
        row: Record number in the source, from 1; 0: it is forgotten.
    """

    number: str = field(repr=False)
    id: str | None
    status: str | None
    outcome: RowOutcome
    error: str | None = field(repr=False)
    asked: Decimal | None = field(repr=False)
    agreed: Decimal | None = field(repr=False)
    currency: str | None
    batch: str
    cells: Mapping[str, str] = field(repr=False)
    key: str = ""
    reference: str | None = field(default=None, repr=False)
    asked_at: datetime | None = None
    unit: str | None = None
    row: int = 0
