"""What becomes of each payment in two books, whatever the two books hold."""

from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from tests.cases import cases_beside
from victor_ext.money import Money
from victor_ext.providers._books import Zone
from victor_ext.reconciliation import Entry, Kind, Theirs
from victor_ext.reconciliation._matching import ComparedEntries

RULES = cases_beside(__file__)["rules"]
WHEN = datetime(2026, 3, 4, 12, tzinfo=UTC)


def ours(reference="R1", id=None, *, key=None, cents=100, currency="USD", zone="INSIDE"):
    return Entry(Money(cents, currency), reference, id, key), Zone[zone]


def theirs(
    reference="R1", id="A", cents=100, *, requested=None, currency="USD", zone="INSIDE", minute=0
):
    amount = None if cents is None else Money(cents, currency)
    asked = amount if requested is None else Money(requested, currency)
    at = WHEN + timedelta(minutes=minute)
    return Theirs(id, reference, amount, asked, currency, "pending", at), Zone[zone]


def compared(our_book, their_book, *, amounts=True, checked=True):
    """The rows of the report, and its sums."""
    with closing(ComparedEntries()) as store:
        store.add_ours(our_book, checked=checked)
        store.add_theirs(their_book)
        totals = store.match(amounts=amounts)
        rows = list(store.rows(tuple(Kind)))
    counts = {kind: total.count for kind, total in totals.items()}
    assert counts == Counter(row.kind for row in rows)
    return rows, totals


@pytest.mark.parametrize("rule", RULES)
def test_each_payment_of_two_books_gets_the_kind_that_the_rules_expect(rule):
    case = RULES[rule]
    our_book = [ours(**each) for each in case["ours"]]
    their_book = [theirs(**each) for each in case["theirs"]]
    rows, _ = compared(our_book, their_book)
    assert sorted(" ".join([row.kind.value, *row.differences]) for row in rows) == case["rows"]


def test_sums_are_exact_and_apart_by_currency():
    huge = 10**25 + 1
    our_book = [ours(f"R{number}", cents=huge) for number in range(3)]
    _, totals = compared([*our_book, ours("E", cents=10, currency="EUR")], [])
    assert totals[Kind.MISSING].ours == [Money(10, "EUR"), Money(3 * huge, "USD")]


@pytest.mark.parametrize(
    ("one", "other"), [("1042", "01042"), ("INV 7-1", "inv\u00a07\u20111"), ("1,042.00", "1042")]
)
def test_references_and_ids_that_tools_respell_are_one_payment(one, other):
    """Nobody is to ask again because of a spelling."""
    (by_reference,), _ = compared([ours(one)], [theirs(other)])
    assert (by_reference.kind, by_reference.differences) == (Kind.DIFFERS, ("reference",))
    (by_id,), _ = compared([ours(None, one)], [theirs(None, other)])
    assert (by_id.kind, by_id.differences) == (Kind.DIFFERS, ("id",))


@pytest.mark.parametrize("code", ["HRK", "UDS"])
def test_payments_in_a_currency_that_is_gone_are_compared_and_shown(code):
    our_book = [ours(currency=code), ours("R2", cents=5, currency=code)]
    rows, totals = compared(our_book, [theirs(currency=code)])
    assert [(row.kind, row.ours.amount) for row in rows] == [
        (Kind.MISSING, Money(5, code)),
        (Kind.MATCHED, Money(100, code)),
    ]
    assert totals[Kind.MATCHED].theirs == [Money(100, code)]
