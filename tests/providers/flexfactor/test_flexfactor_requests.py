"""What FlexFactor's calls send, member by member."""

import json
from datetime import datetime, timedelta, timezone

import httpx
import pytest
from flexfactor_api.typed.rows import CALLS

from tests.providers.flexfactor.adapter import MID, ORDER, PRICE, declined, scripted
from tests.providers.running import GUID
from victor_ext.providers.flexfactor import OrderStatus


def test_an_evaluation_sends_the_declined_payment():
    client, script = scripted(httpx.Response(200, json={"status": "APPROVED"}))
    client.evaluate(**declined(), idempotency_key=GUID)
    [request] = script.requests
    assert (request.method, str(request.url)) == (
        "POST",
        "https://api-sandbox.flex-charge.com/v1/evaluate",
    )
    assert json.loads(request.content) == {
        "mid": MID,
        "orderId": "INV-1042",
        "isDeclined": True,
        "idempotencyKey": GUID,
        "transaction": {
            "id": "t-1",
            "timestampUtc": "2026-03-04T05:06:07Z",
            "amount": 4423,
            "currency": "USD",
            "responseCode": "05",
            "avsResultCode": "Y",
            "cardNotPresent": True,
        },
        "payer": {"email": "ada@example.com"},
        "paymentMethod": {
            "cardNumber": "tok_4242",
            "expirationMonth": 4,
            "expirationYear": 2031,
            "cardBinNumber": "042424",
            "cardLast4Digits": "0042",
        },
        "billingInformation": {
            "firstName": "Ada",
            "lastName": "Lovelace",
            "zipcode": "01234",
            "countryCode": "US",
        },
    }


def test_a_capture_sends_the_order_and_the_amount_in_cents():
    client, script = scripted(httpx.Response(200, json={"success": True, "orderId": ORDER}))
    client.capture(ORDER, PRICE, idempotency_key=GUID)
    [request] = script.requests
    assert (request.method, request.url.path) == ("POST", "/v1/capture")
    assert json.loads(request.content) == {
        "idempotencyKey": GUID,
        "orderId": ORDER,
        "amount": 4423,
        "currency": "USD",
    }


MOMENT = datetime(2026, 3, 4, 0, 6, 7, tzinfo=timezone(timedelta(hours=-5)))


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, {"mid": MID, "pageNumber": "1"}),
        ({"mid": "", "page": 3}, {"mid": MID, "pageNumber": "3"}),
        ({"mid": "m-2", "query": ""}, {"mid": "m-2", "pageNumber": "1", "query": ""}),
        (
            {"status": OrderStatus.COMPLETED, "start": MOMENT, "sort": "desc", "page_size": 50},
            {
                "mid": MID,
                "status": "7",
                "from": "2026-03-04T05:06:07Z",
                "sort": "desc",
                "pageNumber": "1",
                "pageSize": "50",
            },
        ),
    ],
)
def test_a_list_of_orders_sends_its_filters_and_the_merchant_and_first_page_of_the_client(
    given, sent
):
    client, script = scripted(httpx.Response(200, json={"items": [], "isLastPage": True}))
    assert list(client.orders.list(**given)) == []
    assert dict(script.requests[0].url.params) == sent


def test_the_names_of_a_status_have_the_numbers_that_an_order_has():
    assert OrderStatus.__members__ == CALLS["list_orders"]["query"]["status"]["names"]
