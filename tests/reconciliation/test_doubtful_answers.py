"""What a provider says in an odd way, or at an odd time, makes no row look equal, and none look
missing.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pytest_httpx import HTTPXMock

from tests.cases import cases_beside
from tests.providers.eastpay import adapter as eastpay_adapter
from victor_ext import InvalidRequest, Victor, VictorOAuth, zulu
from victor_ext.money import Money
from victor_ext.reconciliation import Entry, Reconciliation, reconcile

pytestmark = pytest.mark.slow
START = datetime(2026, 3, 4, tzinfo=UTC)
WINDOW = {"start": START, "end": START + timedelta(days=1)}


def request(
    number: int,
    reference: str | None,
    amount: object = "44.23",
    *,
    original: object = None,
    **more: object,
) -> dict[str, Any]:
    details = {"amount": amount, "original_amount": original}
    return {
        "victor_payment_request_id": f"ID-{number}",
        "client_reference_id": reference,
        "direction": "outbound",
        "status": "pending",
        "created_at": "2026-03-04T12:00:00Z",
        "payment_request": {"payment_details": details},
        **more,
    }


def answer_pages(httpx_mock: HTTPXMock, *pages: Sequence[Mapping[str, Any]]) -> None:
    for each in pages:
        content = json.dumps({"results": list(each)}).encode()
        httpx_mock.add_response(method="GET", content=content)


def compare(victor: Victor, *ours: Mapping[str, object], **options: Any) -> Any:
    """The report, for rows whose amount is the usual one unless they have their own."""
    rows = [{"amount": "44.23", **row} for row in ours]
    return reconcile(victor, rows, **{**WINDOW, "page_size": 2, **options})


def compared(victor: Victor, *ours: Mapping[str, object], **options: Any) -> list[tuple[str, str]]:
    with compare(victor, *ours, **options) as report:
        return kinds(report)


def kinds(report: Reconciliation) -> list[tuple[str, str]]:
    return [(row.kind.value, " ".join(row.differences)) for row in report]


def answer_by(
    httpx_mock: HTTPXMock, list_of: Callable[[httpx.QueryParams], list[Mapping[str, Any]]]
) -> None:
    """The first page of each list is what this makes of the query, and others are empty."""

    def answer(call: httpx.Request) -> httpx.Response:
        query = call.url.params
        if "page" not in query:
            return httpx.Response(200, json=request(9, "INV-9", status="Pending"))
        return httpx.Response(200, json={"results": list_of(query) if query["page"] == "0" else []})

    httpx_mock.add_callback(answer, method="GET", is_reusable=True)


@pytest.fixture
def victor(httpx_mock: HTTPXMock) -> Iterator[Victor]:
    token = {"access_token": "t", "token_type": "Bearer", "expires": 4_102_444_800_000}
    httpx_mock.add_response(method="POST", json=token)
    with Victor(
        VictorOAuth("id-1", "not-a-secret"), transport=httpx.HTTPTransport(verify=False)
    ) as client:
        yield client


AMOUNTS = cases_beside(__file__)["amounts"]


@pytest.mark.parametrize("name", AMOUNTS)
def test_another_amount_agrees_only_if_the_payer_was_allowed_it(victor, httpx_mock, name):
    case = AMOUNTS[name]
    one = request(1, "INV-1", case["amount"], original="44.23")
    one["payment_request"]["payment_details"].update(case.get("details", {}))
    answer_pages(httpx_mock, [one], [])
    differences = "amount" if case["kind"] == "differs" else ""
    assert compared(victor, {"reference": "INV-1"}) == [(case["kind"], differences)]


@pytest.mark.parametrize("at", [START, START + timedelta(days=1, microseconds=-1)])
def test_the_ends_of_the_window_are_read_whether_the_providers_are_inclusive_or_not(
    victor, httpx_mock, at
):
    """The provider's filter excludes both of its ends, and has whole milliseconds."""

    def list_of(query):
        first, last = (zulu.parse(query[f"{end}_datetime"]) for end in ("start", "end"))
        if first < at < last:
            return [request(1, "INV-1", created_at=at.timestamp() * 1000)]
        return []

    answer_by(httpx_mock, list_of)
    assert compared(victor, {"reference": "INV-1"}, margin=timedelta(0)) == [("matched", "")]


def test_the_status_of_one_that_is_looked_up_is_that_of_the_list(victor, httpx_mock):
    """`get` says "Pending" of a request that is paid, by one reading of the document."""
    paid = request(9, "INV-9", status="completed")
    another = request(9, None, victor_payment_request_id="id-9")
    answer_by(httpx_mock, lambda query: [paid, another] if query.get("victor_id") == "ID-9" else [])
    with compare(victor, {"id": "ID-9"}) as report:
        (row,) = report
        assert (row.kind, row.theirs.status) == ("matched", "completed")
        assert report.summary.elsewhere == 1


def test_that_one_without_an_id_may_be_listed_twice_is_said(victor, httpx_mock):
    """One arrives at the front while the first page is read, which moves the second one to the next
    page.
    """
    first, moved = request(1, "INV-1"), request(2, "INV-2", victor_payment_request_id=None)
    answer_pages(httpx_mock, [first, moved], [moved], [], *[[first], [moved], []] * 2)
    ours = [{"reference": reference} for reference in ("INV-1", "INV-2", "GONE")]
    with compare(victor, *ours) as report:
        assert [kind for kind, _ in kinds(report)] == ["duplicate", "missing", "matched", "matched"]
        assert "Payments in the list without an id: 2. One that moved" in report.summary.notes[-1]


def test_the_id_of_an_inbound_request_is_not_missing(victor, httpx_mock):
    answer_pages(httpx_mock, [], [request(9, None, direction="inbound")])
    httpx_mock.add_response(method="GET", json=request(9, None, direction="inbound"))
    answer_pages(httpx_mock, [])
    assert compared(victor, {"id": "ID-9"}) == [("unchecked", "")]
    # Nor is one in a list of outbound requests unknown.
    answer_pages(httpx_mock, [request(9, "INV-9", direction="inbound")], [])
    assert compared(victor) == []


def test_half_of_a_character_ends_nothing(victor, httpx_mock):
    """And a payment is counted by its status."""
    odd = request(1, "INV-1\ud800", status="p\ud800")
    answer_pages(httpx_mock, [odd, request(2, "INV-2", status="declined")], [])
    with compare(victor, {"reference": "INV-2"}) as report:
        assert kinds(report) == [("unknown", ""), ("matched", "")]
        assert report.summary.to_dict()["statuses"]["declined"] == 1
    with pytest.raises(InvalidRequest, match="reference holds half of a character"):
        Entry(Money.of("44.23", "USD"), "INV-1\ud800")


NOW = datetime.now(UTC)
EASTPAY = {"start": NOW - timedelta(hours=1), "end": NOW, "currency": "EGP"}


def test_not_found_proves_nothing_at_eastpay_where_nothing_was_found():
    """Status 404 is for a wrong path, too: such as a base URL of another bank's."""
    ours = [{"id": f"{number:032}", "amount": "1"} for number in range(2)]
    with (
        eastpay_adapter.sandbox() as sandbox,
        eastpay_adapter.client(sandbox, awaited=False) as eastpay,
    ):
        with reconcile(eastpay, ours, **EASTPAY) as report:
            assert [row.kind.value for row in report] == ["unchecked", "unchecked"]
        result = eastpay_adapter.pay(eastpay, "INV-1").id
        with reconcile(eastpay, [*ours, {"id": result, "amount": "92"}], **EASTPAY) as report:
            assert [row.kind.value for row in report] == ["missing", "missing", "matched"]
