"""A newer document brings its news to the caller, with no code touched by hand."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from victor_ext import AsyncVictor, RetryPolicy, UnreadableResponse, Victor, VictorOAuth
from victor_ext.spec.check import check
from victor_ext.spec.generate import generate

pytestmark = pytest.mark.thorough
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
  /v2/sweep:
    get:
      operationId: listSweeps
      responses:
        '200':
          description: The sweeps of today.
          content:
            application/json:
              schema: {type: array, items: {$ref: '#/components/schemas/Sweep'}}
    post:
      operationId: startSweep
      parameters:
      - {in: header, name: Idempotency-Key, schema: {type: string}}
      responses:
        '204': {description: Started.}
  /v2/sweep/count:
    get:
      operationId: countSweeps
      responses:
        '200': {description: How many., content: {application/json: {schema: {type: integer}}}}
  /v2/payment-requests/summary:
    get:
      operationId: summarizePaymentRequests
      responses:
        '200':
          description: A summary at the place of an id.
          content:
            application/json: {schema: {type: object, properties: {waiting: {type: integer}}}}
components:
"""
NEW_SCHEMA = """
  schemas:
    Sweep:
      type: object
      properties:
        swept_at: {type: string, format: date-time}
        account: {type: string}
        total: {type: string}
"""


@pytest.fixture(scope="module")
def newer(victor_yaml: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    text = victor_yaml.read_text(encoding="utf-8")
    for place, news in {
        "\ncomponents:\n": NEW_OPERATION,
        RECEIPT: RECEIPT + NEW_PROPERTY,
        STATUSES: NEW_STATUS,
        "\n  schemas:\n": NEW_SCHEMA,
    }.items():
        assert text.count(place) == 1
        text = text.replace(place, news)
    spec = tmp_path_factory.mktemp("newer") / "newer.yaml"
    spec.write_text(text, encoding="utf-8")
    return spec


@pytest.fixture(scope="module")
def newer_api(newer: Path) -> Iterator[ModuleType]:
    outcome = generate(newer, newer.parent)
    assert outcome.left_out == []
    sys.path.insert(0, str(newer.parent))
    yield importlib.import_module("newer_api")
    sys.path.remove(str(newer.parent))


def test_the_check_counts_the_news(newer: Path, victor_yaml: Path) -> None:
    before, after = check(victor_yaml, None), check(newer, None)
    assert after.problems == []
    assert after.findings.declared - before.findings.declared == {
        "operations": 5, "parameters": 3, "answers": 5, "schemas": 3, "properties": 7, "enum values": 3,
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


# The operations of the newer document through the wrapper's client: they are judged by what the document says of them.

SWEEPS = [{"account": "x-1", "total": "44.23"}, {"account": "x-2", "swept_at": "2026-03-04T05:06:07Z"}]
GOOD: dict[str, tuple[int, Any]] = {
    "GET /v2/sweep": (200, SWEEPS),
    "POST /v2/sweep": (204, None),
    "GET /v2/sweep/count": (200, 2),
    "GET /v2/payment-requests/summary": (200, {"waiting": 3}),
}
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "GET /v2/sweep": ("list_sweeps", {}),
    "POST /v2/sweep": ("start_sweep", {"idempotency_key": "k" * 20}),
    "GET /v2/sweep/count": ("count_sweeps", {}),
    "GET /v2/payment-requests/summary": ("summarize_payment_requests", {}),
}


def plain(value: Any) -> Any:
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value.to_dict() if hasattr(value, "to_dict") else value


class Provider:
    """Wants a token; answers `METHOD /path` with what `answers` has for it, one after the other. The last one stays."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, Any]]] = {operation: [answer] for operation, answer in GOOD.items()}
        self.seen: list[tuple[str, str | None]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v2/auth/token":
            token = {"access_token": "t-1", "token_type": "Bearer", "expires": 4_102_444_800_000}
            return httpx.Response(200, json=token)
        assert request.headers["Authorization"] == "Bearer t-1"
        operation = f"{request.method} {request.url.path}"
        self.seen.append((operation, request.headers.get("Idempotency-Key")))
        answers = self.answers[operation]
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        return httpx.Response(status) if body is None else httpx.Response(status, json=body)


@pytest.fixture
def provider() -> Provider:
    return Provider()


Caller = Callable[[str], Any]


@pytest.fixture(params=["blocking", "awaited"])
def caller(request: pytest.FixtureRequest, newer_api: ModuleType, provider: Provider) -> Caller:
    """Calls one of the operations through `victor.bind(Client)`; returns the generated `Response`."""
    from newer_api.client import Client

    def module(name: str) -> Any:
        return importlib.import_module(f"newer_api.api.default.{name}")

    options: dict[str, Any] = {
        "auth": VictorOAuth("id", "not-a-secret"),
        "transport": httpx.MockTransport(provider),
        "retry": RetryPolicy(max_attempts=2, base=0.0),
    }

    def blocking(operation: str) -> Any:
        name, named = CALLS[operation]
        with Victor(**options) as victor:
            return module(name).sync_detailed(client=victor.bind(Client), **named)

    async def awaited(operation: str) -> Any:
        name, named = CALLS[operation]
        async with AsyncVictor(**options) as victor:
            return await module(name).asyncio_detailed(client=victor.bind(Client), **named)

    return blocking if request.param == "blocking" else lambda operation: asyncio.run(awaited(operation))


@pytest.mark.parametrize("operation", CALLS)
class TestNewOperations:
    def test_what_the_document_declares_is_read(self, caller: Caller, operation: str) -> None:
        found = caller(operation)
        assert (found.status_code, plain(found.parsed)) == GOOD[operation]
        for each in found.parsed if isinstance(found.parsed, list) else [found.parsed]:
            assert type(each).__name__ in {"Sweep", "NoneType", "int", "SummarizePaymentRequestsResponse200"}

    def test_a_failure_is_tried_again_signed_and_with_one_key(
        self, caller: Caller, provider: Provider, operation: str
    ) -> None:
        provider.answers[operation].insert(0, (503, {}))
        assert caller(operation).status_code == GOOD[operation][0]
        assert provider.seen == [(operation, CALLS[operation][1].get("idempotency_key"))] * 2


def test_the_rules_of_the_operations_that_the_wrapper_knows_are_as_strict_as_before(
    newer_api: ModuleType, provider: Provider
) -> None:
    from newer_api.api.payment_requests import create_request_payment, get_payment_request, list_payment_requests
    from newer_api.client import Client

    provider.answers = {
        "GET /v2/payment-requests/p-1": [(200, {"waiting": 3})],
        "GET /v2/payment-requests": [(200, [])],
        "POST /v2/payment-requests/request-payment": [(200, {"status": "created"})],
    }
    options: Any = {"transport": httpx.MockTransport(provider), "retry": RetryPolicy(max_attempts=1)}
    with Victor(VictorOAuth("id", "not-a-secret"), **options) as victor:
        api = victor.bind(Client)
        with pytest.raises(UnreadableResponse, match="none of the expected members"):
            get_payment_request.sync("p-1", client=api)
        with pytest.raises(UnreadableResponse, match="no object"):
            list_payment_requests.sync(client=api)
        body = importlib.import_module("newer_api.models").NewRtpRfpPaymentRequest.from_dict({})
        with pytest.raises(UnreadableResponse, match="no victor_payment_request_id"):
            create_request_payment.sync(client=api, body=body)
