"""How FlexFactor's operations are called, with every argument."""

import httpx

from tests.contracts.calling import Call
from tests.contracts.contract import ONCE, Contract
from victor_ext.providers import Money
from victor_ext.providers.flexfactor import (
    Card,
    FlexFactor,
    FlexFactorToken,
    OrderStatus,
    Subscription,
)

ORDER = "5b0c7a5e-3d1f-4f0a-9a43-0f9d2f1c8e77"
KEY = "1145f601-b8b0-4de7-9210-4ccb74a68ef5"


def client(transport) -> FlexFactor:
    def answer(request: httpx.Request) -> httpx.Response:
        response = transport.handler(request)
        body = response.json() if response.content else None
        if isinstance(body, dict) and "errors" in body:  # a result has no errors beside it
            response = httpx.Response(
                response.status_code, headers=response.headers, json={**body, "errors": []}
            )
        return response

    auth = FlexFactorToken("no-secret-at-all")
    return FlexFactor(
        auth, mid=ORDER, site_id=KEY, transport=httpx.MockTransport(answer), retry=ONCE
    )


PARTS = {
    "subscription": Subscription(id="subscription-1", interval="month"),
    "card": Card(
        token="tok_4242", expiration_month=12, expiration_year=2030, bin="411111", last4="1111"
    ),
}
"""The parts of `evaluate` and `transmit` of which the document does not tell a good one."""
DONE = {"success": True, "status": "APPROVED", "statusCode": "100200"}

_PAGE = [
    "firstItemOnPage",
    "lastItemOnPage",
    "hasNextPage",
    "hasPreviousPage",
    "isFirstPage",
    "isLastPage",
    "pageCount",
    "pageNumber",
    "pageSize",
]

CALLS = {
    "transmit": Call.of("transmit", **PARTS, answer=DONE),
    "evaluate": Call.of(
        "evaluate",
        **PARTS,
        sense_key="sense-1",
        idempotency_key=KEY,
        answer={**DONE, "senseKey": "sense-1"},
    ),
    "capture": Call.of("capture", idempotency_key=KEY, answer=DONE),
    "listOrders": Call.of("orders.list", sort="asc", answer={"hasNextPage": False}),
    "getOrder": Call.of(
        "orders.get", order_id=ORDER, answer={"id": ORDER, "status": OrderStatus.CANCELLED}
    ),
    "refundOrder": Call.of("orders.refund", amount=Money.of("44.23", "USD"), answer=DONE),
    "cancelOrder": Call.of("orders.cancel", order_id=ORDER),
    "cancelOrderByExternalId": Call.of("orders.external_cancel"),
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
                "statusCode": "Beside a success it says nothing; `raw` has it.",
                "errors": "`problems` has them; beside a success they make it none.",
            }.items()
        },
    },
)
