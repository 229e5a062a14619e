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

from victor_ext import RetryPolicy, UnreadableResponse, Victor, VictorOAuth
from victor_ext.spec.checking.check import check
from victor_ext.spec.document import load
from victor_ext.spec.generate import generate

from .wire import TEXT, Tree, an_object, answering, done, listed, parameter, ref, taking

pytestmark = pytest.mark.thorough
AT: Tree = {"type": "string", "format": "date-time"}
NUMBER: Tree = {"type": "integer"}
KEY = parameter("Idempotency-Key", "header")
REMINDER = an_object(("text",), text=TEXT, channel={"type": "string", "enum": ["mail", "phone"]})
PATHS: Tree = {
    "/v2/payment-requests/{victor_payment_request_id}/reminders": {
        "post": answering(
            ref("PaymentRequestReceipt"),
            operationId="remindPayer",
            tags=["Payment Requests"],
            parameters=[parameter("victor_payment_request_id", "path"), KEY],
            requestBody=taking(REMINDER),
        )
    },
    "/v2/sweep": {
        "get": answering(listed(ref("Sweep")), operationId="listSweeps"),
        "post": done("startSweep", parameters=[KEY]),
    },
    "/v2/sweep/count": {"get": answering(NUMBER, operationId="countSweeps")},
    # At the place of an id.
    "/v2/payment-requests/summary": {
        "get": answering(an_object(waiting=NUMBER), operationId="summarizePaymentRequests")
    },
}


@pytest.fixture(scope="module")
def newer(victor_yaml: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = load(victor_yaml)
    tree["paths"] |= PATHS
    schemas = tree["components"]["schemas"]
    schemas["Sweep"] = an_object(swept_at=AT, account=TEXT, total=TEXT)
    receipt = schemas["PaymentRequestReceipt"]["properties"]
    receipt["reminded_at"] = AT
    receipt["status"]["enum"].append("reminded")
    spec = tmp_path_factory.mktemp("newer") / "newer.json"
    spec.write_text(json.dumps(tree), encoding="utf-8")
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


# Through the wrapper's client, which judges an operation that it does not know by what the document says of it: more in
# `tests/providers/test_new_operations.py`.

SWEEPS = [{"account": "x-1", "total": "44.23"}, {"account": "x-2", "swept_at": "2026-03-04T05:06:07Z"}]
GOOD: dict[str, tuple[str, int, Any]] = {
    "list_sweeps": ("GET /v2/sweep", 200, SWEEPS),
    "start_sweep": ("POST /v2/sweep", 204, None),
    "count_sweeps": ("GET /v2/sweep/count", 200, 2),
    "summarize_payment_requests": ("GET /v2/payment-requests/summary", 200, {"waiting": 3}),
}


def plain(value: Any) -> Any:
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value.to_dict() if hasattr(value, "to_dict") else value


def bound(**answers: tuple[str, int, Any]) -> Any:
    """The newer package's client on that of the wrapper, for a provider that has one answer for each operation."""
    by_operation = {operation: answer for operation, *answer in answers.values()}
    token = {"access_token": "t-1", "token_type": "Bearer", "expires": 4_102_444_800_000}

    def answered(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v2/auth/token":
            return httpx.Response(200, json=token)
        assert request.headers["Authorization"] == "Bearer t-1"
        status, body = by_operation[f"{request.method} {request.url.path}"]
        return httpx.Response(status) if body is None else httpx.Response(status, json=body)

    from newer_api.client import Client

    options: Any = {"transport": httpx.MockTransport(answered), "retry": RetryPolicy(max_attempts=1)}
    return Victor(VictorOAuth("id", "not-a-secret"), **options).bind(Client)


@pytest.mark.parametrize("name", GOOD)
def test_what_the_newer_document_declares_is_read_through_the_wrappers_client(newer_api: ModuleType, name: str) -> None:
    module: Any = importlib.import_module(f"newer_api.api.default.{name}")
    found = module.sync_detailed(client=bound(**GOOD))
    assert (found.status_code, plain(found.parsed)) == GOOD[name][1:]
    for each in found.parsed if isinstance(found.parsed, list) else [found.parsed]:
        assert type(each).__name__ in {"Sweep", "NoneType", "int", "SummarizePaymentRequestsResponse200"}


def test_the_rules_of_the_operations_that_the_wrapper_knows_are_as_strict_as_before(newer_api: ModuleType) -> None:
    from newer_api.api.payment_requests import create_request_payment, get_payment_request, list_payment_requests

    api = bound(
        get=("GET /v2/payment-requests/p-1", 200, {"waiting": 3}),
        list=("GET /v2/payment-requests", 200, []),
        create=("POST /v2/payment-requests/request-payment", 200, {"status": "created"}),
    )
    with pytest.raises(UnreadableResponse, match="none of the expected members"):
        get_payment_request.sync("p-1", client=api)
    with pytest.raises(UnreadableResponse, match="no object"):
        list_payment_requests.sync(client=api)
    body = importlib.import_module("newer_api.models").NewRtpRfpPaymentRequest.from_dict({})
    with pytest.raises(UnreadableResponse, match="no victor_payment_request_id"):
        create_request_payment.sync(client=api, body=body)
