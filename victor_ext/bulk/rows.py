"""The rows of bulk sending: as stored (`Row`), with what became of them (`Result`), as a line of an
export (`RowResult`), and what a delivery has stored of them meanwhile (`Checkpoint`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, NamedTuple, TypeAlias

from victor_ext import idempotency_key_for
from victor_ext.ids import canonical_id
from victor_ext.settlement.flow import PaymentOutcome
from victor_ext.settlement.key_age import Sent

RowOutcome = PaymentOutcome
Arguments: TypeAlias = Mapping[str, Any]
"""What is sent for a row, by column."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row as stored before it is sent.

    Attributes:
        number: Record number in the source, from 1.
        payment: The key of its payment in the database, which never changes; empty for a refused
            row without a key.
        key: The idempotency key that the row is sent with. Each time the payment is asked once more
            after a rejection, it has a new one.
        value: The value in the key column, which the key is made of.
        arguments: What is sent, as JSON data by column, or None for a refused row.
        extras: The other columns, for the export.
        sent: Earliest possible send in an earlier attempt, or None.
        place: Index of the row in its chunk, from 0.
        unit: The provider's id of the payout that the row was sent in, if it is known; else None.
        again: How many keys the payment had before `key`.
        key_retention: Seconds for which the provider keeps `key`, by the settings that the row was
            stored with.
    """

    number: int
    payment: str
    key: str
    value: str | None
    arguments: Arguments | None = field(repr=False)
    extras: Mapping[str, str] = field(repr=False)
    sent: Sent | None = None
    place: int = 0
    unit: str | None = None
    again: int = 0
    key_retention: float = inf

    @property
    def name(self) -> str:
        """What people call the row: the value in the key column; its key, if that was forgotten."""
        return self.value or self.key

    @classmethod
    def of_stored(
        cls,
        payment: str,
        data: Sequence[Any],
        again: int = 0,
    ) -> Row:
        """Return the row of a payment.

        Args:
            payment: The key of the payment in the database.
            data: The decrypted content of the row: number, value, arguments, extras.
            again: How many keys the payment had before the one that the row is sent with.
        """
        number, value, arguments, extras = data
        key = idempotency_key_for("again", payment, again) if again else payment
        return cls(number, payment, key, value, arguments, extras, again=again)


class Result(NamedTuple):
    """What became of a row, as it is stored.

    Attributes:
        id: The provider's id of what the row asks for, if it is known.
        status: The status in the provider's response, if it is known.
        error: Why the row is not created, or how a lost response was settled.
        sent: As in `Row`; None: the row is settled.
        unit: As in `Row`.
    """

    outcome: RowOutcome
    id: str | None = None
    status: str | None = None
    error: str | None = None
    sent: Sent | None = None
    unit: str | None = None

    @property
    def made(self) -> str | None:
        """The id of what was made for the row, of its request or of the payout that has it, in the
        form in which ids are compared.
        """
        return canonical_id(self.unit or self.id)

    @property
    def is_certain(self) -> bool:
        """Whether the result stays true if another worker has claimed the row meanwhile."""
        return self.outcome is RowOutcome.CREATED or self.unit is not None


@dataclass(frozen=True, slots=True)
class RowResult:
    """One line of an export.

    Attributes:
        row: Record number in the source, from 1; 0 if the latest file lacks the row and it may have
            been sent.
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
    """

    row: int
    key: str
    id: str | None
    status: str | None
    outcome: RowOutcome
    error: str | None
    extras: Mapping[str, str] = field(repr=False)
    asked: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


class Checkpoint(NamedTuple):
    """What a delivery has stored before it goes on. Rows are named by their index in the chunk.

    Attributes:
        begun: The rows that may have been sent once this is stored.
        sent: The earliest time at which the begun rows may have been sent; None: none is begun.
        results: The results since the checkpoint before.
    """

    begun: Collection[int]
    sent: Sent | None
    results: Mapping[int, Result]
