"""What FlexFactor's calls send, member by member."""

import json
from decimal import Decimal

import httpx
import pytest
from flexfactor_api.typed.rows import CALLS

from tests.providers.flexfactor.adapter import MID, ORDER, declined, scripted
from tests.providers.running import GUID
from victor_ext import InvalidRequest
from victor_ext.providers import Money
from victor_ext.providers.flexfactor import OrderStatus


def sent(call):
    """The address and the body of a call."""
    client, script = scripted(httpx.Response(200, json={"success": True, "status": "APPROVED"}))
    call(client)
    [request] = script.requests
    return f"{request.method} {request.url}", json.loads(request.content, parse_float=Decimal)


URL = "https://api-sandbox.flex-charge.com/v1"


def test_an_evaluation_sends_the_declined_payment():
    request = sent(lambda client: client.evaluate(**declined(), idempotency_key=GUID))
    assert request == (
        f"POST {URL}/evaluate",
        {
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
        },
    )


@pytest.mark.parametrize(
    ("minor_units", "amount"), [(1, "0.01"), (4423, "44.23"), (10**15 - 1, "9999999999999.99")]
)
def test_a_capture_is_sent_in_cents_and_a_refund_in_dollars_with_each_digit(minor_units, amount):
    money = Money(minor_units, "USD")
    captured = sent(lambda client: client.capture(ORDER, money, idempotency_key=GUID))
    assert captured == (
        f"POST {URL}/capture",
        {"idempotencyKey": GUID, "orderId": ORDER, "amount": minor_units, "currency": "USD"},
    )
    refunded = sent(lambda client: client.orders.refund(ORDER, money))
    assert refunded == (f"POST {URL}/orders/{ORDER}/refund", {"amountToRefund": Decimal(amount)})


def test_the_names_of_a_status_have_the_numbers_that_an_order_has():
    assert OrderStatus.__members__ == CALLS["list_orders"]["query"]["status"]["names"]


def test_members_that_this_package_does_not_know_are_added_and_replace_none_of_its_own():
    extra = {"payer": {"middleName": "King"}, "channel": "web"}
    _, body = sent(lambda client: client.transmit(**declined(), declined=True, extra_body=extra))
    assert body["payer"] == {"email": "ada@example.com", "middleName": "King"}
    assert body["channel"] == "web"


@pytest.mark.parametrize(
    ("extra", "sender"),
    [
        ({"Transaction": {"Amount": 1}}, "as amount"),
        ({"orderItems": []}, "as items"),
        ({"shippingInformation": {"city": "x"}}, "as shipping"),
        ({"IdempotencyKey": GUID}, "itself"),
    ],
)
def test_a_member_that_an_evaluation_sends_is_refused_in_any_spelling(extra, sender):
    client, script = scripted()
    with pytest.raises(InvalidRequest, match=f"sends {sender}: leave it out here"):
        client.evaluate(**declined(extra_body=extra))
    assert not script.requests
