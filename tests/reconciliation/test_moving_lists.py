"""Whatever moves, arrives or leaves between the pages of a list: no row is `missing` or `matched`
that is not.
"""

from random import Random

import hypothesis.strategies as st
import pytest
from hypothesis import example, given, settings

from tests.reconciliation.provider import Provider, request
from victor_ext import PaginationError
from victor_ext.cli._reconcile import _verdict
from victor_ext.reconciliation import Kind

UUID = "0b2e5f7c-1d3a-4c6b-8e9f-aabbccddeeff"
IDS = st.sampled_from(["A", "a", "B", "C", "D", UUID, None])
REFERENCES = ["R1", "r1", "R2", "R3", "R4", "R5", "R\u200b5"]
THEIRS = st.lists(st.tuples(IDS, st.sampled_from([*REFERENCES, "OTHER"])), max_size=8)
OURS = st.lists(st.tuples(IDS, st.sampled_from([*REFERENCES, None])), max_size=5)
HAPPENS = st.lists(st.sampled_from(["nothing", "shuffle", "arrive", "leave"]), max_size=24)


def listed(names):
    return [request(id_, reference) for id_, reference in names]


def name_of(item):
    return item["victor_payment_request_id"], item["client_reference_id"]


def moving(happens, random):
    """Before each page one of these happens, as long as there is something left to happen. What
    arrives or leaves is nobody's of ours, and does not come back.
    """
    left = iter(happens)

    def happen(provider, _page):
        what, items = next(left, "nothing"), [*provider.items]
        others = [item for item in items if item["client_reference_id"].startswith("OTHER")]
        if what == "shuffle":
            random.shuffle(items)
        elif what == "arrive":
            number = random.randrange(10**9)
            arrived = request(f"other-{number}", f"OTHER-{number}")
            items.insert(random.randint(0, len(items)), arrived)
        elif what == "leave" and others:
            items.remove(random.choice(others))
        provider.items = items

    return happen


@settings(max_examples=60)
@given(THEIRS, OURS, HAPPENS, st.integers(0, 9))
@example([("A", "R1"), ("A", "R2")], [("B", "R2")], [], 0)  # the id of another one hides R2
def test_no_listed_payment_is_missing_and_no_unlisted_payment_is_matched(
    theirs, ours, happens, seed
):
    provider = Provider(listed(theirs), moving(happens, Random(seed)))
    ids = [id_ for id_, _ in theirs]
    is_unique = None not in ids and len({*ids}) == len(ids)
    try:
        with provider.compare(*({"id": id_, "reference": text} for id_, text in ours)) as report:
            rows, notes = [*report], " ".join(report.summary.notes)
    except PaginationError:
        assert happens or not is_unique
        return
    stayed = [name for name in theirs if name in map(name_of, provider.items)]
    for row in rows:
        if row.kind is Kind.MISSING:
            assert row.ours.id is None or row.ours.id not in [id_ for id_, _ in stayed]
            assert row.ours.reference not in [reference for _, reference in stayed]
        if row.kind is Kind.MATCHED:
            assert (row.theirs.id, row.theirs.reference) in theirs
            assert None in (row.ours.id, row.theirs.id) or row.ours.id == row.theirs.id
            assert row.ours.reference in (None, row.theirs.reference)
    shown = [row.theirs.id for row in rows if row.theirs and row.theirs.id]
    assert len({*shown}) == len(shown), "each payment has one row at most"
    assert len([row for row in rows if row.ours]) >= len(ours), "each of ours has one"
    if is_unique and "leave" not in happens and "The provider's list changed" not in notes:
        assert {id_ for id_, _ in stayed} <= {*shown}, "none of theirs is overlooked"


@pytest.mark.parametrize(("moves", "kind"), [(99, "unchecked"), (3, "missing")])
def test_a_payment_is_missing_only_if_the_list_rests_in_one_of_the_readings(moves, kind):
    theirs = listed([(f"ID-{number}", f"R-{number}") for number in range(9)])
    provider = Provider(theirs, moving(["shuffle"] * moves, Random(7)))
    ours = [{"reference": f"R-{number}"} for number in (*range(9), "GONE")]
    with provider.compare(*ours) as report:
        kinds = {row.ours.reference: row.kind.value for row in report}
    assert kinds["R-GONE"] == kind
    assert set(kinds.values()) <= {kind, "matched"}
    is_noted = "The provider's list changed in each of 4 readings: rows of ours that" in " ".join(
        report.summary.notes
    )
    assert is_noted is (kind == "unchecked")


def test_two_equal_readings_do_not_prove_a_missing_payment_if_the_first_shows_a_repeat():
    """Both have overlooked `d`, which moved to a page that was read: `b` moved on, and is shown
    twice in the first; `a` has left during the second.
    """
    a, b, c, d, e = listed([(f"ID-{letter}", f"R-{letter}") for letter in "abcde"])
    rests = [d, b, e, c]
    # What the first page of each reading shows, and what those behind it show.
    readings = [([a, b, c, d, e], [d, a, b, c, e]), ([a, b, c, e, d], rests), (rests, rests)]
    read = []

    def happen(provider, page):
        if page == 0:
            read.append(page)
        first, later = readings[min(len(read), 3) - 1]
        provider.items = later if page else first

    ours = [{"reference": f"R-{letter}"} for letter in "bcde"]
    with Provider([], happen).compare(*ours) as report:
        kinds = {row.ours.reference: row.kind.value for row in report if row.ours}
    assert kinds == dict.fromkeys(("R-b", "R-c", "R-d", "R-e"), "matched")
    assert "The provider's list changed" not in " ".join(report.summary.notes)
    assert len(read) == 4


def test_books_do_not_agree_if_the_list_has_changed_in_each_reading():
    """A second payment for `R-a` moves to a page that was read, in each reading."""
    a, b, c, second = listed([("A", "R-a"), ("B", "R-b"), ("C", "R-c"), ("D", "R-a")])

    def happen(provider, page):
        provider.items = [second, a, b, c] if page else [a, b, c, second]

    ours = [{"reference": f"R-{letter}"} for letter in "abc"]
    with Provider([], happen).compare(*ours) as report:
        assert [*report.differences()] == []
        assert report.agrees is report.summary.to_dict()["agrees"] is False
        assert _verdict(report).startswith("Nothing shows whether the books agree: the provider")
