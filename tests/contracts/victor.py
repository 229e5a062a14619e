"""How Victor's operations are called, with every argument."""

import httpx

from tests.contracts.calling import Call
from tests.contracts.contract import ONCE, Contract, Statuses
from tests.contracts.samples import DAY
from victor_ext import Status, Victor, VictorOAuth

ID = "a7ffd43c37c1"
TOKEN = {"access_token": "a-token", "token_type": "Bearer", "expires": 4_000_000_000_000}


def client(transport) -> Victor:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v2/auth/token":
            return httpx.Response(200, json=TOKEN)
        return transport.handler(request)

    auth = VictorOAuth("a-client", "no-secret-at-all")
    return Victor(auth, transport=httpx.MockTransport(answer), retry=ONCE)


CREATED = {
    "payment_request.payee.account_number": "043987673645",
    "payment_request.payee.ultimate_creditor": "SampleCo",
    "payment_request.payer.victor_counterparty_id": "aHeq349838",
    "payment_request.payment_details.due_date": "2026-03-04",
    "payment_request.payment_details.original_amount": "11111111111",
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
        "createRequestPayment": Call.of(
            "payment_requests.create",
            payee_account_number="043987673645",
            payer_counterparty_id="aHeq349838",
            amount="11111111111",
            due_date=DAY,
            ultimate_creditor="SampleCo",
            idempotency_key="invoice-1042-of-2026",
            answer=CREATED,
        ),
        "listPaymentRequests": Call.of("payment_requests.list", answer=IN_LIST),
        "getPaymentRequest": Call.of(
            "payment_requests.get",
            id=ID,
            answer={
                **ASKED,
                f"{RESPONSE}.victor_payment_request_id": ID,
                f"{RESPONSE}.modified_amount": "34.23",
            },
        ),
        "respondToPaymentRequest": Call.of(
            "payment_requests.accept",
            id=ID,
            notes="a-notes",
            modified_amount="11111111111",
            answer={**ASKED, "status": "Accepted", "modified_amount": "11111111111"},
        ),
    },
    not_read=dict.fromkeys(
        ("ListPaymentRequestsResponse.page", "ListPaymentRequestsResponse.page_size"),
        "A walk counts its pages itself, and ends with an empty one.",
    ),
    statuses=Statuses(
        "PaymentRequestReceipt.status",
        frozenset(Status),
        "victor_ext/providers/victor: `Status` and `TERMINAL` of _values.py, `_WAY_TO_PAID` of "
        "_waiting.py",
    ),
)
