"""A newer document brings its news to the caller, with no code touched by hand."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from victor_ext.spec.check import check
from victor_ext.spec.generate import generate

RECEIPT = """
    PaymentRequestReceipt:
      description: Details of a request for payment (RfP).
      properties:
"""
NEW_PROPERTY = """        reminded_at:
          type: string
          format: date-time
"""
STATUSES = """
          - created
          - accepted
"""
NEW_STATUS = """
          - created
          - reminded
          - accepted
"""
NEW_OPERATION = """
  /v2/payment-requests/{victor_payment_request_id}/reminders:
    post:
      operationId: remindPayer
      parameters:
      - {in: path, name: victor_payment_request_id, required: true, schema: {type: string}}
      - {in: header, name: Idempotency-Key, schema: {type: string}}
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [text]
              properties: {text: {type: string}, channel: {type: string, enum: [mail, phone]}}
      responses:
        '200':
          description: Sent.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/PaymentRequestReceipt'}
      tags:
      - Payment Requests
components:
"""


@pytest.fixture(scope="module")
def newer(victor_yaml: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    text = victor_yaml.read_text(encoding="utf-8")
    for place, news in {
        "\ncomponents:\n": NEW_OPERATION,
        RECEIPT: RECEIPT + NEW_PROPERTY,
        STATUSES: NEW_STATUS,
    }.items():
        assert text.count(place) == 1
        text = text.replace(place, news)
    spec = tmp_path_factory.mktemp("newer") / "newer.yaml"
    spec.write_text(text, encoding="utf-8")
    return spec


@pytest.fixture(scope="module")
def newer_api(newer: Path) -> Iterator[ModuleType]:
    outcome = generate(newer, newer.parent)
    assert (outcome.problems, outcome.log.left_out) == ([], [])
    sys.path.insert(0, str(newer.parent))
    yield importlib.import_module("newer_api")
    sys.path.remove(str(newer.parent))


def test_the_check_counts_the_news(newer: Path, victor_yaml: Path) -> None:
    before, after = check(victor_yaml, None), check(newer, None)
    assert after.problems == []
    assert after.findings.declared - before.findings.declared == {
        "operations": 1, "parameters": 2, "answers": 1, "schemas": 1, "properties": 3, "enum values": 3,
    }  # fmt: skip


def test_a_new_property_enum_value_and_operation_are_there_to_use(newer_api: ModuleType) -> None:
    from newer_api.api.payment_requests import remind_payer
    from newer_api.client import Client
    from newer_api.models import PaymentRequestReceiptStatus, RemindPayerBody

    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        body: dict[str, Any] = {"status": "REMINDED", "reminded_at": "2026-03-04T05:06:07.089Z"}
        return httpx.Response(200, json=body)

    client = Client(base_url="https://api.example", httpx_args={"transport": httpx.MockTransport(answer)})
    with client:
        found = remind_payer.sync(
            "a/b", client=client, body=RemindPayerBody(text="Please", channel="mail"), idempotency_key="k" * 20
        )
    assert found.status is PaymentRequestReceiptStatus.REMINDED
    assert (found.reminded_at.year, found.reminded_at.microsecond) == (2026, 89_000)
    assert found.to_dict() == {"status": "reminded", "reminded_at": "2026-03-04T05:06:07.089Z"}
    assert seen[0].url.raw_path == b"/v2/payment-requests/a%2Fb/reminders"
    assert seen[0].headers["Idempotency-Key"] == "k" * 20
    assert json.loads(seen[0].content) == {"text": "Please", "channel": "mail"}
