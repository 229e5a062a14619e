"""The matching in SQL finds what an oracle of plain loops finds, whatever the two books hold."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from unicodedata import normalize

import hypothesis.strategies as st
import pytest
from hypothesis import example, given, settings

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


@dataclass
class Oracle:
    """The rules, in loops over all pairs."""

    ours: list[Ours]
    theirs: list[Other]
    amounts: bool
    pairs: dict[int, int] = field(default_factory=dict)
    is_unnamed: bool = False

    def rows(self) -> list[tuple[str, int | None, int | None, str]]:
        """Kind, the place of ours, the place of theirs, what differs."""
        self.theirs = _listed_once(self.theirs)
        self._pair(lambda o, t: o.id is not None and o.id == t.id)
        same = lambda o, t: o.reference is not None and o.reference == t.reference  # noqa: E731
        asked = lambda t: t.cents if t.requested is None else t.requested  # noqa: E731
        self._pair(lambda o, t: same(o, t) and (o.cents, o.currency) == (asked(t), t.currency))
        self._pair(lambda o, t: same(o, t) and (o.cents, o.currency) == (t.cents, t.currency))
        self._pair(same)
        self._pair(
            lambda o, t: o.reference is not None and _folded(o.reference) == _folded(t.reference)
        )
        self._pair(lambda o, t: o.id is not None and _folded(o.id) == _folded(t.id))
        self.is_unnamed = (
            len(self.theirs) > 0
            and all(t.reference is None for t in self.theirs)
            and any(o.core and o.id is None and o.reference is not None for o in self.ours)
        )
        return [*self._both(), *self._ours_alone(), *self._theirs_alone()]

    def _pair(self, equal) -> None:
        for row in sorted(
            range(len(self.ours)), key=lambda row: (self.ours[row].id is not None, row)
        ):
            free = [n for n in range(len(self.theirs)) if n not in self.pairs.values()]
            fitting = [
                n for n in free if row not in self.pairs and equal(self.ours[row], self.theirs[n])
            ]
            if fitting:
                order = lambda n: (self.theirs[n].zone >= 2, self.theirs[n].minute, n)  # noqa: E731
                self.pairs[row] = min(fitting, key=order)

    def _both(self):
        first: dict[str, int] = {}
        for row, number in sorted(self.pairs.items()):
            o, t = self.ours[row], self.theirs[number]
            asked_twice = o.key is not None and first.setdefault(o.key, number) != number
            if not o.core and t.zone >= Zone.AROUND:
                continue
            asked = t.cents if t.requested is None else t.requested
            wrong = self.amounts if t.cents is None else _plain(o.cents, o.currency) not in {
                _plain(t.cents, t.currency), _plain(asked, t.currency)
            }  # fmt: skip
            differing = [
                *(["currency"] if o.currency != t.currency else []),
                *(["amount"] if wrong else []),
                *(["id"] if o.id and t.id and o.id != t.id else []),
                *(["reference"] if o.reference and t.reference and _form(o) != _form(t) else []),
            ]
            modified = t.cents is not None and o.cents == asked != t.cents
            kind = (
                "duplicate"
                if asked_twice
                else "differs"
                if differing
                else "modified"
                if modified
                else "matched"
            )
            yield kind, row, number, " ".join(differing)

    def _ours_alone(self):
        for row, o in enumerate(self.ours):
            if row in self.pairs or not o.core:
                continue
            known = any(
                (o.id and _folded(o.id) == _folded(t.id))
                or (o.reference and _folded(o.reference) == _folded(t.reference))
                for t in self.theirs
            )
            again = any(
                o.key is not None
                and e.key == o.key
                and e_row != row
                and (e_row < row or e_row in self.pairs)
                for e_row, e in enumerate(self.ours)
            )
            lost = "unchecked" if self.is_unnamed and o.id is None else "missing"
            yield "repeated" if known or again else lost, row, None, ""

    def _theirs_alone(self):
        for number, t in enumerate(self.theirs):
            if number in self.pairs.values():
                continue
            claims = [
                row
                for row, o in enumerate(self.ours)
                if t.reference is not None and _folded(o.reference) == _folded(t.reference)
            ]
            by_pair = [
                row
                for row, n in sorted(self.pairs.items())
                if t.reference is not None
                and _folded(self.theirs[n].reference) == _folded(t.reference)
            ]
            claims = claims or by_pair
            if claims:
                if t.zone < 2 or (t.zone == Zone.AROUND and self.ours[claims[0]].core):
                    yield "duplicate", claims[0], number, ""
            elif t.zone < Zone.AROUND:
                strange = "unchecked" if self.is_unnamed else "unknown"
                yield strange if t.zone is Zone.INSIDE else "at_edge", None, number, ""


def _form(one: Ours | Other) -> str:
    return normalize("NFC", one.reference or "")


def _folded(reference: str | None) -> str | None:
    return reference and normalize("NFC", reference).lower()


def _plain(cents: int, currency: str) -> str:
    return f"{Money(cents, currency).amount:f}"


REFERENCES = st.sampled_from([None, "Ü1", "U\u03081", "R2", "R3", "ü1"])
IDS = st.sampled_from([None, None, "A", "a", "B", "C", "D"])
CENTS = st.sampled_from([100, 200])
CURRENCIES = st.sampled_from(["USD", "USD", "EUR"])
OURS = st.builds(
    Ours,
    REFERENCES,
    IDS,
    st.sampled_from([None, None, "k1", "k2"]),
    CENTS,
    CURRENCIES,
    st.booleans(),
)
THEIRS = st.builds(
    Other,
    REFERENCES,
    IDS,
    st.sampled_from([100, 200, None]),
    st.sampled_from([None, None, 100, 200]),
    CURRENCIES,
    st.sampled_from(Zone),
    st.integers(0, 2),
)


@settings(max_examples=200)
@given(
    st.lists(OURS.filter(lambda one: one.reference or one.id), max_size=6),
    st.lists(THEIRS, max_size=6),
    st.booleans(),
)
@example([Ours()], [Other(), Other(id="B")], True)
@example([Ours()], [Other(requested=200), Other(id="B", cents=90, requested=100)], True)
@example(
    [Ours(cents=90)], [Other(cents=80, requested=100), Other(id="B", cents=90, requested=100)], True
)
def test_it_finds_what_the_oracle_finds(
    ours: list[Ours], theirs: list[Other], amounts: bool
) -> None:
    theirs = [
        one if one.cents else Other(one.reference, one.id, None, None, "USD", one.zone)
        for one in theirs
    ]
    expected = Oracle(ours, theirs, amounts).rows()
    rows = found(ours, theirs, amounts=amounts)
    assert Counter(_shown(row) for row in rows) == Counter(
        _expected(*one, ours, _listed_once(theirs)) for one in expected
    )


def _shown(row: Row):
    return row.kind.value, row.ours, row.theirs, " ".join(row.differences)


def _expected(kind, place, number, differing, ours, theirs):
    return (
        kind,
        None if place is None else ours[place].entry(),
        None if number is None else theirs[number].payment(),
        differing,
    )


def _listed_once(theirs: list[Other]) -> list[Other]:
    seen: set[str] = set()
    return [one for one in theirs if one.id is None or not (one.id in seen or seen.add(one.id))]


UNDRAWN: dict[str, tuple[Ours, list[Other], str, tuple[str, ...]]] = {
    "a UUID has no letter case": (Ours(None, UUID.upper()), [Other(id=UUID)], "matched", ()),
    "a character that cannot be seen": (Ours("R\u200b1"), [Other()], "differs", ("reference",)),
    "a space that does not break": (Ours(), [Other("R1\u00a0")], "differs", ("reference",)),
    "as others write": (
        Ours("Caf\u00e9 1"),
        [Other("CAFE\u0301\u00a01")],
        "differs",
        ("reference",),
    ),
    "neither a reference nor an id": (Ours(None), [], "unchecked", ()),
}


@pytest.mark.parametrize("name", UNDRAWN)
def test_what_the_oracle_does_not_draw(name: str) -> None:
    ours, theirs, kind, differences = UNDRAWN[name]
    (row,) = found([ours], theirs)
    assert row.kind == kind
    assert row.differences == differences


def test_a_duplicate_names_the_payment_that_was_matched_and_belongs_to_the_first_of_ours() -> None:
    first, _ = found([Ours()], [Other(), Other(id="B", minute=1)])
    assert first.kind == Kind.DUPLICATE
    assert first.theirs.id == "B"
    assert first.other_id == "A"
    assert first.ours.reference == "R1"
    ours = [Ours(reference=None, id="A"), Ours(reference=None, id="B")]
    first, *_ = found(ours, [Other(), Other(id="B"), Other(id="C", minute=1)])
    assert first.kind == Kind.DUPLICATE
    assert first.theirs.id == "C"
    assert first.other_id == "A"
    assert first.ours.id == "A"


@pytest.mark.parametrize("ours", [Ours(), Ours(id="A"), Ours(None)])
def test_what_cannot_be_looked_for_is_not_missing(ours: Ours) -> None:
    assert [row.kind for row in found([ours], [], checked=False)] == [Kind.UNCHECKED]


def test_where_theirs_have_no_references_what_has_only_one_is_not_missing() -> None:
    theirs = [Other(None), Other(None, id="B")]
    named = [Ours("R1"), Ours("R2"), Ours("R3", id="C"), Ours(None, id="B")]
    kinds = [(row.kind.value, row.ours and row.ours.reference) for row in found(named, theirs)]
    assert kinds == [
        ("missing", "R3"),
        ("unchecked", "R1"),
        ("unchecked", "R2"),
        ("unchecked", None),
        ("matched", None),
    ]
    by_id = [Ours("R3", id="C")]
    assert [row.kind.value for row in found(by_id, theirs)] == ["missing", "unknown", "unknown"]


def test_sums_are_exact_and_apart_by_currency() -> None:
    store = ComparedEntries()
    huge = 10**25 + 1
    store.add_ours(
        [(Ours(f"R{n}", cents=huge).entry(), Zone.INSIDE) for n in range(3)], checked=True
    )
    store.add_ours([(Ours("E", cents=10, currency="EUR").entry(), Zone.INSIDE)], checked=True)
    store.add_ours([(Ours("TWICE", cents=10).entry(), Zone.INSIDE)], checked=True)
    theirs = [
        Other("X", "X", 30),
        Other("Y", "Y", None),
        Other("TWICE", "A", 10),
        Other("TWICE", "B", 10),
    ]
    store.add_theirs((one.payment(), Zone.INSIDE) for one in theirs)
    totals = store.match(amounts=True)
    assert totals[Kind.MISSING].ours == [Money(10, "EUR"), Money(3 * huge, "USD")]
    assert totals[Kind.UNKNOWN].theirs == [Money(30, "USD")]
    assert totals[Kind.UNKNOWN].count == 2
    assert totals[Kind.DUPLICATE].ours == []
    assert totals[Kind.DUPLICATE].theirs == [Money(10, "USD")]
    store.close()


@pytest.mark.parametrize(
    ("ours", "theirs"), [("1042", "01042"), ("INV 7-1", "inv\u00a07\u20111"), ("1,042.00", "1042")]
)
def test_references_and_ids_that_tools_respell_are_one_payment(ours: str, theirs: str) -> None:
    """Nobody is to ask again because of a spelling."""
    (by_reference,) = found([Ours(ours)], [Other(theirs)])
    assert by_reference.kind is Kind.DIFFERS
    assert by_reference.differences == ("reference",)
    (by_id,) = found([Ours(None, id=ours)], [Other(None, id=theirs)])
    assert by_id.kind is Kind.DIFFERS
    assert by_id.differences == ("id",)
