"""How FlexFactor's operations are called, with every argument."""

from datetime import UTC, date, datetime
from typing import Any

import httpx

from tests.contracts.calling import Call
from tests.contracts.contract import ONCE, Contract
from victor_ext.providers import Money
from victor_ext.providers.flexfactor import (
    Address,
    Card,
    FlexFactor,
    FlexFactorAuth,
    OrderItem,
    OrderStatus,
    Payer,
    Subscription,
    Transaction,
)

ORDER = "5b0c7a5e-3d1f-4f0a-9a43-0f9d2f1c8e77"
KEY = "1145f601-b8b0-4de7-9210-4ccb74a68ef5"
MOMENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
PRICE = Money.of("44.23", "USD")


def client(transport: httpx.MockTransport) -> FlexFactor:
    def answer(request: httpx.Request) -> httpx.Response:
        response = transport.handler(request)
        body = response.json() if response.content else None
        if isinstance(body, dict) and "errors" in body:  # a result has no errors beside it
            response = httpx.Response(
                response.status_code, headers=response.headers, json={**body, "errors": []}
            )
        if request.url.path.endswith("/orders"):  # the document cannot name the array of a page
            return httpx.Response(
                200, json={**response.json(), "orders": [{"id": ORDER, "status": 7}]}
            )
        return response

    auth = FlexFactorAuth("an-app-key", "no-secret-at-all")
    return FlexFactor(
        auth, mid=ORDER, site_id=KEY, transport=httpx.MockTransport(answer), retry=ONCE
    )


def usual() -> dict[str, Any]:
    """The arguments that `evaluate` and `transmit` have in common."""
    address = Address(
        first_name="Ada",
        last_name="Example",
        line1="1 Main Street",
        line2="Floor 2",
        city="Springfield",
        state="IL",
        zip_code="62701",
        country="United States",
        country_code="US",
        phone="+15550100",
    )
    return {
        "order_id": "INV-1042",
        "amount": PRICE,
        "billing": address,
        "shipping": address,
        "recurring": False,
        "merchant_initiated": False,
        "fields": {"source": "web"},
        "subscription": Subscription(id="subscription-1", interval="month"),
        "transaction": Transaction(
            id="t-1",
            occurred_at=MOMENT,
            response_code="05",
            response_code_source="processor",
            type="PURCHASE",
            avs_result="Y",
            cvv_result="M",
            cavv_result="2",
            card_not_present=True,
            utc_offset=0,
        ),
        "payer": Payer(
            email="ada@example.com",
            id="payer-1",
            phone="+15550100",
            birthdate=date(1990, 3, 4),
        ),
        "card": Card(
            token="tok_4242",
            expiration_month=12,
            expiration_year=2030,
            holder_name="Ada Example",
            bin="411111",
            last4="1111",
            brand="VISA",
            type="CREDIT",
            country="US",
        ),
        "items": [
            OrderItem(
                name="Tea",
                amount=PRICE,
                quantity=1,
                sku="tea-1",
                description="Green",
                discount=PRICE,
                tax=PRICE,
            )
        ],
    }


DONE = {"success": True, "status": "APPROVED", "statusCode": "100200"}

_PAGE = (
    "firstItemOnPage",
    "lastItemOnPage",
    "hasNextPage",
    "hasPreviousPage",
    "isFirstPage",
    "isLastPage",
    "pageCount",
    "pageNumber",
    "pageSize",
)

CALLS = {
    "createToken": Call(
        "FlexFactorAuth",
        ({"order_id": ORDER},),
        {"expires": 4_000_000_000_000},
        has_record=False,
        method="orders.get",
    ),
    "transmit": Call.of("transmit", **usual(), declined=True, answer=DONE),
    "evaluate": Call.of(
        "evaluate",
        **usual(),
        customer_ip="192.0.2.7",
        sense_key="sense-1",
        expires_at=MOMENT,
        idempotency_key=KEY,
        answer={**DONE, "senseKey": "sense-1"},
    ),
    "capture": Call.of("capture", order_id=ORDER, amount=PRICE, idempotency_key=KEY, answer=DONE),
    "listOrders": Call.of(
        "orders.list",
        query="Ada",
        status=OrderStatus.COMPLETED,
        start=MOMENT,
        end=MOMENT,
        mid=ORDER,
        order_by="createdOn",
        sort="asc",
        page_size=10,
    ),
    "getOrder": Call.of(
        "orders.get", order_id=ORDER, answer={"id": ORDER, "status": OrderStatus.CANCELLED}
    ),
    "refundOrder": Call.of(
        "orders.refund", order_id=ORDER, amount=PRICE, message="Sorry", answer=DONE
    ),
    "cancelOrder": Call.of("orders.cancel", order_id=ORDER, idempotency_key=KEY),
    "cancelOrderByExternalId": Call.of(
        "orders.external_cancel", external_order_id="INV-1042", idempotency_key=KEY
    ),
}


CONTRACT = Contract(
    "flexfactor",
    client,
    CALLS,
    not_read={
        **dict.fromkeys(
            (f"OrderPage.{name}" for name in _PAGE),
            "A walk counts its pages itself, and ends with an empty one.",
        ),
        **{
            f"{kind}.{name}": why
            for kind in ("Answer", "Decision", "RefundAnswer", "TransmitAnswer")
            for name, why in {
                "customProperties": "Nothing is known of what is in it; `raw` has it.",
                "errors": "`problems` has them; beside a success they make it none.",
            }.items()
        },
    },
)
