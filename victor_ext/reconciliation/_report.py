"""The result of a reconciliation: rows, their counts and sums, and their export as CSV or JSON
Lines.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import Any, TextIO

from victor_ext import zulu
from victor_ext._tables.texts import write_table
from victor_ext._values.ids import visible
from victor_ext.money import Money
from victor_ext.providers._books import Theirs

from ._entries import Entry


class Kind(StrEnum):
    """What a row of the report says. The order is that of the report: what matters most comes
    first.

    Attributes:
        DUPLICATE: Theirs, one more under the reference of a payment of ours: the customer was asked
            twice, unless another system uses the same references.
        DIFFERS: On both sides, with another amount, currency, id or reference.
        MISSING: Ours, and not theirs.
        ONLY_THEIRS: Theirs, and not ours.
        AT_EDGE: Theirs, not ours, and so near to an end of the window that it may be in the
            neighbouring book.
        REPEATED: Ours, and another row of ours has the same reference, id or key. If theirs have
            it twice, too, the customer was asked twice.
        UNCHECKED: Ours, and nothing shows whether the provider has it: see `Row.reason`, and the
            notes of the summary. Where theirs have no references, also theirs, which may be one of
            those rows.
        MODIFIED: On both sides: the payer agreed to another amount than was asked, and was allowed
            to.
        MATCHED: On both sides, and equal.
    """

    DUPLICATE = "duplicate"
    DIFFERS = "differs"
    MISSING = "missing"
    ONLY_THEIRS = "only_theirs"
    AT_EDGE = "at_edge"
    REPEATED = "repeated"
    UNCHECKED = "unchecked"
    MODIFIED = "modified"
    MATCHED = "matched"


_OUR_FIELDS = ("batch", "line", "reference", "id", "key", "amount", "currency", "at")
_THEIR_FIELDS = (
    "their_reference",
    "their_id",
    "their_amount",
    "their_requested_amount",
    "their_currency",
    "their_status",
    "their_time",
)
AGREEING = frozenset({Kind.MATCHED, Kind.MODIFIED})
"""The kinds of rows in which the books agree."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the report.

    Attributes:
        kind: What is true of it.
        ours: Our entry; for a duplicate the one that was asked twice. None: `only_theirs`,
            `at_edge`, and `unchecked` of theirs.
        theirs: The provider's payment. None: `missing`, `unchecked` of ours, and `repeated`, if
            theirs have it once.
        differences: What differs: `amount`, `currency`, `id`, `reference`.
        other_id: Of a duplicate: the id of the payment that our entry was matched with.
    """

    kind: Kind
    ours: Entry | None
    theirs: Theirs | None
    differences: tuple[str, ...] = ()
    other_id: str | None = None

    @property
    def reason(self) -> str | None:
        """Why this row itself is `unchecked`; None if the provider, or its list, is the reason."""
        if self.kind is not Kind.UNCHECKED or self.ours is None:
            return None
        return self.ours.why_unchecked

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON data: amounts as text, times as Zulu time, invisible characters as
        `<U+200B>`.
        """
        cells: dict[str, Any] = {
            "kind": self.kind.value,
            "differences": " ".join(self.differences),
            **dict.fromkeys([*_OUR_FIELDS, *_THEIR_FIELDS]),
            "other_id": self.other_id,
            "reason": self.reason,
        }
        if self.ours is not None:
            cells |= zip(_OUR_FIELDS, _our_cells(self.ours), strict=True)
        if self.theirs is not None:
            cells |= zip(_THEIR_FIELDS, _their_cells(self.theirs), strict=True)
        return cells


def _our_cells(entry: Entry) -> Sequence[object]:
    """The cells of our side of a row, in the order of `_OUR_FIELDS`."""
    return (
        _visible(entry.batch),
        entry.line,
        _visible(entry.reference),
        _visible(entry.id),
        entry.key,
        amount_text(entry.amount),
        entry.amount.currency,
        _zulu(entry.at),
    )


