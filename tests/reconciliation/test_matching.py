"""What becomes of each payment in two books, whatever the two books hold."""

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from victor_ext.books import Zone
from victor_ext.money import Money
from victor_ext.reconciliation import Entry, Kind, Row, Theirs, Totals
from victor_ext.reconciliation.store import ComparedEntries

UUID = "0b2e5f7c-1d3a-4c6b-8e9f-aabbccddeeff"
WHEN = datetime(2026, 3, 4, 12, tzinfo=UTC)


Ours = tuple[Entry, Zone]
Others = tuple[Theirs, Zone]


def ours(
    reference: str | None = "R1",
    id: str | None = None,
    *,
    key: str | None = None,
    cents: int = 100,
    currency: str = "USD",
    zone: Zone = Zone.INSIDE,
) -> Ours:
    return Entry(Money(cents, currency), reference, id, key), zone


def theirs(
    reference: str | None = "R1",
    id: str | None = "A",
    cents: int | None = 100,
    *,
    requested: int | None = None,
    currency: str = "USD",
    zone: Zone = Zone.INSIDE,
    minute: int = 0,
) -> Others:
    amount = None if cents is None else Money(cents, currency)
    asked = amount if requested is None else Money(requested, currency)
    at = WHEN + timedelta(minutes=minute)
    return Theirs(id, reference, amount, asked, currency, "pending", at), zone


def compared(
    our_book: Iterable[Ours],
    their_book: Iterable[Others],
    *,
    amounts: bool = True,
    checked: bool = True,
) -> tuple[list[Row], dict[Kind, Totals]]:
    """The rows of the report, and its sums."""
    with closing(ComparedEntries()) as store:
        store.add_ours(our_book, checked=checked)
        store.add_theirs(their_book)
        totals = store.match(amounts=amounts)
        rows = list(store.rows(tuple(Kind)))
    counts = {kind: total.count for kind, total in totals.items()}
    assert counts == Counter(row.kind for row in rows)
    return rows, totals


RULES: dict[str, tuple[list[Ours], list[Others], list[str]]] = {
    "an id comes before a reference": (
        [ours(id="A")],
        [theirs("R2"), theirs(id="B")],
        ["differs reference", "duplicate"],
    ),
    "an id in another letter case": ([ours(None, "a")], [theirs(None)], ["differs id"]),
    "a UUID has no letter case": ([ours(None, UUID.upper())], [theirs(id=UUID)], ["matched"]),
    "the amount tells two of one reference apart": (
        [ours()],
        [theirs(cents=90), theirs(id="B")],
        ["duplicate", "matched"],
    ),
    "the amount that was asked comes first": (
        [ours()],
        [theirs(requested=200), theirs(id="B", cents=90, requested=100)],
        ["duplicate", "modified"],
    ),
    "then the amount that came": (
        [ours(cents=90)],
        [theirs(cents=80, requested=100), theirs(id="B", cents=90, requested=100)],
        ["duplicate", "matched"],
    ),
    "less came than was asked": ([ours()], [theirs(cents=80, requested=100)], ["modified"]),
    "another amount": ([ours()], [theirs(cents=90)], ["differs amount"]),
    "an amount that cannot be read": ([ours()], [theirs(cents=None)], ["differs amount"]),
    "another currency": ([ours()], [theirs(currency="EUR")], ["differs currency"]),
    "two Unicode forms": ([ours("Ü1")], [theirs("U\u03081")], ["matched"]),
    "another letter case": ([ours("ü1")], [theirs("Ü1")], ["differs reference"]),
    "a character that cannot be seen": ([ours("R\u200b1")], [theirs()], ["differs reference"]),
    "a space that does not break": ([ours()], [theirs("R1\u00a0")], ["differs reference"]),
    "not in their book": ([ours("R2")], [theirs()], ["missing", "unknown"]),
    "neither a reference nor an id": ([ours(None)], [], ["unchecked"]),
    "around our window": ([ours(zone=Zone.AROUND)], [], []),
    "twice in our book": ([ours(), ours()], [theirs()], ["matched", "repeated"]),
    "twice under one key": (
        [ours(key="k"), ours("R2", key="k")],
        [theirs()],
        ["matched", "repeated"],
    ),
    "asked twice under one key": (
        [ours(key="k"), ours("R2", key="k")],
        [theirs(), theirs("R2", "B")],
        ["duplicate", "matched"],
    ),
    "asked twice": ([ours()], [theirs(), theirs(id="B")], ["duplicate", "matched"]),
    "listed twice": ([ours()], [theirs(), theirs()], ["matched"]),
    "asked twice, around the window": (
        [ours()],
        [theirs(), theirs(id="B", zone=Zone.AROUND)],
        ["duplicate", "matched"],
    ),
    "asked twice, outside": ([ours()], [theirs(), theirs(id="B", zone=Zone.OUTSIDE)], ["matched"]),
    "both around the window": ([ours(zone=Zone.AROUND)], [theirs(zone=Zone.AROUND)], []),
    "theirs, at the edge": ([], [theirs(zone=Zone.EDGE)], ["at_edge"]),
    "theirs, around": ([], [theirs(zone=Zone.AROUND)], []),
}


