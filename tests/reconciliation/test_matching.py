"""What becomes of each payment in two books, whatever the two books hold."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given

from victor_ext.books import Zone
from victor_ext.money import Money
from victor_ext.reconciliation import Entry, Kind, Row, Theirs
from victor_ext.reconciliation.store import ComparedEntries

pytestmark = pytest.mark.slow
UUID = "0b2e5f7c-1d3a-4c6b-8e9f-aabbccddeeff"
WHEN = datetime(2026, 3, 4, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Ours:
    reference: str | None = "R1"
    id: str | None = None
    key: str | None = None
    cents: int = 100
    currency: str = "USD"
    core: bool = True

    def entry(self) -> Entry:
        return Entry(Money(self.cents, self.currency), self.reference, self.id, self.key)


@dataclass(frozen=True)
class Other:
    reference: str | None = "R1"
    id: str | None = "A"
    cents: int | None = 100
    requested: int | None = None
    currency: str = "USD"
    zone: Zone = Zone.INSIDE
    minute: int = 0

    def payment(self) -> Theirs:
        amount = None if self.cents is None else Money(self.cents, self.currency)
        requested = amount if self.requested is None else Money(self.requested, self.currency)
        at = WHEN + timedelta(minutes=self.minute)
        return Theirs(self.id, self.reference, amount, requested, self.currency, "pending", at)


def found(
    ours: list[Ours], theirs: list[Other], *, amounts: bool = True, checked: bool = True
) -> list[Row]:
    store = ComparedEntries()
    try:
        for one in ours:
            store.add_ours(
                [(one.entry(), Zone.INSIDE if one.core else Zone.AROUND)], checked=checked
            )
        store.add_theirs((one.payment(), one.zone) for one in theirs)
        totals = store.match(amounts=amounts)
        rows = list(store.rows(tuple(Kind)))
    finally:
        store.close()
    assert {kind: total.count for kind, total in totals.items()} == Counter(
        row.kind for row in rows
    )
    return rows


RULES: dict[str, tuple[list[Ours], list[Other], list[str]]] = {
    "an id comes before a reference": (
        [Ours(id="A")],
        [Other("R2"), Other(id="B")],
        ["differs reference", "duplicate"],
    ),
    "an id in another letter case": ([Ours(None, "a")], [Other(None)], ["differs id"]),
    "a UUID has no letter case": ([Ours(None, UUID.upper())], [Other(id=UUID)], ["matched"]),
    "the amount tells two of one reference apart": (
        [Ours()],
        [Other(cents=90), Other(id="B")],
        ["duplicate", "matched"],
    ),
    "the amount that was asked comes first": (
        [Ours()],
        [Other(requested=200), Other(id="B", cents=90, requested=100)],
        ["duplicate", "modified"],
    ),
    "then the amount that came": (
        [Ours(cents=90)],
        [Other(cents=80, requested=100), Other(id="B", cents=90, requested=100)],
        ["duplicate", "matched"],
    ),
    "less came than was asked": ([Ours()], [Other(cents=80, requested=100)], ["modified"]),
    "another amount": ([Ours()], [Other(cents=90)], ["differs amount"]),
    "an amount that cannot be read": ([Ours()], [Other(cents=None)], ["differs amount"]),
    "another currency": ([Ours()], [Other(currency="EUR")], ["differs currency"]),
    "two Unicode forms": ([Ours("Ü1")], [Other("U\u03081")], ["matched"]),
    "another letter case": ([Ours("ü1")], [Other("Ü1")], ["differs reference"]),
    "a character that cannot be seen": ([Ours("R\u200b1")], [Other()], ["differs reference"]),
    "a space that does not break": ([Ours()], [Other("R1\u00a0")], ["differs reference"]),
    "not in their book": ([Ours("R2")], [Other()], ["missing", "unknown"]),
    "neither a reference nor an id": ([Ours(None)], [], ["unchecked"]),
    "around our window": ([Ours(core=False)], [], []),
    "twice in our book": ([Ours(), Ours()], [Other()], ["matched", "repeated"]),
    "twice under one key": (
        [Ours(key="k"), Ours("R2", key="k")],
        [Other()],
        ["matched", "repeated"],
    ),
    "asked twice under one key": (
        [Ours(key="k"), Ours("R2", key="k")],
        [Other(), Other("R2", "B")],
        ["duplicate", "matched"],
    ),
    "asked twice": ([Ours()], [Other(), Other(id="B")], ["duplicate", "matched"]),
    "listed twice": ([Ours()], [Other(), Other()], ["matched"]),
    "asked twice, around the window": (
        [Ours()],
        [Other(), Other(id="B", zone=Zone.AROUND)],
        ["duplicate", "matched"],
    ),
    "asked twice, outside": ([Ours()], [Other(), Other(id="B", zone=Zone.OUTSIDE)], ["matched"]),
    "both around the window": ([Ours(core=False)], [Other(zone=Zone.AROUND)], []),
    "theirs, at the edge": ([], [Other(zone=Zone.EDGE)], ["at_edge"]),
    "theirs, around": ([], [Other(zone=Zone.AROUND)], []),
}


@pytest.mark.parametrize("rule", RULES)
def test_what_two_books_say_of_each_payment(rule):
    ours, theirs, expected = RULES[rule]
    rows = [" ".join([row.kind.value, *row.differences]) for row in found(ours, theirs)]
    assert sorted(rows) == expected


def test_without_amounts_none_is_compared():
    (row,) = found([Ours()], [Other(cents=None)], amounts=False)
    assert row.kind is Kind.MATCHED


OURS = st.builds(
    Ours,
    st.sampled_from([None, "R1", "r1", "R2"]),
    st.sampled_from(["A", "a", "B"]),
    st.sampled_from([None, "k1"]),
    st.sampled_from([100, 200]),
    core=st.booleans(),
)


THEIRS = st.builds(
    Other,
    st.sampled_from([None, "R1", "R2"]),
    st.sampled_from([None, "A", "B", "C"]),
    st.sampled_from([100, 200, None]),
    zone=st.sampled_from(Zone),
)


@given(st.lists(OURS, max_size=6), st.lists(THEIRS, max_size=6))
def test_each_payment_has_one_row_at_most(ours, theirs):
    """And each of ours that is in the window has one."""
    rows = found(ours, theirs)
    ids = Counter(row.theirs.id for row in rows if row.theirs and row.theirs.id)
    assert set(ids.values()) <= {1}
    claimed = [row for row in rows if row.ours and row.kind is not Kind.DUPLICATE]
    assert sum(one.core for one in ours) <= len([row for row in rows if row.ours])
    assert len(claimed) <= len(ours)


def test_a_duplicate_names_the_payment_that_was_matched_and_belongs_to_the_first_of_ours():
    ours = [Ours(reference=None, id="A"), Ours(reference=None, id="B")]
    first, *_ = found(ours, [Other(), Other(id="B"), Other(id="C", minute=1)])
    assert first.kind == Kind.DUPLICATE
    assert (first.theirs.id, first.other_id, first.ours.id) == ("C", "A", "A")


@pytest.mark.parametrize("ours", [Ours(), Ours(id="A"), Ours(None)])
def test_what_cannot_be_looked_for_is_not_missing(ours):
    assert [row.kind for row in found([ours], [], checked=False)] == [Kind.UNCHECKED]


def test_where_theirs_have_no_references_what_has_only_one_is_not_missing():
    theirs = [Other(None), Other(None, id="B")]
    named = [Ours("R1"), Ours("R3", id="C"), Ours(None, id="B")]
    kinds = [(row.kind.value, row.ours and row.ours.reference) for row in found(named, theirs)]
    assert kinds == [("missing", "R3"), ("unchecked", "R1"), ("unchecked", None), ("matched", None)]


def test_sums_are_exact_and_apart_by_currency():
    store = ComparedEntries()
    huge = 10**25 + 1
    ours = [Ours(f"R{n}", cents=huge) for n in range(3)]
    ours += [Ours("E", cents=10, currency="EUR"), Ours("TWICE", cents=10)]
    store.add_ours([(one.entry(), Zone.INSIDE) for one in ours], checked=True)
    theirs = [Other("X", "X", 30), Other("Y", "Y", None)]
    theirs += [Other("TWICE", "A", 10), Other("TWICE", "B", 10)]
    store.add_theirs((one.payment(), Zone.INSIDE) for one in theirs)
    totals = store.match(amounts=True)
    store.close()
    assert totals[Kind.MISSING].ours == [Money(10, "EUR"), Money(3 * huge, "USD")]
    assert totals[Kind.UNKNOWN].theirs == [Money(30, "USD")]
    assert totals[Kind.DUPLICATE].ours == []
    assert totals[Kind.DUPLICATE].theirs == [Money(10, "USD")]


@pytest.mark.parametrize(
    ("ours", "theirs"), [("1042", "01042"), ("INV 7-1", "inv\u00a07\u20111"), ("1,042.00", "1042")]
)
def test_references_and_ids_that_tools_respell_are_one_payment(ours, theirs):
    """Nobody is to ask again because of a spelling."""
    (by_reference,) = found([Ours(ours)], [Other(theirs)])
    assert by_reference.kind is Kind.DIFFERS
    assert by_reference.differences == ("reference",)
    (by_id,) = found([Ours(None, id=ours)], [Other(None, id=theirs)])
    assert by_id.kind is Kind.DIFFERS
    assert by_id.differences == ("id",)