def _their_cells(payment: Theirs) -> Sequence[object]:
    """The cells of their side of a row, in the order of `_THEIR_FIELDS`."""
    return (
        _visible(payment.reference),
        _visible(payment.id),
        amount_text(payment.amount),
        amount_text(payment.requested),
        payment.currency,
        payment.status,
        _zulu(payment.at),
    )


def _visible(text: str | None) -> str | None:
    return None if text is None else visible(text)


def _zulu(moment: datetime | None) -> str | None:
    return None if moment is None else zulu.format(moment)


def amount_text(amount: Money | None) -> str | None:
    """An amount without its currency, with all of its digits."""
    return None if amount is None else f"{amount.amount:f}"


FIELDS = tuple(Row(Kind.MATCHED, None, None).to_dict())
"""The names of `Row.to_dict`, and the columns of a report as CSV."""


@dataclass(frozen=True, slots=True)
class Totals:
    """The `count` of the rows of one kind, and the sums of both sides (`ours`, `theirs`), one for
    each currency.

    A duplicate adds nothing to ours. Amounts that the provider does not say are in no sum.
    """

    count: int
    ours: Sequence[Money] = ()
    theirs: Sequence[Money] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts and sums of a reconciliation.

    Attributes:
        totals: By kind; kinds without rows are left out.
        ours: The number of entries in our book.
        theirs: The number of payments that the provider listed, or returned by id or reference.
        outside: Our entries outside of the window by their own time; they are not part of the
            report.
        not_asked: Rows of bulk sending for which nothing was made at the provider; they are not
            part of the report.
        forgotten: Rows of bulk sending whose contents were removed (`forget`); they are not part of
            the report, and their payments are `only_theirs`.
        statuses: How many of the rows that are `matched` or `modified` have each status at the
            provider. Their sum says what was asked, and the statuses what became of it: a payment
            that was declined is in both books, too.
        notes: What this provider gives no evidence of, in sentences.
        elsewhere: Our entries whose payment is not in the list of the window, but was read by its
            id. It is not known whether a second payment exists.
        is_complete: Whether the provider's list has shown all of its payments. If it changed in
            each reading, payments that only the provider has may be overlooked.
    """

    totals: Mapping[Kind, Totals]
    ours: int
    theirs: int
    outside: int
    not_asked: int
    statuses: Mapping[str, int]
    notes: Sequence[str]
    elsewhere: int = 0
    forgotten: int = 0
    is_complete: bool = True

    @property
    def agrees(self) -> bool:
        """Whether all rows are `matched`, or `modified`, and no payment may be overlooked."""
        return self.is_complete and self.totals.keys() <= AGREEING

    def count(self, kind: Kind) -> int:
        """Return the number of rows of a kind."""
        totals = self.totals.get(kind)
        return 0 if totals is None else totals.count

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as JSON data, with amounts as text."""
        sums = {
            kind.value: {"ours": _sums(totals.ours), "theirs": _sums(totals.theirs)}
            for kind, totals in self.totals.items()
        }
        return {
            "agrees": self.agrees,
            "counts": {kind.value: self.count(kind) for kind in Kind},
            "sums": sums,
            "ours": self.ours,
            "theirs": self.theirs,
            "outside": self.outside,
            "not_asked": self.not_asked,
            "forgotten": self.forgotten,
            "elsewhere": self.elsewhere,
            "is_complete": self.is_complete,
            "statuses": dict(self.statuses),
            "notes": list(self.notes),
        }


def write_csv(file: TextIO, rows: Iterable[Row]) -> int:
    """Write rows to a text `file` as CSV, and return their number.

    Text that a spreadsheet would run has a single quote before it.
    """
    cells = (row.to_dict().values() for row in rows)
    return write_table(file, chain([FIELDS], cells))


def write_json_lines(file: TextIO, rows: Iterable[Row]) -> int:
    """Write rows to a text `file` as JSON Lines, and return their number."""
    count = 0
    for row in rows:
        file.write(f"{json.dumps(row.to_dict())}\n")
        count += 1
    return count


def _sums(sums: Sequence[Money]) -> dict[str, str]:
    """Sums as texts by currency."""
    return {money.currency: f"{money.amount:f}" for money in sums}
