"""Extra `outbox`: what is stored with the invoice is sent once."""

from __future__ import annotations

from collections import Counter

import httpx
import sqlalchemy as sa

from victor_ext import Victor, VictorOAuth, idempotency_key_for
from victor_ext.outbox import EntryState, Outbox

TOKEN = {"access_token": "token-for-tests", "token_type": "Bearer", "expires": 4_102_444_800_000}

asked = Counter[str]()


def provider(request: httpx.Request) -> httpx.Response:
    if "idempotency-key" in request.headers:
        asked[request.headers["idempotency-key"]] += 1
        return httpx.Response(201, json={"victor_payment_request_id": "rfp-1", "status": "created"})
    if request.method == "GET":
        return httpx.Response(200, json={"page": 0, "page_size": 1, "results": []})
    return httpx.Response(200, json=TOKEN)


engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
outbox = Outbox(engine)
outbox.create_table()
with Victor(VictorOAuth("id-1", "not-a-real-secret"), transport=httpx.MockTransport(provider)) as victor:
    with engine.begin() as connection:
        outbox.add(
            connection,
            payee_account_number="917364550218",
            payer_counterparty_id="aHeq349838",
            amount="44.23",
            biller_type="BUSINESS",
            due_date=victor.provider_time().moment.date(),
            client_reference_id="INV-1042",
            idempotency_key=idempotency_key_for("invoice", 1042),
        )
    for _ in range(2):
        outbox.send(victor)
assert outbox.counts()[EntryState.SENT] == 1
assert [*asked.values()] == [1]
engine.dispose()
