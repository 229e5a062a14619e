"""What a system's side of a reconciliation is made of: a `Book`, which says how the payments of a
`Window` are read, and `Theirs`, what each of them says.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from victor_ext._runtime.core.validation import Validation
from victor_ext._values.opaque import FrozenOpaque, FrozenStruct
from victor_ext.errors import BadRequest, InvalidRequest, NotFound, VictorError
from victor_ext.money import Money, from_wire


class Theirs(FrozenStruct, frozen=True):
    """A payment as the provider has it. An attribute is None where the provider does not say it, or
    it cannot be read.

    Attributes:
        id: The provider's id.
        reference: Our reference, as the provider repeats it.
        amount: The amount as it stands.
        requested: The amount that was asked, if the payer agreed to another one; else as `amount`.
        currency: ISO 4217, also where the amount cannot be read.
        status: The provider's word.
        at: When it was made, by the provider's clock.
        is_unreadable: Whether an amount is there that cannot be read, or amounts contradict each
            other: it is a difference, whatever `Book.amounts` says.
    """

    id: str | None
    reference: str | None
    amount: Money | None
    requested: Money | None
    currency: str | None
    status: str | None
    at: datetime | None
    is_unreadable: bool = False


def in_major_units(minor_units: object, currency: object) -> str | None:
    """Return an amount in the currency's smallest unit as text in major units, `44.23`; None if it
    is no amount, or there is no such currency.
    """
    if not isinstance(minor_units, int) or not isinstance(currency, str):
        return None
    try:
        return f"{Money(minor_units, currency).amount:f}"
    except InvalidRequest:
        return None


MARGIN = timedelta(minutes=10)
"""How far the time of one payment may differ in the two books: clocks differ, and calls are tried
again.
"""

_BEYOND = timedelta(seconds=1)
"""How much further than the margin is read: no provider documents whether its ends are inclusive.
"""

_DAY = timedelta(days=1)
"""How much further a list is read whose filter takes dates."""


class Zone(IntEnum):
    """Where a moment lies.

    Attributes:
        INSIDE: In the window, and further than the margin from its ends. A payment without a time
            counts as inside.
        EDGE: In the window, near to an end: the other side may have it in the neighbouring window.
        AROUND: Outside of the window, near to an end: it is matched, and no part of the report if
            it is not.
        OUTSIDE: Further away. Theirs is matched, because the filter of a list may mean another
            time; ours is left out.
    """

    INSIDE = 0
    EDGE = 1
    AROUND = 2
    OUTSIDE = 3


class Window(FrozenStruct, frozen=True):
    """From `start` until just before `end`.

    Raises:
        InvalidRequest: A time is not aware, the window is empty, the margin is negative, or a year
            is out of range.
    """

    start: datetime
    end: datetime
    margin: timedelta = MARGIN

    def __post_init__(self) -> None:
        validation = Validation()
        validation.moment("start", self.start)
        validation.moment("end", self.end)
        margin: object = self.margin
        if not isinstance(margin, timedelta) or margin < timedelta(0):
            validation.note("margin", "range", "margin must be a timedelta of 0 or more.")
        if not validation.problems and self.start >= self.end:
            validation.note("end", "range", "end must be after start.")
        validation.finish()
        try:  # whether there are such moments
            _ = self.read_from - _DAY
            _ = self.read_to + _DAY
        except OverflowError:
            message = (
                "start and end, with the margin, must lie within the years 1 to 9999: "
                "choose a shorter window."
            )
            validation.note("margin", "range", message)
        validation.finish()

    @property
    def read_from(self) -> datetime:
        """Where the provider's list is read from: before the margin, because its filter may exclude
        its own ends.
        """
        return self.start - self.margin - _BEYOND

    @property
    def read_to(self) -> datetime:
        """Where the provider's list is read to, likewise."""
        return self.end + self.margin + _BEYOND

    def zone(self, moment: datetime | None) -> Zone:
        """Where a moment lies."""
        if moment is None:
            return Zone.INSIDE
        if not self.start - self.margin <= moment <= self.end + self.margin:
            return Zone.OUTSIDE
        if not self.start <= moment < self.end:
            return Zone.AROUND
        near = moment - self.start < self.margin or self.end - moment <= self.margin
        return Zone.EDGE if near else Zone.INSIDE


class Book(FrozenOpaque, frozen=True):
    """What a provider can be asked, and what its records say.

    Attributes:
        pages: Begin to read the pages of a window. None: the provider has no list.
        read: A record in the terms of the report.
        is_outbound: Whether a record of the list is a payment that we asked for.
        look_up: Read one payment by the provider's id; a result, or something to await.
        absent: The errors of `look_up` that mean that the payment does not exist. A 400 after a
            readable list is about the id: Victor documents no other response to an unknown id.
        amounts: Whether the provider says amounts, so that an amount that is missing is a
            difference.
        currency: The only currency of the provider, if it has one.
        notes: What the book gives no evidence of, in sentences.
    """

    pages: Callable[[Window], Any] | None
    read: Callable[[Any], Theirs]
    look_up: Callable[[str], Any]
    absent: tuple[type[VictorError], ...] = (NotFound, BadRequest, InvalidRequest)
    is_outbound: Callable[[Any], bool] = lambda _record: True
    amounts: bool = True
    currency: str | None = None
    notes: Sequence[str] = ()


def currency_of(code: object) -> str | None:
    """Return a code of ISO 4217 in capitals, as our book has it."""
    return code.strip().upper() if isinstance(code, str) else None


def money_of(amount: object, currency: str | None) -> Money | None:
    """Return an exact amount; None where it cannot be an amount of the currency."""
    if currency is None:
        return None
    exact = from_wire(amount, currency)
    if exact is None:
        return None
    with suppress(InvalidRequest):
        return Money.recorded(exact, currency)
    return None
