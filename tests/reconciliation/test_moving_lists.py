"""Whatever moves, arrives or leaves between the pages of a list: no row is `missing` or `matched`
that is not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import httpx
import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from tests.providers.systems import of_every_system
from victor_ext import PaginationError, Victor, VictorOAuth
from victor_ext.providers.flexfactor import FlexFactor, FlexFactorToken
from victor_ext.providers.velo import Velo, VeloAuth
from victor_ext.reconciliation import Kind, reconcile

pytestmark = pytest.mark.slow
START = datetime(2026, 3, 4, tzinfo=UTC)
NOON = "2026-03-04T12:00:00Z"
UUID = "0b2e5f7c-1d3a-4c6b-8e9f-aabbccddeeff"
SIZE = 2
Name = tuple[str | None, str]
"""The id of a payment, and our reference."""


@dataclass
class System:
    """How a system writes a payment and a page, and how its client is made."""

    record: Callable[[Name], dict[str, Any]]
    pages: str
    first: int
    page: Callable[[list[Any], int], dict[str, Any]]
    client: Callable[[httpx.MockTransport], Any]
    options: dict[str, Any]


SYSTEMS = of_every_system(
    __name__,
    {
        "victor": System(
            lambda name: {
                "victor_payment_request_id": name[0],
                "client_reference_id": name[1],
                "direction": "outbound",
                "created_at": NOON,
                "payment_request": {"payment_details": {"amount": "1.00"}},
            },
            "page",
            0,
            lambda items, _: {"results": items},
            lambda transport: Victor(VictorOAuth("id-1", "not-a-secret"), transport=transport),
            {},
        ),
        "velo": System(
            lambda name: {
                "paymentId": name[0],
                "payorPaymentId": name[1],
                "submittedDateTime": NOON,
                "paymentAmount": 100,
                "paymentCurrency": "USD",
            },
            "page",
            1,
            lambda items, n: {
                "content": items,
                "page": {"totalPages": -(-n // SIZE), "totalElements": n},
            },
            lambda transport: Velo(VeloAuth("key", "not-a-secret"), transport=transport),
            {"payor_id": "P"},
        ),
        "flexfactor": System(
            lambda name: {
                "orderId": name[0],
                "externalOrderId": name[1],
                "orderPlacedDate": NOON,
                "currency": "USD",
            },
            "pageNumber",
            1,
            lambda items, _: {"items": items, "isLastPage": not items},
            lambda transport: FlexFactor(FlexFactorToken("t"), mid=UUID, transport=transport),
            {},
        ),
    },
    without=("eastpay",),
)


@dataclass
class Provider:
    """A list in pages of two. Before each page `happen` may change it; it is told the page.

    What has left does not come back.
    """

    system: System
    items: list[Name]
    happen: Callable[["Provider", int], object]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        query, write = request.url.params, self.system.record
        if request.method == "POST":
            token = {"access_token": "t", "token_type": "Bearer", "expires_in": 3600}
            return httpx.Response(200, json={**token, "expires": 4_102_444_800_000})
        if self.system.pages in query and "victor_id" not in query:
            page = int(query[self.system.pages]) - self.system.first
            self.happen(self, page)
            items = [*map(write, self.items[SIZE * page : SIZE * (page + 1)])]
            return httpx.Response(200, json=self.system.page(items, len(self.items)))
        sought = query.get("victor_id", request.url.path.rpartition("/")[2])
        found = [write(item) for item in self.items if item[0] == sought]
        if "victor_id" in query:
            return httpx.Response(200, json={"results": found if query["page"] == "0" else []})
        return httpx.Response(200, json=found[0]) if found else httpx.Response(404, json={})

    def compared(self, ours: Sequence[tuple[str | None, str | None]]) -> tuple[list[Any], str]:
        """The rows of a report, and its notes."""
        one = {"amount": "1.00", "currency": "USD"}
        rows = [{"id": id_, "reference": reference, **one} for id_, reference in ours]
        window = {"start": START, "end": START + timedelta(days=1), **self.system.options}
        with (
            self.system.client(httpx.MockTransport(self)) as client,
            reconcile(client, rows, page_size=SIZE, **window) as report,
        ):
            return list(report), " ".join(report.summary.notes)


def moving(happens: Sequence[str], random: Random) -> Callable[[Provider, int], None]:
    """Before each page one of these happens, as long as there is something left to happen. What
    arrives or leaves is nobody's of ours.
    """
    left = iter(happens)

    def happen(provider: Provider, _page: int) -> None:
        what, items = next(left, "nothing"), provider.items
        others = [item for item in items if item[1].startswith("OTHER")]
        if what == "shuffle":
            random.shuffle(items)
        elif what == "arrive":
            number = random.randrange(10**9)
            items.insert(random.randint(0, len(items)), (f"other-{number}", f"OTHER-{number}"))
        elif what == "leave" and others:
            items.remove(random.choice(others))

    return happen


IDS = st.sampled_from(["A", "a", "B", "C", "D", UUID, None])
REFERENCES = ["R1", "r1", "R2", "R3", "R4", "R5", "R\u200b5"]
THEIRS = st.lists(st.tuples(IDS, st.sampled_from([*REFERENCES, "OTHER"])), max_size=8)
OURS = st.lists(st.tuples(IDS, st.sampled_from([*REFERENCES, None])), max_size=5)
HAPPENS = st.lists(st.sampled_from(["nothing", "shuffle", "arrive", "leave"]), max_size=24)


@pytest.mark.parametrize("name", SYSTEMS)
@settings(max_examples=60)
@given(THEIRS, OURS, HAPPENS, st.integers(0, 9))
def test_nothing_is_missing_that_is_there_and_nothing_matches_that_is_not(
    name, theirs, ours, happens, seed
):
    provider = Provider(SYSTEMS[name], [*theirs], moving(happens, Random(seed)))
    ids = [id_ for id_, _ in theirs]
    is_unique = None not in ids and len({*ids}) == len(ids)
    try:
        rows, notes = provider.compared(ours)
    except PaginationError:
        assert happens or not is_unique
        return
    stayed = [payment for payment in theirs if payment in provider.items]
    for row in rows:
        if row.kind is Kind.MISSING:
            assert row.ours.id is None or row.ours.id not in [id_ for id_, _ in stayed]
            assert row.ours.reference not in [reference for _, reference in stayed]
        if row.kind is Kind.MATCHED:
            assert (row.theirs.id, row.theirs.reference) in theirs
            assert None in (row.ours.id, row.theirs.id) or row.ours.id == row.theirs.id
            assert row.ours.reference in (None, row.theirs.reference)
    shown = [row.theirs.id for row in rows if row.theirs and row.theirs.id]
    assert len({*shown}) == len(shown)
    if is_unique and "leave" not in happens and "The provider's list changed" not in notes:
        assert {id_ for id_, _ in stayed} <= {*shown}, "none of theirs is overlooked"


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize(("moves", "kind"), [(99, "unchecked"), (3, "missing")])
def test_a_list_that_moves_before_each_page_proves_nothing_and_one_that_rests_again_does(
    name, moves, kind
):
    theirs = [(f"ID-{number}", f"R-{number}") for number in range(9)]
    provider = Provider(SYSTEMS[name], [*theirs], moving(["shuffle"] * moves, Random(7)))
    rows, notes = provider.compared([(None, f"R-{number}") for number in (*range(9), "GONE")])
    kinds = {row.ours.reference: row.kind.value for row in rows}
    assert kinds["R-GONE"] == kind
    assert set(kinds.values()) <= {kind, "matched"}
    is_noted = "The provider's list changed in each of 4 readings: rows of ours that" in notes
    assert is_noted is (kind == "unchecked")


@pytest.mark.parametrize("name", SYSTEMS)
def test_two_readings_that_show_the_same_prove_nothing_if_the_first_has_shown_one_twice(name):
    """Both have overlooked `d`, which moved to a page that was read: `b` moved on, and is shown
    twice in the first; `a` has left during the second.
    """
    a, b, c, d, e = ((f"ID-{letter}", f"R-{letter}") for letter in "abcde")
    rests = [d, b, e, c]
    # What the first page of each reading shows, and what those behind it show.
    readings = [([a, b, c, d, e], [d, a, b, c, e]), ([a, b, c, e, d], rests), (rests, rests)]
    read = []

    def happen(provider, page):
        if page == 0:
            read.append(page)
        first, later = readings[min(len(read), 3) - 1]
        provider.items = later if page else first

    rows, notes = Provider(SYSTEMS[name], [], happen).compared(
        [(None, reference) for _, reference in (b, c, d, e)]
    )
    kinds = {row.ours.reference: row.kind.value for row in rows if row.ours}
    assert kinds == dict.fromkeys(("R-b", "R-c", "R-d", "R-e"), "matched")
    assert "The provider's list changed" not in notes
    assert len(read) == 4
