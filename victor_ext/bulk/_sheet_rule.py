"""Whether a sheet is the next one of its batch (`refuse_another_list`), and which of its rows are
payments that exist, or earlier rows, in another spelling of their keys (`respelled_rows`), or have
the reference of one (`rows_of_asked_references`).

What programs do to the spelling of a key has no end. What they cannot do is make a payment leave
its sheet without a new row in its place. So the next sheet of a batch has all that the batch has
asked for, or is refused as a whole. A sheet of another name is refused if its new rows ask what
other batches have asked, under keys that it lacks: it is a copy whose keys were respelled.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Collection, Iterator
from typing import NamedTuple, Protocol

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import ConfigurationError, Problem
from victor_ext._event_queue.databases import Condition, OfFewRows
from victor_ext._values.ids import reference_of

from ._deciding import day_text
from ._payments import (
    EXISTS_OR_MAY,
    PAYMENTS,
    RESTORED,
    STATE,
    TO_BE_SENT,
    WITH_ENTRIES,
    RequestedPayment,
    StoredPayment,
    chosen_payments,
    pages,
    stored_payments,
)
from ._rows import content_of
from ._store import Store

_NAMED = 5
"""So many payments that a sheet lacks are named."""


class AnotherList(ConfigurationError):
    """A sheet may be another list than the one that was sent under its name, or a copy of one.
    Nothing was stored.
    """


class SheetRows(Protocol):
    """The rows of a sheet, wherever they are stored."""

    def pages(self) -> Iterator[list[RequestedPayment]]:
        """Yield the rows with a key, in their order."""
        ...

    def keys_among(self, keys: Collection[str]) -> set[str]:
        """Return those of these keys that the sheet has."""
        ...

    def first_with(self, skeletons: Collection[str]) -> dict[str, int]:
        """Return the number of the first row with each of these digests of a skeleton."""
        ...

    def place_of(self, number: int) -> str:
        """Return where its source has a row, in the words of a message."""
        ...


def refuse_another_list(
    connection: Connection, store: Store, rows: SheetRows, *, are_others: bool
) -> None:
    """Raise `AnotherList` for a sheet that lacks what its batch has asked for; or for a copy of
    another batch with other keys.

    Args:
        are_others: A person says that the new rows are other payments than they look like.
    """
    lacking = _lacking_keys(connection, store, rows)
    if lacking:
        stored = stored_payments(connection, store.owner, lacking[:_NAMED])
        names = ", ".join(_name(store, stored[key]) for key in lacking[:_NAMED])
        more = f" and {len(lacking) - _NAMED:,} more" if len(lacking) > _NAMED else ""
        raise _another_list(
            f"{store.batch} has asked for {names}{more}, and this sheet lacks what was asked for. "
            "Is it the same list? Then put these rows back, with the keys that they had: nobody is "
            f"asked twice. Is it another list? Then name it: --batch {_another_name(store)}."
        )
    if not are_others:
        _refuse_copy(connection, store, rows)


def _lacking_keys(connection: Connection, store: Store, rows: SheetRows) -> list[str]:
    """Return the keys of payments of the batch that exist, or may, and that the sheet lacks."""
    columns = PAYMENTS.c
    query = sa.select(columns.key).select_from(WITH_ENTRIES)
    asked = query.where(store.is_of_batch(), STATE.in_(EXISTS_OR_MAY))
    in_order = connection.execute(asked.order_by(columns.sheet, columns.number)).scalars()
    lacking: list[str] = []
    for page in pages(in_order):
        listed = rows.keys_among(page)
        lacking += [key for key in page if key not in listed]
    return lacking


def _refuse_copy(connection: Connection, store: Store, rows: SheetRows) -> None:
    """Raise `AnotherList` if new rows have the values and the due date of payments of another batch
    that the sheet lacks: at least half of them, or some while the two batches share rows.
    """
    new = 0
    copies = Counter[str]()
    related: set[str] = set()
    used: set[str] = set()
    for page in rows.pages():
        known = stored_payments(connection, store.owner, [row.key for row in page])
        related |= {payment.batch for payment in known.values()}
        unknown = [row for row in page if row.key not in known]
        new += len(unknown)
        values = Counter((row.bare_digest, row.due_date) for row in unknown)
        digests = {row.bare_digest for row in unknown}
        others = _payments(connection, store, PAYMENTS.c.bare_digest.in_(digests))
        listed = rows.keys_among([other.key for other in others])
        for other in others:
            asks = other.bare_digest, other.due_date
            is_elsewhere = other.batch != store.batch and other.key not in listed
            if is_elsewhere and other.key not in used and values[asks] > 0:
                values[asks] -= 1
                used.add(other.key)
                copies[other.batch] += 1
    shared = {batch: count for batch, count in copies.items() if batch in related}
    if 2 * copies.total() < new and not shared:
        return
    batch, count = max((shared or copies).items(), key=lambda item: item[1], default=("", 0))
    if count:
        raise _another_list(
            f"{count:,} of {new:,} new rows ask what {batch} has asked, under keys that this sheet "
            "lacks. Are they the same payments? Then write the keys that they had. Are they other "
            "ones? Then say so: --other-payments."
        )


class Respelled(NamedTuple):
    """A row that is another one, or a payment, in another spelling of its key, or under another
    one.

    Attributes:
        number: Of the row.
        other: What the other one is called, and where it is.
    """

    number: int
    other: str


def respelled_rows(
    connection: Connection | None, store: Store, rows: SheetRows
) -> Iterator[Respelled]:
    """Yield the rows whose keys differ from that of an earlier row, or of a payment, by their
    spelling alone. `connection` is the transaction that sees the state; None: there is no state.
    """
    for page in rows.pages():
        first = rows.first_with({row.skeleton_digest for row in page})
        others: dict[str, StoredPayment] = {}
        if connection is not None:
            of_spelling = PAYMENTS.c.skeleton_digest.in_(first)
            others = {one.skeleton_digest: one for one in _payments(connection, store, of_spelling)}
        for row in page:
            other = others.get(row.skeleton_digest)
            if first[row.skeleton_digest] < row.number:
                yield Respelled(row.number, f"that of {rows.place_of(first[row.skeleton_digest])}")
            elif other is not None and other.key != row.key:
                day = day_text(other.stored_at)
                yield Respelled(row.number, f"{_name(store, other)} ({other.batch}, {day})")


def rows_of_asked_references(
    connection: Connection, store: Store, rows: SheetRows
) -> Iterator[Respelled]:
    """Yield the rows with the reference of a payment that has another key, and that have no payment
    of their own yet: the reference would be asked twice, such as with another key column.
    """
    if store.kind.rows_per_call > 1:  # the reference is a part of the key
        return
    no_reference = store.vault.fingerprint(reference_of(None))
    for page in rows.pages():
        digests = {row.reference_digest for row in page} - {no_reference}
        if not digests:
            continue
        # SQLite counts how many have none, and would read all payments.
        is_of_reference = OfFewRows(PAYMENTS.c.reference_digest.in_(digests))
        asked = _payments(connection, store, is_of_reference)
        others = {other.reference_digest: other for other in asked}
        keys = {payment.key for payment in asked}
        for row in page:
            other = others.get(row.reference_digest)
            if other is not None and row.key not in keys:
                day = day_text(other.stored_at)
                yield Respelled(row.number, f"{_name(store, other)} ({other.batch}, {day})")


def _payments(connection: Connection, store: Store, chosen: Condition) -> list[StoredPayment]:
    """Return the chosen payments that exist, may exist or will be asked for."""
    is_there = sa.or_(STATE.in_(EXISTS_OR_MAY | TO_BE_SENT), RESTORED)
    return chosen_payments(connection, sa.and_(PAYMENTS.c.owner == store.owner, chosen, is_there))


def _name(store: Store, stored: StoredPayment) -> str:
    return content_of(store.vault, stored.row).value or stored.key


def _another_name(store: Store) -> str:
    return shlex.quote(f"{store.batch}-2")


def _another_list(message: str) -> AnotherList:
    error: AnotherList = AnotherList.of(
        [Problem("batch", "another_list", f"{message} Nothing was stored.")]
    )
    return error
