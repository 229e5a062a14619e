"""No extra: a request is created once, and what needs an extra names it."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa

import victor_ext
from victor_ext import Victor, VictorJwt

assert Path(victor_ext.__file__).is_relative_to(sys.prefix), victor_ext.__file__

CREATED = {"victor_payment_request_id": "rfp-1", "status": "created"}
NEEDS = {f"victor_ext.{extra}": extra for extra in ("bulk", "outbox", "sandbox", "spec")}

keys: list[str] = []


def provider(request: httpx.Request) -> httpx.Response:
    keys.append(request.headers["idempotency-key"])
    return httpx.Response(503) if len(keys) == 1 else httpx.Response(201, json=CREATED)


private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
with Victor(VictorJwt("key-for-tests", private_key), transport=httpx.MockTransport(provider)) as victor:
    created = victor.payment_requests.create(
        payee_account_number="917364550218",
        payer_counterparty_id="aHeq349838",
        amount="44.23",
        biller_type="BUSINESS",
        due_date=victor.provider_time().moment.date(),
    )
assert created.id == "rfp-1"
assert len(keys) == 2
assert len(set(keys)) == 1

for module, extra in NEEDS.items():
    told = ""
    try:
        importlib.import_module(module)
    except ImportError as error:
        told = str(error)
    assert f"pip install 'victor-ext[{extra}]'" in told, (module, told)
