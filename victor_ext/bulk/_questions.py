"""Whether the new rows of a sheet are payments that exist, in another spelling (`questions_of`).

What programs do to the spelling of a key has no end. What they cannot do is make a payment leave
the sheet without a new row in its place. So a new row is a question to a person if its payer is
that of a payment that an earlier sheet of its batch has listed and this one lacks; or if it asks
what another batch has asked under a key that this sheet lacks, and the two share rows, or most new
rows are so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext._event_queue.databases import Condition

from ._deciding import LookAlike, Question, day_text, is_near
from ._payments import (
    EXISTS_OR_MAY,
    LINES,
    NEVER_LEFT,
    PAYMENTS,
    RESTORED,
    SHEETS,
    STATE,
    TO_BE_SENT,
    RequestedPayment,
    Sheet,
    StoredPayment,
    chosen_payments,
    pages,
)

_MOST_PARTIES = 20_000
"""So many payers are remembered of whom nothing lacks."""


class SheetRows(Protocol):
    """The rows of a sheet, wherever they are stored."""

    def pages_by_key(self) -> Iterator[list[RequestedPayment]]:
        """Yield the rows with a key, in the order of their keys."""
        ...

    def with_numbers(self, numbers: Collection[int]) -> list[RequestedPayment]:
        """Return the rows with these numbers, in their order."""
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


def questions_of(
    connection: Connection | None,
    owner: str,
    sheet: Sheet,
    rows: SheetRows,
    new: Iterable[Sequence[RequestedPayment]],
    waiting: Iterable[Sequence[RequestedPayment]],
) -> dict[int, Question]:
    """Return which payments rows of a sheet may be, by the numbers of the rows.

    Args:
        connection: The transaction that sees the state; None: there is no state.
        new: The rows that would be asked for, in pages.
        waiting: The rows that wait, in pages: they may be earlier rows of their sheet.
    """
    search = None
    if connection is not None:
        search = _Search(connection, owner, sheet, rows)
    twins: dict[int, Question] = {}
    for page in waiting:
        twins.update(_twins(rows, page))
    for page in new:
        twins.update(_twins(rows, page))
        if search is not None:
            search.add(page)
    if search is None:
        return twins
    return {**search.copies(), **search.by_party, **twins, **search.by_spelling}


def _twins(rows: SheetRows, page: Sequence[RequestedPayment]) -> Iterator[tuple[int, Question]]:
    """Yield the questions about rows that are earlier rows of their sheet in another spelling."""
    first = rows.first_with({row.skeleton_digest for row in page})
    later = [row for row in page if first[row.skeleton_digest] < row.number]
    numbers = sorted({first[row.skeleton_digest] for row in later})
    twins = {row.number: row for row in rows.with_numbers(numbers)}
    for row in later:
        twin = twins[first[row.skeleton_digest]]
        place = rows.place_of(twin.number)
        yield row.number, Question(LookAlike.TWIN, twin.key, place, twin.row)


class _Search:
    """Looks for payments of the state that the new rows of a sheet may be.

    Attributes:
        by_spelling: The questions about rows whose key is that of a payment in another spelling, by
            the numbers of the rows.
        by_party: Those about rows that ask the payer of a payment that the sheet lacks.
    """

    def __init__(
        self,
        connection: Connection,
        owner: str,
        sheet: Sheet,
        rows: SheetRows,
    ) -> None:
        self._connection, self._owner = connection, owner
        self._sheet, self._rows = sheet, rows
        self._new = 0
        self.by_spelling: dict[int, Question] = {}
        self.by_party: dict[int, Question] = {}
        self._copies: dict[str, dict[int, Question]] = {}
        """By the batch of the other payments."""
        self._used: set[str] = set()
        """The keys of payments that a row is taken for a copy of."""
        self._lacking: dict[str, list[StoredPayment]] = {}
        """The payments that the sheet lacks, by the digest of their payer."""

    def add(self, rows: Sequence[RequestedPayment]) -> None:
        """Look for the payments that these rows may be."""
        self._new += len(rows)
        self._add_respelled(rows)
        self._add_lacking(rows)
        self._add_held(rows)
        self._add_copies(rows)

    def copies(self) -> dict[int, Question]:
        """Return the questions about rows that have all values of a payment of another batch."""
        related = self._related_batches()
        are_most = 2 * sum(map(len, self._copies.values())) >= self._new
        questions: dict[int, Question] = {}
        for batch, copies in self._copies.items():
            if batch in related or are_most:
                questions = {**copies, **questions}  # the newest batch is named
        return questions

    # Another spelling of a key

    def _add_respelled(self, rows: Sequence[RequestedPayment]) -> None:
        by_skeleton = _rows_by_digest(rows, "skeleton_digest")
        for other in self._payments(self._is_there(PAYMENTS.c.skeleton_digest, by_skeleton)):
            for row in by_skeleton[other.skeleton_digest]:
                if not self._is_own(other, row):
                    question = self._question(LookAlike.SPELLING, other)
                    self.by_spelling.setdefault(row.number, question)

    def _is_own(self, other: StoredPayment, row: RequestedPayment) -> bool:
        """Whether a payment is that of the row; or this sheet has both on purpose, or leaves the
        other one out, which had not left.
        """
        never_left = other.state in NEVER_LEFT or other.state is None
        is_of_sheet = other.batch == self._sheet.batch and never_left and not other.restored
        return other.key == row.key or is_of_sheet

    # One payer, within the batch

    def _add_lacking(self, rows: Sequence[RequestedPayment]) -> None:
        if len(self._lacking) > _MOST_PARTIES:  # those of whom nothing lacks are looked for again
            self._lacking = {party: others for party, others in self._lacking.items() if others}
        unknown = {row.party_digest for row in rows} - self._lacking.keys()
        if unknown:
            self._look_for_lacking(unknown)
        for row in rows:
            others = self._lacking[row.party_digest]
            if not others:
                continue
            same = [other for other in others if other.bare_digest == row.bare_digest]
            likeliest = (same or others)[0]
            self.by_party[row.number] = self._question(LookAlike.PARTY, likeliest)
            if len(others) > 1:  # another row of the payer is another one of them
                others.remove(likeliest)

    def _look_for_lacking(self, parties: Collection[str]) -> None:
        """Look for the payments of these payers that an earlier sheet of the series has, and this
        sheet lacks.
        """
        self._lacking.update({party: [] for party in parties})
        sheet = self._sheet
        was_listed = self._was_listed(sheet.batch, sheet.series, before=sheet.id)
        waits_elsewhere = sa.and_(STATE.in_(TO_BE_SENT), PAYMENTS.c.batch != sheet.batch)
        is_or_may_be = sa.or_(STATE.in_(EXISTS_OR_MAY), waits_elsewhere)
        chosen = sa.and_(PAYMENTS.c.party_digest.in_(parties), is_or_may_be, was_listed)
        for page in pages(self._payments(chosen)):
            listed = self._rows.keys_among([other.key for other in page])
            for other in page:
                if other.key not in listed:
                    self._lacking[other.party_digest].append(other)

    # A question of another batch

    def _add_held(self, rows: Sequence[RequestedPayment]) -> None:
        """Ask about rows that another batch asks about: a valid row of a stored sheet without a
        payment. Its question is no other one in this sheet.
        """
        by_key = {row.key: row for row in rows}
        lines, sheets = LINES.c, SHEETS.c
        has_payment = sa.exists().where(
            PAYMENTS.c.owner == self._owner, PAYMENTS.c.key == lines.key
        )
        # The sheets that a batch has sent repeat their lines.
        held = sa.select(lines.key, lines.bare_digest, sheets.batch, sheets.series).distinct()
        held = held.join(SHEETS, sheets.id == lines.sheet).where(
            lines.key.in_(by_key),
            lines.is_valid,
            sa.not_(has_payment),
            sheets.owner == self._owner,
            sheets.batch != self._sheet.batch,
        )
        exists = STATE.in_(EXISTS_OR_MAY)
        for key, bare_digest, batch, series in sorted(map(tuple, self._connection.execute(held))):
            row = by_key[key]
            was_listed = self._was_listed(batch, series)
            of_payer = sa.and_(exists, PAYMENTS.c.party_digest == row.party_digest, was_listed)
            of_values = sa.and_(exists, PAYMENTS.c.bare_digest == bare_digest)
            others = self._payments(of_payer) + self._payments(of_values)
            listed = self._rows.keys_among([other.key for other in others])
            for other in others:
                if other.key not in listed:
                    question = self._question(LookAlike.PARTY, other)
                    self.by_party.setdefault(row.number, question)

    # The same values, in another batch or series

    def _add_copies(self, rows: Sequence[RequestedPayment]) -> None:
        by_values = _rows_by_digest(rows, "bare_digest")
        own_series = sa.select(SHEETS.c.id).where(
            SHEETS.c.owner == self._owner,
            SHEETS.c.batch == self._sheet.batch,
            SHEETS.c.series == self._sheet.series,
        )
        is_of_another = sa.or_(
            PAYMENTS.c.batch != self._sheet.batch, PAYMENTS.c.sheet.not_in(own_series)
        )
        chosen = sa.and_(self._is_there(PAYMENTS.c.bare_digest, by_values), is_of_another)
        for page in pages(self._payments(chosen)):
            listed = self._rows.keys_among([other.key for other in page])
            for other in page:
                if other.key not in listed and other.key not in self._used:
                    self._note_copy(other, by_values[other.bare_digest])

    def _note_copy(self, other: StoredPayment, rows: Sequence[RequestedPayment]) -> None:
        """Take one of these rows, which have the values of a payment, for a copy of it."""
        copies = self._copies.setdefault(other.batch, {})
        for row in rows:
            if row.number not in copies and self._is_for_one_purpose(row, other):
                copies[row.number] = self._question(LookAlike.COPY, other)
                self._used.add(other.key)
                return

    def _is_for_one_purpose(self, row: RequestedPayment, other: StoredPayment) -> bool:
        """Whether a payment with the values of a row, and another key, is for the same purpose."""
        kind, _, column = other.kind.partition("\n")
        origin = self._sheet.origin
        if column != origin.column:
            return True
        if kind != origin.kind:
            # Another month has a key kind of its own; its due date is more than a day away.
            return is_near(row.due_date, other.due_date)
        return row.due_date == other.due_date

    def _related_batches(self) -> set[str]:
        """Return the other batches with copies that have, or had, a row that this sheet has, too.
        An earlier series of its own batch has none.
        """
        related: set[str] = set()
        lines, sheets = LINES.c, SHEETS.c
        of_batches = sa.and_(
            sheets.owner == self._owner,
            sheets.batch.in_(self._copies.keys() - {self._sheet.batch}),
            lines.key.is_not(None),
        )
        query = sa.select(lines.key, sheets.batch).join(SHEETS, sheets.id == lines.sheet)
        if not self._copies:
            return related
        for page in pages(self._connection.execute(query.where(of_batches).distinct())):
            listed = self._rows.keys_among({line.key for line in page})
            related |= {line.batch for line in page if line.key in listed}
        return related

    # What they have in common

    def _payments(self, chosen: Condition) -> list[StoredPayment]:
        return chosen_payments(self._connection, sa.and_(PAYMENTS.c.owner == self._owner, chosen))

    def _was_listed(self, batch: str, series: int, before: int | None = None) -> Condition:
        """Holds for payments that a sheet of a series lists.

        Args:
            before: Only a sheet with a lower number than this; None: any of them.
        """
        lines, sheets = LINES.c, SHEETS.c
        lists = [
            lines.key == PAYMENTS.c.key,
            sheets.id == lines.sheet,
            sheets.owner == self._owner,
            sheets.batch == batch,
            sheets.series == series,
        ]
        if before is not None:
            lists.append(sheets.id < before)
        return sa.exists().where(*lists)

    def _is_there(self, digest: sa.Column[str], digests: Collection[str]) -> Condition:
        """Holds for payments with one of these digests that exist, may exist or will be asked."""
        is_or_will_be = sa.or_(STATE.in_(EXISTS_OR_MAY | TO_BE_SENT), RESTORED)
        return sa.and_(digest.in_(digests), is_or_will_be)

    def _question(self, likeness: LookAlike, other: StoredPayment) -> Question:
        place = f"{other.batch}, {day_text(other.stored_at)}"
        return Question(likeness, other.key, place, other.row)


def _rows_by_digest(
    rows: Sequence[RequestedPayment], column: str
) -> Mapping[str, list[RequestedPayment]]:
    """Return rows by the digests in one of their columns."""
    by_digest: dict[str, list[RequestedPayment]] = {}
    for row in rows:
        by_digest.setdefault(getattr(row, column), []).append(row)
    return by_digest
