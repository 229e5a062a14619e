"""The rows of bulk sending: as stored (`RowContent`), with what became of them (`Result`), and as a
line of an export (`RowResult`).

`content_of` and `result_of` decrypt what a stored payment asks for, and what became of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
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
        extras: The other columns, for the export.
    """

    number: int
    value: str | None
    arguments: Arguments | None = field(repr=False)
    extras: Mapping[str, str] = field(repr=False)


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


def times_of(stored: Any) -> dict[str, Any]:
    """Return when a stored payment or entry was first sent, as the attributes of a `RowResult`.

    Args:
        stored: A row with `first_sent_at` and `by_provider_clock`.
    """
    moment = stored.first_sent_at
    return {
        "asked_at": datetime.fromtimestamp(moment, UTC) if moment else None,
        "by_provider_clock": bool(stored.by_provider_clock),
    }


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
        row: Record number in the source, from 1; 0 if the latest sheet lacks the row and it was
            sent, or may have been.
        key: Idempotency key, the same in every attempt; empty for a refused row without one.
        id: The provider's id of what the row asks for, if known.
        status: The status in the provider's response, if known.
        outcome: Outcome of the row. If it is `to_decide`, `id`, `status` and `asked` are those of
            what was created.
        error: Why the row is not `created`, or how a lost response was settled. With `refresh` also
            why the provider says that the request failed or was declined.
        extras: The other columns of the source, by name; of a row that is wrong, also the cells in
            the columns of `asked`.
        asked: The sent values of some columns, by name, and Velo's `payout_id`, if known. Empty for
            a row that was refused before storage.
        batch: The batch whose sheet it is, or was, asked for; None: it was not asked.
        asked_at: When it was first sent, an aware time: the provider's where `by_provider_clock`,
            else this machine's; None: it was not sent.
        by_provider_clock: Whether `asked_at` is the provider's time.
        asked_by: The person of the sheet that it was asked for, if one was named.
        sheet: The batch whose latest sheet has the row, or lacks it.
    """

    row: int
    key: str
    id: str | None
    status: str | None
    outcome: RowOutcome
    error: str | None
    extras: Mapping[str, str] = field(repr=False)
    asked: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    batch: str | None = None
    asked_at: datetime | None = None
    by_provider_clock: bool = False
    asked_by: str | None = None
    sheet: str = ""

    @property
    def has_payment(self) -> bool:
        """Whether the provider has created what is said of the row, and its `status` can be read:
        also if a person has to decide about the row.
        """
        return self.id is not None and self.outcome in _WITH_PAYMENT


_WITH_PAYMENT = (RowOutcome.CREATED, RowOutcome.TO_DECIDE)
"""Outcomes of rows whose payment the provider may have created."""
