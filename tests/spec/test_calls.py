"""What the generated functions send, and what they make of every answer."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from victor_api.api.payment_requests import (
    create_request_payment,
    get_payment_request,
    list_payment_requests,
    respond_to_payment_request,
)
from victor_api.client import AuthenticatedClient, Client
from victor_api.errors import UnexpectedStatus, UnreadableBody
from victor_api.models import (
    ApiErrorResponse,
    ListPaymentRequestsNetworkType,
    ListPaymentRequestsResponse,
    ListPaymentRequestsStatus,
    NewRtpRfpPaymentRequest,
    PaymentRequestReceipt,
    RfpBasePaymentDetails,
    RfpBasePaymentDetailsBillerType,
    RfpPayeeRequestDetails,
    RfpPayerDetails,
    ValidationErrors,
)

BODY = NewRtpRfpPaymentRequest(
    payee=RfpPayeeRequestDetails(account_number="043987673645"),
    payer=RfpPayerDetails(victor_counterparty_id="aHeq349838"),
    payment_details=RfpBasePaymentDetails(
        amount="44.23", biller_type=RfpBasePaymentDetailsBillerType.BUSINESS, due_date="2026-03-04"
    ),
)


class Server:
    """Answers every request in one way, and remembers them."""

    def __init__(self, status: int = 200, content: bytes = b"{}", **settings: Any) -> None:
        self.requests: list[httpx.Request] = []
        self._status, self._content = status, content
        transport = httpx.MockTransport(self._answer)
        self.client = Client(base_url="https://api.example", httpx_args={"transport": transport}, **settings)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(self._status, content=self._content)


class TestWhatIsSent:
    def test_filters_are_flat_and_nothing_is_sent_unasked(self) -> None:
        server = Server()
        list_payment_requests.sync(client=server.client)
        list_payment_requests.sync(
            client=server.client,
            page=0,
            page_size=50,
            status=ListPaymentRequestsStatus.NEEDS_REVIEW,
            network_type=ListPaymentRequestsNetworkType.FEDNOW,
            start_datetime="2026-03-04T05:06:07.089Z",
        )
        assert [request.url.raw_path.decode() for request in server.requests] == [
            "/v2/payment-requests",
            (
                "/v2/payment-requests?page=0&page_size=50&start_datetime=2026-03-04T05%3A06%3A07.089Z"
                "&status=needs-review&network_type=FedNow"
            ),
        ]

    def test_create(self) -> None:
        server = Server()
        create_request_payment.sync_detailed(client=server.client, body=BODY, idempotency_key="k" * 20)
        create_request_payment.sync_detailed(client=server.client, body=BODY)
        assert json.loads(server.requests[0].content) == {
            "payee": {"account_number": "043987673645"},
            "payer": {"victor_counterparty_id": "aHeq349838"},
            "payment_details": {"amount": "44.23", "biller_type": "BUSINESS", "due_date": "2026-03-04"},
        }
        assert server.requests[0].headers["Idempotency-Key"] == "k" * 20
        assert server.requests[0].headers["Content-Type"] == "application/json"
        assert "Idempotency-Key" not in server.requests[1].headers

    def test_an_id_cannot_leave_its_place_in_the_path(self) -> None:
        server = Server()
        get_payment_request.sync("../x?y#z", client=server.client)
        assert server.requests[0].url.raw_path == b"/v2/payment-requests/..%2Fx%3Fy%23z"
        for other in ("", ".", ".."):
            with pytest.raises(ValueError, match="cannot be a part of a path"):
                get_payment_request.sync(other, client=server.client)
        assert len(server.requests) == 1


class TestWhatIsAnswered:
    @pytest.mark.parametrize(
        ("call", "status", "model"),
        [
            (lambda c: list_payment_requests.sync_detailed(client=c), 200, ListPaymentRequestsResponse),
            (lambda c: list_payment_requests.sync_detailed(client=c), 400, ValidationErrors),
            (lambda c: create_request_payment.sync_detailed(client=c, body=BODY), 200, PaymentRequestReceipt),
            (lambda c: create_request_payment.sync_detailed(client=c, body=BODY), 400, ApiErrorResponse),
        ],
    )
    def test_documented_answers(self, call: Callable[[Client], Any], status: int, model: type) -> None:
        answer = call(Server(status).client)
        assert (answer.status_code, type(answer.parsed)) == (status, model)

    @pytest.mark.parametrize("status", [201, 401, 404, 429, 499, 500, 520, 527, 561, 599])
    def test_an_undocumented_status_is_never_silence(self, status: int) -> None:
        with pytest.raises(UnexpectedStatus) as caught:
            get_payment_request.sync("x", client=Server(status, b"<html>account 043987673645").client)
        assert (caught.value.status_code, caught.value.content) == (status, b"<html>account 043987673645")
        assert "043987673645" not in str(caught.value)
        quiet = get_payment_request.sync_detailed("x", client=Server(status, raise_on_unexpected_status=False).client)
        assert (quiet.status_code, quiet.parsed) == (status, None)

    @pytest.mark.parametrize(
        "content",
        [
            *(b"", b"<html>", b"\xff\xfe\xfa", b'{"a": 1', b"[]", b"null", b'"text"', b"[" * 100_000),
            b'{"a": ' + b"9" * 5_000 + b"}",
        ],
    )
    @pytest.mark.parametrize("status", [200, 400])
    def test_a_body_that_is_something_else(self, content: bytes, status: int) -> None:
        with pytest.raises(UnreadableBody) as caught:
            create_request_payment.sync(client=Server(status, content).client, body=BODY)
        assert (caught.value.status_code, caught.value.content) == (status, content)
        again = pickle.loads(pickle.dumps(caught.value))
        assert (str(again), again.content) == (str(caught.value), content)
        assert copy.copy(caught.value).reason == caught.value.reason

    def test_numbers_that_are_none(self) -> None:
        content = b'{"page": 1e999, "page_size": NaN, "results": [{"payment_request": {"created_at": Infinity}}]}'
        found = list_payment_requests.sync(client=Server(200, content).client)
        assert isinstance(found, ListPaymentRequestsResponse)
        assert not found.page
        assert found.to_dict()["page"] == float("inf")

    def test_the_same_awaited(self) -> None:
        async def call() -> None:
            server = Server()
            async with server.client:
                found = await create_request_payment.asyncio(client=server.client, body=BODY)
                assert isinstance(found, PaymentRequestReceipt)
                answer = await respond_to_payment_request.asyncio_detailed("x", client=server.client, body=BODY)
                assert answer.status_code == 200

        asyncio.run(call())


class TestTheClient:
    def test_copies_leave_the_connection_of_the_original_alone(self) -> None:
        server = Server()
        live = server.client.get_httpx_client()
        before = (dict(live.headers), dict(live.cookies), live.timeout)
        copies = [
            server.client.with_headers({"X-A": "1"}),
            server.client.with_cookies({"c": "1"}),
            server.client.with_timeout(httpx.Timeout(1.5)),
        ]
        assert (dict(live.headers), dict(live.cookies), live.timeout) == before
        for each in copies:
            assert each.get_httpx_client() is not live
            get_payment_request.sync("x", client=each)
        assert server.requests[0].headers["X-A"] == "1"
        assert server.requests[1].headers["Cookie"] == "c=1"
        assert server.requests[2].extensions["timeout"]["read"] == 1.5


@pytest.mark.parametrize(
    ("options", "sent"), [({}, "Bearer t"), ({"prefix": ""}, "t"), ({"prefix": "Token"}, "Token t")]
)
def test_an_authenticated_client_is_a_client_that_sends_its_token(options: dict[str, str], sent: str) -> None:
    headers: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        headers.append(request.headers)
        return httpx.Response(200)

    client = AuthenticatedClient(
        "https://api.example",
        "t",
        headers={"X-A": "1"},
        httpx_args={"transport": httpx.MockTransport(answer)},
        **options,
    )
    other = client.with_headers({"X-B": "2"})
    assert isinstance(client, Client)
    assert type(other) is AuthenticatedClient
    for each in (client, other):
        with each as entered:
            entered.get_httpx_client().get("/")
    assert [each["Authorization"] for each in headers] == [sent, sent]
    assert [(each["X-A"], each.get("X-B")) for each in headers] == [("1", None), ("1", "2")]