@pytest.mark.parametrize("rule", RULES)
def test_each_payment_of_two_books_gets_the_kind_that_the_rules_expect(rule):
    our_book, their_book, expected = RULES[rule]
    rows, _ = compared(our_book, their_book)
    assert sorted(" ".join([row.kind.value, *row.differences]) for row in rows) == expected


def test_no_amount_is_compared_with_a_provider_that_shows_no_amounts():
    (row,), _ = compared([ours()], [theirs(cents=None)], amounts=False)
    assert row.kind is Kind.MATCHED


def test_a_duplicate_shows_the_id_of_the_matched_payment_and_the_first_of_our_entries():
    our_book = [ours(None, "A"), ours(None, "B")]
    (first, *_), _ = compared(our_book, [theirs(), theirs(id="B"), theirs(id="C", minute=1)])
    assert first.kind == Kind.DUPLICATE
    assert (first.theirs.id, first.other_id, first.ours.id) == ("C", "A", "A")


def test_an_entry_that_cannot_be_looked_up_is_unchecked_and_not_missing():
    rows, _ = compared([ours(), ours(id="A"), ours(None)], [], checked=False)
    assert [row.kind for row in rows] == [Kind.UNCHECKED] * 3


def test_an_entry_with_only_a_reference_is_not_missing_if_payments_have_no_references():
    their_book = [theirs(None), theirs(None, id="B")]
    our_book = [ours("R1"), ours("R3", id="C"), ours(None, id="B")]
    rows, _ = compared(our_book, their_book)
    kinds = [(row.kind.value, row.ours and row.ours.reference) for row in rows]
    assert kinds == [("missing", "R3"), ("unchecked", "R1"), ("unchecked", None), ("matched", None)]


def test_sums_are_exact_and_apart_by_currency():
    huge = 10**25 + 1
    our_book = [ours(f"R{number}", cents=huge) for number in range(3)]
    _, totals = compared([*our_book, ours("E", cents=10, currency="EUR")], [])
    assert totals[Kind.MISSING].ours == [Money(10, "EUR"), Money(3 * huge, "USD")]


def test_the_sum_of_the_provider_has_the_paid_amount_and_not_the_requested_amount():
    _, totals = compared([ours()], [theirs(cents=80, requested=100)])
    assert totals[Kind.MODIFIED].ours == [Money(100, "USD")]
    assert totals[Kind.MODIFIED].theirs == [Money(80, "USD")]


def test_an_amount_that_cannot_be_read_or_was_matched_before_is_in_no_sum():
    their_book = [theirs("X", "X", 30), theirs("Y", "Y", None), theirs(), theirs(id="B")]
    _, totals = compared([ours()], their_book)
    assert totals[Kind.UNKNOWN].theirs == [Money(30, "USD")]
    assert (totals[Kind.DUPLICATE].ours, totals[Kind.DUPLICATE].theirs) == ([], [Money(100, "USD")])


@pytest.mark.parametrize(
    ("one", "other"), [("1042", "01042"), ("INV 7-1", "inv\u00a07\u20111"), ("1,042.00", "1042")]
)
def test_references_and_ids_that_tools_respell_are_one_payment(one, other):
    """Nobody is to ask again because of a spelling."""
    (by_reference,), _ = compared([ours(one)], [theirs(other)])
    assert (by_reference.kind, by_reference.differences) == (Kind.DIFFERS, ("reference",))
    (by_id,), _ = compared([ours(None, one)], [theirs(None, other)])
    assert (by_id.kind, by_id.differences) == (Kind.DIFFERS, ("id",))
