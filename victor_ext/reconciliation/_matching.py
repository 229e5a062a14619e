"""Both books in a temporary database, so that memory does not grow with their rows.

`ComparedEntries.match` pairs their rows and makes the report, by the SQL in `_matching_sql.py`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from functools import partial
from typing import Any

from victor_ext._tables.temporary import TemporaryDatabase
from victor_ext._values.ids import canonical_id, in_one_form, skeleton_of, trimmed
from victor_ext.money import Money
from victor_ext.providers._books import Theirs, Zone

from . import _matching_sql as sql
from ._entries import Entry
from ._report import Kind, Row, Totals, amount_text

_BATCH = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXACT_SUMS = Context(prec=100, traps=[])


class ComparedEntries(TemporaryDatabase):
    """Our entries, their payments, and the report. One thread at a time uses the database."""

    def __init__(self) -> None:
        super().__init__(sql.SCHEMA)
        self.lack_references = False
        """Whether no payment of theirs has a reference, so that rows of ours without an id cannot
        be compared. `match` finds it out.
        """
        self.create_function("in_one_form", 1, in_one_form, deterministic=True)

    def add_ours(self, entries: Iterable[tuple[Entry, Zone]], *, checked: bool) -> None:
        """Add entries of ours.

        `checked`: whether the provider has a list, so that an entry that it does not show is
        missing.
        """
        rows = (
            {
                **_names_of(entry),
                "key": trimmed(entry.key),
                "amount": amount_text(entry.amount),
                "currency": entry.amount.currency,
                "at": _microseconds(entry.at),
                "line": entry.line,
                "batch": entry.batch,
                "doubt": entry.why_unchecked,
                "core": zone <= Zone.EDGE,
                "checked": checked,
            }
            for entry, zone in entries
        )
        self.executemany(sql.ADD_OURS, rows)

    def add_theirs(self, payments: Iterable[tuple[Theirs, Zone]]) -> int:
        """Add payments of theirs, those whose id is new. Return how many these were."""
        rows = (
            {
                **_names_of(payment),
                "amount": amount_text(payment.amount),
                "requested": amount_text(payment.requested),
                "currency": trimmed(payment.currency),
                "status": trimmed(payment.status),
                "at": _microseconds(payment.at),
                "zone": zone,
                "unread": payment.is_unreadable,
            }
            for payment, zone in payments
        )
        return self.executemany(sql.ADD_THEIRS, rows).rowcount

    def add_listed(self, reading: int, payments: Sequence[Theirs]) -> bool:
        """Note the payments of a page of the list.

        Return whether an earlier page of this reading has shown none of them.
        """
        # A payment without an id is recognized by all of its values.
        items = [canonical_id(trimmed(payment.id)) or repr(payment) for payment in payments]
        rows = [(reading, item) for item in items]
        cursor = self.executemany("INSERT OR IGNORE INTO listed VALUES (?, ?)", rows)
        return not payments or cursor.rowcount == len(payments)

    def is_as_before(self, reading: int) -> bool:
        """Return whether this reading of the list has shown the same payments as the one before, in
        any order.
        """
        return self.execute(sql.IN_ONE_READING, (reading, reading - 1)).fetchone() is None

    def to_look_up(self, after: int) -> list[tuple[int, str]]:
        """Return the next batch of rows of ours, after the row `after`, whose id is not among
        theirs: the number of each row, and its id.
        """
        return self.execute(
            "SELECT row, id FROM ours o WHERE row > ? AND core AND id IS NOT NULL "
            "AND NOT EXISTS (SELECT 1 FROM theirs t WHERE t.id = o.id) ORDER BY row LIMIT ?",
            (after, _BATCH),
        ).fetchall()

    def set_checked(self, row: int, checked: bool) -> None:  # noqa: FBT001 - the value of a column
        """Note whether a look-up has shown if the provider has a row of ours."""
        self.execute("UPDATE ours SET checked = ? WHERE row = ?", (checked, row))

    def set_ids_checked(self) -> None:
        """Note that look-ups have shown which rows of ours with an id the provider has."""
        self.execute("UPDATE ours SET checked = 1 WHERE id IS NOT NULL")

    def lacks_some(self) -> bool:
        """Return whether a row of ours has a counterpart neither by its id nor by its reference."""
        return bool(self.execute(sql.LACKS_SOME).fetchone()[0])

    def statuses(self) -> dict[str, int]:
        """Return the number of payments in both books by status, those that are equal or modified.

        Call `match` before.
        """
        return dict(self.execute(sql.STATUSES))

    def without_id(self) -> int:
        """Return the number of payments of theirs without an id."""
        count: int = self.execute("SELECT count(*) FROM theirs WHERE id IS NULL").fetchone()[0]
        return count

    def match(
        self, *, amounts: bool, looked_up: bool = False, is_complete: bool = True
    ) -> dict[Kind, Totals]:
        """Make the report, and return its counts and sums. docs/reconcile.md states the rules.

        Args:
            amounts: Whether a payment of theirs without an amount differs from ours.
            looked_up: Whether payments of theirs are known by look-ups alone, so that none of them
                is outside of the window.
            is_complete: Whether the provider's list has shown all of its payments.
        """
        self._pair()
        self.lack_references = not looked_up and bool(
            self.execute(sql.LACK_REFERENCES).fetchone()[0]
        )
        report = sql.REPORT.format(
            amounts=int(amounts),
            looked_up=int(looked_up),
            is_complete=int(is_complete),
            lack_references=int(self.lack_references),
        )
        self.executescript(report)
        return self._totals()

    def _pair(self) -> None:
        """Pair rows of ours with payments of theirs, the surest pairs first."""
        self.executescript(sql.PAIRS)
        for stage in sql.STAGES:
            renamed_columns = [f"{theirs} AS {ours}" for ours, theirs in stage.items()]
            statement = sql.PAIR.format(
                ours=", ".join(stage),
                theirs=", ".join(renamed_columns),
                partition=", ".join(stage.values()),
                ours_known=_are_known(stage),
                theirs_known=_are_known(stage.values()),
            )
            self.execute(statement)

    def _totals(self) -> dict[Kind, Totals]:
        """Count the rows of each kind, and add up both sides by currency."""
        counts = Counter[str]()
        ours = defaultdict[str, _Sums](_Sums)
        theirs = defaultdict[str, _Sums](_Sums)
        for kind, our_amount, our_currency, their_amount, their_currency in self.execute(
            sql.AMOUNTS
        ):
            counts[kind] += 1
            ours[kind].add(our_amount, our_currency)
            theirs[kind].add(their_amount, their_currency)
        return {
            kind: Totals(counts[kind], ours[kind].money(), theirs[kind].money())
            for kind in Kind
            if counts[kind]
        }

    def rows(self, kinds: Sequence[Kind]) -> Iterator[Row]:
        """Yield the rows of the report of these kinds, in the order of `kinds`."""
        for kind in kinds:
            cursor = self.execute(sql.ROWS, (kind,))
            for batch in iter(partial(cursor.fetchmany, _BATCH), []):
                yield from map(_report_row, batch)


class _Sums:
    """Exact sums by currency."""

    def __init__(self) -> None:
        self._by_currency: dict[str, Decimal] = {}

    def add(self, amount: str | None, currency: str) -> None:
        """Add an amount, unless it is None."""
        if amount is None:
            return
        before = self._by_currency.get(currency, Decimal(0))
        self._by_currency[currency] = _EXACT_SUMS.add(before, Decimal(amount))

    def money(self) -> list[Money]:
        """Return the sums in the order of the currencies."""
        sums = sorted(self._by_currency.items())
        return [Money.recorded(f"{total:f}", currency) for currency, total in sums]


def _are_known(columns: Iterable[str]) -> str:
    """The SQL condition that none of these columns is NULL."""
    return " AND ".join(f"{column} IS NOT NULL" for column in columns)


def _report_row(cells: Sequence[Any]) -> Row:
    """The row of the report from the columns of `ROWS`."""
    (
        kind,
        differences,
        line,
        doubt,
        batch,
        reference,
        id_,
        key,
        amount,
        currency,
        at,
        number,
        *theirs,
        other_id,
    ) = cells
    entry = None
    if amount is not None:
        money = Money.recorded(amount, currency)
        entry = Entry(money, reference, id_, key, _moment(at), line, doubt, batch)
    payment = None if number is None else _payment_of(*theirs)
    return Row(Kind(kind), entry, payment, tuple(differences.split()), other_id)


def _payment_of(
    id_: str | None,
    reference: str | None,
    amount: str | None,
    requested: str | None,
    currency: str,
    status: str | None,
    at: int | None,
) -> Theirs:
    """The payment of theirs from the columns of `ROWS`."""
    return Theirs(
        id_,
        reference,
        _money(amount, currency),
        _money(requested, currency),
        currency,
        status,
        _moment(at),
    )


def _money(amount: str | None, currency: str) -> Money | None:
    return None if amount is None else Money.recorded(amount, currency)


def _names_of(payment: Entry | Theirs) -> dict[str, str | None]:
    """The columns of the reference of a payment and of its id, each with its skeleton."""
    reference = trimmed(payment.reference)
    id_ = canonical_id(trimmed(payment.id))
    return {
        "reference": reference,
        "skeleton": _skeleton_or_none(reference),
        "id": id_,
        "id_skeleton": _skeleton_or_none(id_),
    }


def _skeleton_or_none(text: str | None) -> str | None:
    return None if text is None else skeleton_of(text)


def _microseconds(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)


def _moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)
