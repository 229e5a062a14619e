"""One rule in place of questions, series, look-alikes and decisions: what a batch has asked for, its next sheet has.

The whole of what is decided about a sheet and its rows, over a state in memory; `histories.py` plays people and
spreadsheets against it. A payment is identified by its key; `spelling`, `likeness` stand for keyed digests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum, auto

from victor_ext._ids import skeleton_of


class State(StrEnum):
    WAITING = auto()  # also: not sent, refused here
    UNKNOWN = auto()
    CREATED = auto()
    REJECTED = auto()


@dataclass(frozen=True)
class Row:
    """A valid row of a sheet."""

    key: str
    payer: str
    amount: str
    due: str

    @property
    def likeness(self) -> tuple[str, ...]:
        """What it asks for, beside its name."""
        return skeleton_of(self.payer), self.amount, self.due


@dataclass(frozen=True)
class Payment:
    """What was asked, or waits: an entry of the outbox."""

    row: Row
    batch: str
    state: State = State.WAITING
    again: int = 0


class SheetRefused(Exception):
    """Nothing was stored: one question about the whole sheet."""


MAY_EXIST = (State.UNKNOWN, State.CREATED)


def refuse_unless_next(
    sheet: Sequence[Row], batch: str, payments: Mapping[str, Payment], *, are_others: bool = False
) -> None:
    """Raise `SheetRefused` for a sheet that may hide a payment, or ask for one twice.

    Args:
        are_others: A person says that new rows are other payments than those they look like.
    """
    keys = {row.key for row in sheet}
    asked = {key: payment for key, payment in payments.items() if payment.state in MAY_EXIST}
    lacking = [key for key in asked if asked[key].batch == batch and key not in keys]
    if lacking:
        raise SheetRefused(f"It lacks {lacking[0]}, which was asked for: put it back, or name the sheet.")
    if are_others:
        return
    new = [row for row in sheet if row.key not in payments]
    spelled = {skeleton_of(key): key for key in [*payments, *(keys & payments.keys())]}
    for row in new:
        other = spelled.setdefault(skeleton_of(row.key), row.key)
        if other != row.key:
            raise SheetRefused(f"{row.key} is {other} in another spelling.")
    elsewhere: dict[tuple[str, ...], set[str]] = {}
    for key, payment in payments.items():
        if key not in keys:
            elsewhere.setdefault(payment.row.likeness, set()).add(payment.batch)
    copies = [elsewhere[row.likeness] for row in new if row.likeness in elsewhere]
    related = {payments[key].batch for key in keys & payments.keys()}
    if copies and (2 * len(copies) >= len(new) or any(batches & related for batches in copies)):
        raise SheetRefused("Its new rows ask what another batch asked, under other numbers.")


def send(
    sheet: Sequence[Row], batch: str, payments: dict[str, Payment], *, are_others: bool = False
) -> dict[str, str]:
    """Store a sheet. Returns what each of its rows comes to; what waits, is sent."""
    refuse_unless_next(sheet, batch, payments, are_others=are_others)
    keys = {row.key for row in sheet}
    for key in [key for key, each in payments.items() if each.batch == batch and key not in keys]:
        if payments[key].state is State.WAITING:  # a row that was deleted before it left
            del payments[key]
    told: dict[str, str] = {}
    for row in sheet:
        payment = payments.get(row.key)
        told[row.key] = word = decide(row, payment)
        if word == "asked":
            again = 0
            if payment is not None:
                again = payment.again + (payment.state is State.REJECTED)
            payments[row.key] = Payment(row, batch, again=again)
    return told


def decide(row: Row, payment: Payment | None) -> str:
    """What a row comes to: the whole table."""
    if payment is None or payment.state is State.WAITING:
        return "asked"
    if payment.state is State.REJECTED:
        return "rejected" if row == payment.row else "asked"
    if payment.state is State.UNKNOWN:
        return "unknown"
    is_same = replace(row, due="") == replace(payment.row, due="")
    return "created" if is_same else "to_decide"
