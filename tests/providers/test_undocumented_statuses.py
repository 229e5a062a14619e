"""Generated operations called directly: a good status that the document does not list is an error of ours."""

from __future__ import annotations

import importlib
import pickle
import re
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests.frames import HAND_WRITTEN, locals_of
from tests.providers.running import Script, run
from tests.providers.systems import ARGUMENTS, CLIENTS
from victor_ext import Outcome, RetryPolicy, UnreadableResponse, VictorError

KEY = "0d8bb6ec-7a83-46ab-8fc5-1f27c0d37e9b"


@dataclass(frozen=True)
class Operation:
    """A generated operation of a system, and a good answer to it."""

    name: str
    clients: tuple[Any, Any]
    options: dict[str, Any]
    arguments: dict[str, Any]
    answer: dict[str, Any]
    key: str | None = None
    body: tuple[str, dict[str, Any]] | None = None

    def __str__(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def module(self) -> ModuleType:
        return importlib.import_module(self.name)

    def filled(self) -> dict[str, Any]:
        """The arguments, with the body as a model."""
        if self.body is None:
            return self.arguments
        model, values = self.body
        made = getattr(importlib.import_module(f"{self.name.partition('.')[0]}.models"), model).from_dict(values)
        return {**self.arguments, "body": made}


VICTOR, VELO, EASTPAY, FLEXFACTOR = (
    {"clients": CLIENTS[name], "options": ARGUMENTS[name]} for name in ("victor", "velo", "eastpay", "flexfactor")
)
WRITES = (
    Operation(
        "victor_api.api.payment_requests.create_request_payment", **VICTOR, key=KEY,
        arguments={"idempotency_key": KEY},
        body=("NewRtpRfpPaymentRequest", {
            "payee": {"account_number": "043987673645"}, "payer": {"victor_counterparty_id": "aHeq349838"},
            "payment_details": {"amount": "44.23", "biller_type": "BUSINESS", "due_date": "2026-03-04"},
        }),
        answer={
            "victor_payment_request_id": "a7ffd43c37c1", "status": "created",
            "payment_request": {"payee": {"account_number": "043987673645"}},
        },
    ),
    Operation(
        "victor_api.api.payment_requests.respond_to_payment_request", **VICTOR,
        arguments={"victor_payment_request_id": "b34783af0"},
        body=("RfpInboundPaymentRequestResponseRequestDetails", {"status": "Accepted", "notes": "Thanks."}),
        answer={"victor_payment_request_id": "b34783af0", "status": "Accepted"},
    ),
    Operation(
        "velo_api.api.payouts.quote_payout", **VELO, arguments={"payout_id": "0f9d2f1c-3d1f-4f0a-9a43-5b0c7a5e8e77"},
        answer={"fxSummaries": [], "correlationId": "r-77"},
    ),
    Operation(
        "flexfactor_api.api.payments.evaluate", **FLEXFACTOR, key=KEY, arguments={},
        body=("EvaluateRequest", {"idempotencyKey": KEY, "orderId": "INV-1042"}),
        answer={"status": "APPROVED", "success": True, "orderId": "o-1"},
    ),
    Operation(
        "eastpay_api.api.payments.create_payment", **EASTPAY, arguments={},
        body=("PaymentForm", {"amount": "92.00", "currency": "EGP"}),
        answer={"id": "p-1", "result": {"code": "000.000.000", "description": "done"}},
    ),
)  # fmt: skip
READS = (
    Operation(
        "victor_api.api.payment_requests.get_payment_request", **VICTOR,
        arguments={"victor_payment_request_id": "a7ffd43c37c1"},
        answer={"victor_payment_request_id": "a7ffd43c37c1", "status": "Pending"},
    ),
)  # fmt: skip
STATUSES = [201, 202, 205, 206, 299]
"""None of them is in any of the four documents for these operations."""


def call(operation: Operation, answer: httpx.Response, way: str) -> tuple[Any, Script]:
    """What a call in a way comes to: what it returns, or what it raises."""
    script, function = Script(answer), getattr(operation.module, way)
    kind = operation.clients[way.startswith("asyncio")]
    options = {**operation.options, "transport": script.transport, "retry": RetryPolicy(max_attempts=2, base=0.0)}
    try:
        return run(kind, lambda client: function(client=client.api, **operation.filled()), **options), script
    except VictorError as error:
        return error, script


ways = pytest.mark.parametrize("way", ["sync", "sync_detailed", "asyncio", "asyncio_detailed"])


@ways
@pytest.mark.parametrize("operation", [*WRITES, *READS], ids=str)
def test_a_good_status_that_is_not_documented_says_what_is_known(operation: Operation, way: str) -> None:
    documented, _ = call(operation, httpx.Response(200, json=operation.answer), way)
    assert documented is not None and not isinstance(documented, VictorError)
    for status in STATUSES:
        answer = httpx.Response(status, json=operation.answer, headers={"x-request-id": "r-77"})
        error, script = call(operation, answer, way)
        assert type(error) is UnreadableResponse
        assert (error.outcome, error.status_code, error.attempts) == (Outcome.ACCEPTED, status, 1)
        assert (error.idempotency_key, error.request_id, error.body) == (operation.key, "r-77", answer.content)
        assert f"HTTP {status}" in str(error)
        assert "not in the provider's document" in str(error)
        assert len(script.requests) == 1
        if error.request.method != "GET":
            advice = "Repeat only with the same key" if operation.key else "Do not send it again"
            assert advice in str(error)
        assert pickle.loads(pickle.dumps(error)).outcome is Outcome.ACCEPTED
        assert error.__cause__ is error.__context__ is None
        assert "043987673645" not in repr(error) + repr([*locals_of(error, (HAND_WRITTEN,))])


@ways
@pytest.mark.parametrize("operation", WRITES, ids=str)
def test_one_without_a_body_and_a_status_that_is_not_good(operation: Operation, way: str) -> None:
    for status in (204, 205, 201):
        error, _ = call(operation, httpx.Response(status), way)
        assert type(error) is UnreadableResponse
        assert (error.outcome, error.idempotency_key) == (Outcome.UNKNOWN, operation.key)
        assert (error.status_code, error.body) == (status, b"")
    for status, outcome in ((300, "unknown"), (304, "unknown"), (402, "rejected"), (418, "rejected"), (599, "unknown")):
        error, _ = call(operation, httpx.Response(status, json={}), way)
        assert (error.outcome, error.idempotency_key, error.status_code) == (outcome, operation.key, status)


@ways
@pytest.mark.parametrize("operation", WRITES, ids=str)
def test_an_error_beside_a_good_answer_is_no_success(operation: Operation, way: str) -> None:
    for said in ({"error": {"code": 101}}, {"errors": ["no"]}):
        error, _ = call(operation, httpx.Response(200, json={**operation.answer, **said}), way)
        assert type(error) is UnreadableResponse
        assert (error.outcome, error.idempotency_key) == (Outcome.UNKNOWN, operation.key)


@ways
def test_a_result_in_an_error_status_that_is_not_documented(way: str) -> None:
    """The gateway may answer so of a payment that is under way."""
    pay = next(operation for operation in WRITES if "eastpay" in operation.name)
    answer = httpx.Response(402, json={"id": "p-1", "result": {"code": "000.200.100", "description": "under way"}})
    error, _ = call(pay, answer, way)
    assert re.search("status 402: under way .* The provider may have executed it", str(error))
    assert (type(error), error.outcome, error.body) == (UnreadableResponse, Outcome.UNKNOWN, answer.content)
