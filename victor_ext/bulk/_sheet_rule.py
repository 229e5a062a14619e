"""The rule of sheets. `SheetRule` says why a sheet is refused by it, and `_deciding.py` what a row
is.

1. A sheet of a batch has every row that the batch has asked for; one that lacks a row is refused
   whole, with names. Another list has another name.
2. A row is new, asked before (with which values), or corrected after a rejection (any other value,
   also another due date). Nothing else is said of a row.
3. One spelling of a key, one payment of a reference, whatever the key column: else the file is
   refused, by row and payment.
4. A new list is not a copy: if at least half of its new rows, or any where the two lists share
   rows, have all values (number and reference apart) and the due date of what another batch asked
   under numbers that it lacks, it is refused whole, with names. `--other-payments 3` says how many
   a person has looked at: another count is refused.
5. To ask once more is a row with a number and a reference of its own, such as `INV-1042B`, that
   names the old number in the column `instead_of`. `send` reads that payment, and refuses the file
   unless it is declined, expired, failed or rejected.

What programs do to the spelling of a key has no end. What they cannot do is make a payment leave
its sheet without a new row in its place.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext._event_queue.databases import Condition, OfFewRows
from victor_ext._values.ids import reference_of

from ._check import RowProblem
from ._deciding import day_text
from ._lines import line_of_payment
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
from ._results import current_statuses
from ._row_kind import INSTEAD_OF
from ._rows import content_of
from ._source_rows import SourceRow, SourceRows
from ._store import Store

_NAMED = 5
"""So many payments are named."""
_SPELLED_OTHERWISE = (
    "{column} is that of {other} in another spelling. Is it the same? Then write the old one. Is "
    "it another? Then give it a number that no program makes of the old one."
)
_OF_ANOTHER = (
    "{column} is that of {other}, under another number. Is it the same? Then write the number that "
    "it had. Is it a month, an instalment or a repeat? Then give it a reference of its own, or "
    "none."
)


class SheetRule:
    """The rule of sheets, for the rows of a source and what the state has.

    Args:
        connection: The transaction that sees the state; None: there is no state.
        key_column: The column with the keys of the rows.
    """

    def __init__(
        self, connection: Connection | None, store: Store, rows: SourceRows, key_column: str
    ) -> None:
        self._connection, self._store, self._rows = connection, store, rows
        self._key_column = key_column

    def problems(self, *, is_latest: bool) -> list[RowProblem]:
        """Return why the sheet is refused, by the first of the sentences 1, 3 and 4 that it breaks.

        Args:
            is_latest: Whether it is the latest sheet of its batch, once more.
        """
        if self._connection is None or is_latest:
            return [*self._repeated()]
        return [*self._lacking()] or [*self._repeated()] or [*self._copied()]

    def _lacking(self) -> Iterator[RowProblem]:
        """Yield that the sheet lacks payments of its batch that exist, or may."""
        assert self._connection is not None
        columns, batch = PAYMENTS.c, self._store.batch
        is_asked = sa.and_(self._store.is_of_batch(), sa.or_(STATE.in_(EXISTS_OR_MAY), RESTORED))
        query = sa.select(columns.key).select_from(WITH_ENTRIES).where(is_asked)
        in_order = query.order_by(columns.sheet, columns.number)
        lacking: list[str] = []
        for page in pages(self._connection.execute(in_order).scalars()):
            listed = self._rows.keys_among(page)
            lacking += [key for key in page if key not in listed]
        if not lacking:
            return
        stored = self._stored(lacking[:_NAMED])
        names = _listed([self._name(stored[key]) for key in lacking[:_NAMED]], len(lacking))
        yield _refusal(
            "another_list",
            f"{batch} has asked for {names}, and this sheet lacks what was asked for. Is it the "
            "same list? Then put these rows back, with the keys that they had: nobody is asked "
            "twice. Is it another list? Then give it a name of its own, such as "
            '--batch "open $(date +%F)" for an export of each night.',
        )

    def _repeated(self) -> Iterator[RowProblem]:
        """Yield the rows with the key of an earlier row, or of a payment, in another spelling; and
        those with the reference of one, under another key.
        """
        reference = self._store.kind.reference
        for page in self._rows.pages():
            for digest, column, code, sentence in (
                ("skeleton_digest", self._key_column, "respelled", _SPELLED_OTHERWISE),
                ("reference_digest", reference, "asked_reference", _OF_ANOTHER),
            ):
                others = self._others(page, digest)
                for row in self._rows.named(others):
                    message = sentence.format(column=column, other=others[row.number])
                    yield RowProblem(row.number, row.line, column, code, message)

    def _others(self, page: Sequence[RequestedPayment], digest: str) -> dict[int, str]:
        """Return which earlier row, or which payment under another key, has this digest of a row,
        by the number of the row.
        """
        digest_of = attrgetter(digest)
        no_reference = self._store.vault.fingerprint(reference_of(None))
        digests = {digest_of(row) for row in page} - {no_reference}
        first = self._rows.first_with(digest, digests)
        # SQLite counts how many have no reference, and would read all payments.
        asked = self._asked(OfFewRows(PAYMENTS.c[digest].in_(digests)))
        payments = {digest_of(payment): payment for payment in asked}
        own = {(payment.key, digest_of(payment)) for payment in asked}
        others: dict[int, str] = {}
        for row in page:
            payment = payments.get(digest_of(row))
            earlier = first.get(digest_of(row), row.number)
            if earlier < row.number:
                others[row.number] = self._rows.place_of(earlier)
            elif payment is not None and (row.key, digest_of(row)) not in own:
                others[row.number] = self._described(payment)
        return others

    def _copied(self) -> Iterator[RowProblem]:
        """Yield that new rows have all values and the due date of payments of other batches that
        the sheet lacks: at least half of them, or some while two batches share rows.
        """
        named = {row.number: self._named_key(row) for row in self._rows.asking_once_more()}
        new = 0
        copied: set[str] = set()
        names: list[str] = []
        of_batches: set[str] = set()
        related: set[str] = set()
        for page in self._rows.pages():
            known = self._asked_of(row.key for row in page)
            related |= {payment.batch for payment in known.values()}
            unknown: dict[tuple[str, str | None], list[RequestedPayment]] = defaultdict(list)
            for row in page:
                if row.key not in known:
                    new += 1
                    unknown[row.bare_digest, row.due_date].append(row)
            others = self._asked(PAYMENTS.c.bare_digest.in_({digest for digest, _ in unknown}))
            listed = self._rows.keys_among([other.key for other in others])
            for other in others:
                with_values = unknown[other.bare_digest, other.due_date]
                alike = [row for row in with_values if named.get(row.number) != other.key]
                is_elsewhere = other.batch != self._store.batch and other.key not in listed
                if alike and is_elsewhere and other.key not in copied:
                    row = alike[0]
                    with_values.remove(row)
                    copied.add(other.key)
                    of_batches.add(other.batch)
                    if len(names) < _NAMED:
                        place = self._rows.place_of(row.number)
                        names.append(f"{place} those of {self._described(other)}")
        count, looked_at = len(copied), self._store.settings.other_payments
        is_copy = count > 0 and (2 * count >= new or not of_batches.isdisjoint(related))
        if looked_at == count or (looked_at is None and not is_copy):
            return
        message = (
            f"{count:,} of {new:,} new rows have all values and the due date of what was asked "
            "under numbers that this sheet lacks"
        )
        if count == 0:
            yield _refusal("copy", f"{message}: leave --other-payments out.")
            return
        yield _refusal(
            "copy",
            f"{message}: {_listed(names, count)}. Are they the same payments? Then write the "
            "numbers that they had. Are they others? Then look at each of them, and write "
            f"--other-payments {count}.",
        )

    def not_over(self) -> Iterator[RowProblem]:
        """Yield the new rows that ask once more for what has not ended unpaid, as the provider
        says now; or for what another row asks for once more. Raises `VictorError`.
        """
        unpaid = self._store.kind.unpaid_end_statuses
        namings = Counter(self._named_key(row) for row in self._rows.asking_once_more())
        for page in pages(self._rows.asking_once_more()):
            known = self._asked_of(row.asked.key for row in page)
            named = {row: self._named_key(row) for row in page if row.asked.key not in known}
            asked = self._stored([*named.values()])
            statuses = self._statuses(asked)
            for row, key in named.items():
                status = statuses.get(key, "not asked for")
                if namings[key] > 1:
                    status = "named by several rows"
                elif key in asked and asked[key].bare_digest != row.asked.bare_digest:
                    status = "asked with other values than this row"
                if status.lower() not in unpaid:
                    message = (
                        f"{row.instead_of} is {status}: only what is declined, expired, failed or "
                        "rejected is asked once more."
                    )
                    yield RowProblem(row.number, row.line, INSTEAD_OF, "not_over", message)

    def _named_key(self, row: SourceRow) -> str:
        """Return the key of the payment that a row asks for once more; empty: none can be made."""
        arguments = content_of(self._store.vault, row.asked.row).arguments or {}
        return self._store.kind.key_of(arguments, row.instead_of or "") or ""

    def _statuses(self, payments: Mapping[str, StoredPayment]) -> dict[str, str]:
        """Return the present statuses of these payments, by their keys."""
        store = self._store
        lines = {key: line_of_payment(store, payment) for key, payment in payments.items()}
        current = current_statuses(store.kind, lines.values())
        listed = self._rows.keys_among([*payments])
        statuses: dict[str, str] = {}
        for key, line in lines.items():
            statuses[key] = str(line.outcome)
            if line.result.id in current:
                statuses[key] = current[line.result.id].status or "not found"
            elif key in listed or line.restored:
                statuses[key] = f"{line.outcome}, and may be asked for under its own number"
        return statuses

    # What the state has

    def _stored(self, keys: Collection[str]) -> dict[str, StoredPayment]:
        """Return the payments with these keys, by key."""
        if self._connection is None:
            return {}
        return stored_payments(self._connection, self._store.owner, keys)

    def _asked_of(self, keys: Iterable[str]) -> dict[str, StoredPayment]:
        """Return those of the payments with these keys that `_asked` returns, by key."""
        return {payment.key: payment for payment in self._asked(PAYMENTS.c.key.in_([*keys]))}

    def _asked(self, chosen: Condition) -> list[StoredPayment]:
        """Return the chosen payments that exist, may exist or will be asked for."""
        if self._connection is None:
            return []
        is_there = sa.or_(STATE.in_(EXISTS_OR_MAY | TO_BE_SENT), RESTORED)
        is_owned = PAYMENTS.c.owner == self._store.owner
        return chosen_payments(self._connection, sa.and_(is_owned, chosen, is_there))

    def _name(self, payment: StoredPayment) -> str:
        return content_of(self._store.vault, payment.row).value or payment.key

    def _described(self, payment: StoredPayment) -> str:
        return f"{self._name(payment)} ({payment.batch}, {day_text(payment.stored_at)})"


def _listed(names: Sequence[str], count: int) -> str:
    """Return the first of these names, and how many more there are of all `count`."""
    more = f" and {count - _NAMED:,} more" if count > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _refusal(code: str, message: str) -> RowProblem:
    """Return a problem of a whole sheet."""
    return RowProblem(None, None, None, code, f"{message} Nothing was stored.")
