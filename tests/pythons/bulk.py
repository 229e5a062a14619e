"""Extra `bulk`: a batch in an SQLite file is sent, and sent again without asking anybody twice."""

from __future__ import annotations

from collections import Counter

import httpx

from victor_ext import Victor, VictorOAuth
from victor_ext.bulk import BulkSender

TOKEN = {"access_token": "token-for-tests", "token_type": "Bearer", "expires": 4_102_444_800_000}

asked = Counter[str]()


def provider(request: httpx.Request) -> httpx.Response:
    if "idempotency-key" not in request.headers:
        return httpx.Response(200, json=TOKEN)
    key = request.headers["idempotency-key"]
    asked[key] += 1
    return httpx.Response(201, json={"victor_payment_request_id": f"rfp-{key}", "status": "created"})


with Victor(VictorOAuth("id-1", "not-a-real-secret"), transport=httpx.MockTransport(provider)) as victor:
    rows = [
        {
            "invoice_no": str(number),
            "payee_account_number": "917364550218",
            "payer_counterparty_id": "aHeq349838",
            "amount": "44.23",
            "biller_type": "BUSINESS",
            "due_date": "today",
        }
        for number in range(20)
    ]
    sender = BulkSender(
        victor, batch="march", key_column="invoice_no", storage_key="a secret for tests, of some length"
    )
    for _ in range(2):
        status = sender.send(rows)
        assert status.exit_status == 0, status
assert len(asked) == 20
assert set(asked.values()) == {1}
