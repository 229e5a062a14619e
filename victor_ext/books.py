"""What a system's side of a reconciliation is made of: how the payments of a period are read, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from victor_ext.errors import BadRequest, InvalidRequest, NotFound, VictorError
from victor_ext.money import Money


@dataclass(frozen=True, slots=True)
class Theirs:
    """A payment as the provider has it. None: the provider does not say it, or it cannot be read.

    Attributes:
        id: The provider's id.
        reference: Our reference, as the provider repeats it.
        amount: The amount as it stands.
        requested: The amount that was asked, if the payer agreed to another one; else as `amount`.
        currency: ISO 4217, also where the amount cannot be read.
        status: The provider's word.
        at: When it was made, by the provider's clock.
    """

    id: str | None
    reference: str | None
    amount: Money | None
    requested: Money | None
    currency: str | None
    status: str | None
    at: datetime | None


class Period(Protocol):
    """The time whose payments are read, all of it aware: the margin reaches from `first` to `last`."""

    @property
    def first(self) -> datetime: ...
    @property
    def last(self) -> datetime: ...
    @property
    def read_from(self) -> datetime:
        """A little before `first`, for a filter that may exclude its own ends."""
        ...

    @property
    def read_to(self) -> datetime:
        """A little after `last`."""
        ...


@dataclass(frozen=True, slots=True)
class Book:
    """What a provider can be asked, and what its records say.

    Attributes:
        pages: Begin to read the pages of a period. None: the provider has no list.
        read: A record in the terms of the report.
        is_outbound: Whether a record of the list is a payment that we asked for.
        look_up: Read one payment by the provider's id; a result, or something to await.
        find: Read the payments with a reference, if there is no list; a sequence, or something to await.
        choose: Of the records that `find` returned, those that are payments of their own.
        absent: The errors of `look_up` that mean that there is no such payment. After a list that could be read, a 400
            is about the id: Victor documents nothing else for an id that does not exist.
        amounts: Whether the provider says amounts, so that an amount that is not there is a difference.
        currency: The only currency of the provider, if it has one.
        notes: What cannot be told, in sentences.
    """

    pages: Callable[[Period], Any] | None
    read: Callable[[Any], Theirs]
    look_up: Callable[[str], Any]
    find: Callable[[str], Any] | None = None
    choose: Callable[[Sequence[Any]], Sequence[Any]] = list
    absent: tuple[type[VictorError], ...] = (NotFound, BadRequest, InvalidRequest)
    is_outbound: Callable[[Any], bool] = lambda _record: True
    amounts: bool = True
    currency: str | None = None
    notes: Sequence[str] = ()


def currency_of(code: object) -> str | None:
    """Return a code of ISO 4217 in capitals, as our book has it."""
    return code.strip().upper() if isinstance(code, str) else None


def money_of(amount: Any, currency: str | None) -> Money | None:
    """Return an exact amount; None where it cannot be one of the currency."""
    if currency is None or not isinstance(amount, Decimal | str):
        return None
    try:
        return Money.of(amount, currency)
    except InvalidRequest:
        return None
