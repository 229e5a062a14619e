"""Whatever moves, arrives or leaves between the pages of a list: no row is `missing` or `matched` that is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import httpx
import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from victor_ext import PaginationError, Victor, VictorOAuth
from victor_ext.providers.flexfactor import FlexFactor, FlexFactorToken
from victor_ext.providers.velo import Velo, VeloAuth
from victor_ext.reconciliation import Kind, Reconciliation, reconcile

START = datetime(2026, 3, 4, tzinfo=UTC)
NOON = "2026-03-04T12:00:00Z"
MID = "11111111-2222-4333-8444-555555555555"
SIZE = 2
Name = tuple[str | None, str]
"""The id of a payment, and our reference."""


@dataclass
class Provider:
    """A list in pages of two. Before each page something happens to it, as long as there is something left to happen.

    What arrives or leaves is nobody's of ours. What has left does not come back.
    """

    items: list[Name]
    happens: Sequence[str]
    random: Random
    pages: int = 0

    def page(self, number: int) -> tuple[list[Name], bool]:
        """The items of a page, counted from 0, and whether it is the last one."""
        happens = self.happens[self.pages] if self.pages < len(self.happens) else "nothing"
        self.pages += 1
        others = [item for item in self.items if item[1].startswith("OTHER")]
        if happens == "shuffle":
            self.random.shuffle(self.items)
        elif happens == "arrive":
            self.items.insert(self.random.randint(0, len(self.items)), (f"other-{self.pages}", f"OTHER-{self.pages}"))
        elif happens == "leave" and others:
            self.items.remove(self.random.choice(others))
        return self.items[SIZE * number : SIZE * number + SIZE], SIZE * number + SIZE >= len(self.items)


def victor(provider: Provider) -> Any:
    def record(name: Name) -> dict[str, Any]:
        return {
            "victor_payment_request_id": name[0], "client_reference_id": name[1], "direction": "outbound",
            "status": "pending", "created_at": NOON, "payment_request": {"payment_details": {"amount": "1.00"}},
        }  # fmt: skip

    def answer(request: httpx.Request) -> httpx.Response:
        query, last = request.url.params, request.url.path.rpartition("/")[2]
        if request.method == "POST":
            return httpx.Response(200, json={"access_token": "t", "token_type": "Bearer", "expires": 4_102_444_800_000})
        if "victor_id" in query or "page" not in query:
            found = [record(item) for item in provider.items if item[0] == query.get("victor_id", last)]
            if "victor_id" in query:
                return httpx.Response(200, json={"results": found if query["page"] == "0" else []})
            return httpx.Response(200, json=found[0]) if found else httpx.Response(404, json={})
        return httpx.Response(200, json={"results": list(map(record, provider.page(int(query["page"]))[0]))})

    return Victor(VictorOAuth("id-1", "not-a-secret"), transport=httpx.MockTransport(answer))


def velo(provider: Provider) -> Any:
    def record(name: Name) -> dict[str, Any]:
        money = {"paymentAmount": 100, "paymentCurrency": "USD"}
        return {"paymentId": name[0], "payorPaymentId": name[1], "submittedDateTime": NOON, **money}

    def answer(request: httpx.Request) -> httpx.Response:
        query = request.url.params
        if request.method == "POST":
            return httpx.Response(200, json={"access_token": "t", "token_type": "Bearer", "expires_in": 3600})
        if "page" not in query:
            found = [record(item) for item in provider.items if item[0] == request.url.path.rpartition("/")[2]]
            return httpx.Response(200, json=found[0]) if found else httpx.Response(404, json={})
        items, _ = provider.page(int(query["page"]) - 1)
        total = {"totalPages": -(-len(provider.items) // SIZE), "totalElements": len(provider.items)}
        return httpx.Response(200, json={"content": list(map(record, items)), "page": total})

    return Velo(VeloAuth("key", "not-a-secret"), transport=httpx.MockTransport(answer))


def flexfactor(provider: Provider) -> Any:
    def record(name: Name) -> dict[str, Any]:
        return {"orderId": name[0], "externalOrderId": name[1], "orderPlacedDate": NOON, "currency": "USD"}

    def answer(request: httpx.Request) -> httpx.Response:
        query = request.url.params
        if "pageNumber" not in query:
            found = [record(item) for item in provider.items if item[0] == request.url.path.rpartition("/")[2]]
            return httpx.Response(200, json=found[0]) if found else httpx.Response(404, json={})
        items, is_last = provider.page(int(query["pageNumber"]) - 1)
        return httpx.Response(200, json={"items": list(map(record, items)), "isLastPage": is_last})

    return FlexFactor(FlexFactorToken("not-a-secret"), mid=MID, transport=httpx.MockTransport(answer))


CLIENTS: dict[Callable[[Provider], Any], dict[str, Any]] = {victor: {}, velo: {"payor_id": "P"}, flexfactor: {}}
IDS = ["A", "a", "B", "C", "D", "0b2e5f7c-1d3a-4c6b-8e9f-aabbccddeeff", "0B2E5F7C-1D3A-4C6B-8E9F-AABBCCDDEEFF"]
REFERENCES = ["R1", "r1", "R2", "R3", "R4", "R5", "R\u200b5"]
THEIRS = st.tuples(st.sampled_from([*IDS, None]), st.sampled_from([*REFERENCES, "OTHER"]))
OURS = st.tuples(st.sampled_from([*IDS, None, None]), st.sampled_from([*REFERENCES, None]))
HAPPENS = st.lists(st.sampled_from(["nothing", "shuffle", "arrive", "leave"]), max_size=24)


def compared(client: Any, ours: Sequence[tuple[str | None, str | None]], **options: Any) -> Reconciliation:
    rows = [{"id": id_, "reference": reference, "amount": "1.00", "currency": "USD"} for id_, reference in ours]
    return reconcile(client, rows, start=START, end=START + timedelta(days=1), page_size=SIZE, **options)


@pytest.mark.parametrize("make", CLIENTS, ids=lambda make: make.__name__)
@settings(max_examples=60)
@given(st.lists(THEIRS, max_size=8), st.lists(OURS, max_size=5), HAPPENS, st.integers(0, 9))
def test_nothing_is_missing_that_is_there_and_nothing_matches_that_is_not(
    make: Callable[[Provider], Any],
    theirs: list[Name],
    ours: list[tuple[str | None, str | None]],
    happens: list[str],
    seed: int,
) -> None:
    provider = Provider([*theirs], happens, Random(seed))
    names = Counter(map(_id, (name for name, _ in theirs)))
    try:
        with make(provider) as client, compared(client, ours, **CLIENTS[make]) as report:
            rows = list(report)
    except PaginationError:
        assert happens or max(names.values()) > 1
        return
    for row in rows:
        if row.kind is Kind.MISSING:
            stayed = [item for item in theirs if item in provider.items]
            assert row.ours.id not in [_id(name) for name, _ in stayed if name]
            assert row.ours.reference not in [reference for _, reference in stayed]
        if row.kind is Kind.MATCHED:
            assert (row.theirs.id, row.theirs.reference) in [(_id(name), reference) for name, reference in theirs]
            assert None in (row.ours.id, row.theirs.id) or row.ours.id == row.theirs.id
            assert row.ours.reference in (None, row.theirs.reference)
    matched = Counter(row.theirs.id for row in rows if row.kind is Kind.MATCHED and row.theirs.id)
    assert set(matched.values()) <= {1}
    if not happens and None not in names and max(names.values(), default=1) == 1:
        unchecked = [row for row in rows if row.kind is Kind.UNCHECKED]
        assert all(
            row.reason == "The row has neither a reference nor an id, so it cannot be compared." for row in unchecked
        )


def _id(name: str | None) -> str | None:
    return name and (name.lower() if len(name) == 36 else name)


@pytest.mark.parametrize("make", CLIENTS, ids=lambda make: make.__name__)
def test_a_list_that_moves_before_each_page_proves_nothing_and_one_that_rests_again_does(
    make: Callable[[Provider], Any],
) -> None:
    theirs = [(f"ID-{number}", f"R-{number}") for number in range(9)]
    ours = [(None, reference) for _, reference in theirs] + [(None, "GONE")]
    for happens, kind, is_noted in ((["shuffle"] * 99, "unchecked", True), (["shuffle"] * 3, "missing", False)):
        provider = Provider([*theirs], happens, Random(7))
        with make(provider) as client, compared(client, ours, **CLIENTS[make]) as report:
            found = {row.ours.reference: row.kind.value for row in report}
            notes = " ".join(report.summary.notes)
        assert found["GONE"] == kind
        assert set(found.values()) <= {kind, "matched"}
        assert ("The provider's list changed in each of 4 readings: rows of ours that" in notes) is is_noted
