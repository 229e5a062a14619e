"""How Victor's operations are called, with every argument."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, get_type_hints

import httpx
from victor_api.typed.arguments import list_payment_requests

from tests.contracts.contract import LIMITS, ONCE, Call, Contract
from tests.contracts.document import Document
from victor_ext import Victor, VictorOAuth, Word

ID = "a7ffd43c37c1"
LIST = "listPaymentRequests"
MOMENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
DAY = date(2026, 3, 4)
TOKEN = {"access_token": "a-token", "token_type": "Bearer", "expires": 4_000_000_000_000}


def client(transport: httpx.MockTransport) -> Victor:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v2/auth/token":
            return httpx.Response(200, json=TOKEN)
        return transport.handler(request)

    auth = VictorOAuth("a-client", "no-secret-at-all")
    return Victor(auth, transport=httpx.MockTransport(answer), retry=ONCE)


def create(victor: Any, **changes: Any) -> Any:
    usual = {
        "payee_account_number": "043987673645",
        "payer_counterparty_id": "aHeq349838",
        "amount": "12345678901",
        "biller_type": "BUSINESS",
        "due_date": DAY,
        "ultimate_creditor": "SampleCo",
        "amount_modification_allowed": True,
        "notes": "a-notes",
        "client_reference_id": "a-client_reference_id",
        "idempotency_key": "invoice-1042-of-2026",
    }
    return victor.payment_requests.create(**{**usual, **changes})


def walk(victor: Any) -> Any:
    values: dict[Any, Any] = {
        datetime | None: MOMENT,
        date | str | None: DAY,
        str | None: "a-value",
    }
    kinds = get_type_hints(list_payment_requests)
    filters = {
        name: values.get(kinds[name], Word("a-word"))
        for name in kinds.keys() - {"page", "page_size", "extra_query", "return"}
    }
    return victor.payment_requests.list(**filters, page_size=50)


def limits_of_the_list() -> Iterator[str]:
    """The parameters of the list that the document limits."""
    (operation,) = (each for each in Document.of("victor").operations if each.id == LIST)
    for place, schema in operation.sent.items():
        if LIMITS & schema.keys():
            yield place.removeprefix("query:")


CREATED = {
    "payment_request.payee.account_number": "043987673645",
    "payment_request.payee.ultimate_creditor": "SampleCo",
    "payment_request.payer.victor_counterparty_id": "aHeq349838",
    "payment_request.payment_details.due_date": "2026-03-04",
    "payment_request.payment_details.original_amount": "12345678901",
    "payment_request.created_at": 1_770_000_000,
    "payment_request.approved_at": 1_770_000_000,
    "direction": "outbound",
}
IN_LIST = {"page": 0} | {f"results.*.{path}": value for path, value in CREATED.items()}
ASKED = {"victor_payment_request_id": ID}
RESPONSE = "payment_request.payment_request_response"

CONTRACT = Contract(
    "victor",
    client,
    {
        "createRequestPayment": Call(
            "payment_requests.create",
            (create,),
            CREATED,
            add="it with `make generate`",
        ),
        LIST: Call(
            "payment_requests.list",
            (walk,),
            IN_LIST,
            add="it with `make generate`",
        ),
        "getPaymentRequest": Call.of(
            "payment_requests.get",
            ID,
            answer={
                **ASKED,
                f"{RESPONSE}.victor_payment_request_id": ID,
                f"{RESPONSE}.modified_amount": "34.23",
            },
        ),
        "respondToPaymentRequest": Call.of(
            "payment_requests.accept",
            ID,
            notes="a-notes",
            modified_amount="12345678901",
            answer={**ASKED, "status": "Accepted", "modified_amount": "12345678901"},
        ),
    },
    not_read=dict.fromkeys(
        ("ListPaymentRequestsResponse.page", "ListPaymentRequestsResponse.page_size"),
        "A walk counts its pages itself, and ends with an empty one.",
    ),
    limited={
        **{
            f"createRequestPayment: {place}": lambda victor, value, name=name: create(
                victor, **{name: value}
            )
            for place, name in {
                "body:client_reference_id": "client_reference_id",
                "body:payee.account_number": "payee_account_number",
                "body:payee.ultimate_creditor": "ultimate_creditor",
                "body:payer.victor_counterparty_id": "payer_counterparty_id",
                "body:payment_details.notes": "notes",
                "header:Idempotency-Key": "idempotency_key",
            }.items()
        },
        "respondToPaymentRequest: body:notes": lambda victor, value: victor.payment_requests.accept(
            ID, notes=value
        ),
        **{
            f"{LIST}: query:{name}": lambda victor, value, name=name: victor.payment_requests.list(
                **{name: value}
            )
            for name in limits_of_the_list()
        },
    },
    unlimited=dict.fromkeys(
        (
            "createRequestPayment: body:payment_details.amount",
            "respondToPaymentRequest: body:modified_amount",
        ),
        "A length of 0 or more forbids nothing.",
    ),
)
