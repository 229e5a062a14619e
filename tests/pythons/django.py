"""Extra `django`: what is stored in a transaction is sent once."""

from __future__ import annotations

from collections import Counter

import django
import httpx
from django.conf import settings
from django.core.management import call_command
from django.db import transaction

from victor_ext import Victor, VictorOAuth, idempotency_key_for

TOKEN = {"access_token": "token-for-tests", "token_type": "Bearer", "expires": 4_102_444_800_000}

asked = Counter[str]()


def provider(request: httpx.Request) -> httpx.Response:
    if "idempotency-key" in request.headers:
        asked[request.headers["idempotency-key"]] += 1
        return httpx.Response(201, json={"victor_payment_request_id": "rfp-1", "status": "created"})
    if request.method == "GET":
        return httpx.Response(200, json={"page": 0, "page_size": 1, "results": []})
    return httpx.Response(200, json=TOKEN)


database = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
settings.configure(INSTALLED_APPS=["victor_ext.outbox.django"], DATABASES={"default": database})
django.setup()
call_command("migrate", verbosity=0)

from victor_ext.outbox.django import DjangoOutbox  # noqa: E402 - as the code of a project does, once Django is set up

outbox = DjangoOutbox()
with Victor(VictorOAuth("id-1", "not-a-real-secret"), transport=httpx.MockTransport(provider)) as victor:
    with transaction.atomic():
        outbox.add(
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
assert [entry.state for entry in outbox.entries()] == ["sent"]
assert [*asked.values()] == [1]
