"""Generated operations called directly: a good status that the document does not list is an error of ours."""

from __future__ import annotations

import asyncio
import importlib
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests.frames import HAND_WRITTEN
from tests.providers.test_introspection import ARGUMENTS, CLIENTS
from victor_ext import Outcome, RetryPolicy, UnreadableResponse, VictorError

KEY = "0d8bb6ec-7a83-46ab-8fc5-1f27c0d37e9b"
MID = "3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71"
TOKEN = {"access_token": "t", "accessToken": "t", "token_type": "bearer", "expires": 4_102_444_800_000}
Make = Callable[..., Any]


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
STATUSES = [201, 202, 203, 205, 206, 207, 226, 299]
"""None of them is in any of the four documents for these operations."""


class Provider:
    """Answers every call in the same way, and counts."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(("/token", "/authenticate")):
            return httpx.Response(200, json=TOKEN)
        self.asked += 1
        return httpx.Response(self.answer.status_code, headers=self.answer.headers, content=self.answer.content)


def call(operation: Operation, provider: Provider, *, awaited: bool, detailed: bool) -> Any:
    options = {"transport": httpx.MockTransport(provider), "retry": RetryPolicy(max_attempts=2, base=0.0)}
    if not awaited:
        with operation.clients[0](**operation.options, **options) as client:
            function = operation.module.sync_detailed if detailed else operation.module.sync
            return function(client=client.api, **operation.filled())

    async def run() -> Any:
        async with operation.clients[1](**operation.options, **options) as client:
            function = operation.module.asyncio_detailed if detailed else operation.module.asyncio
            return await function(client=client.api, **operation.filled())

    return asyncio.run(run())


def locals_of_ours(error: BaseException) -> Iterator[dict[str, Any]]:
    """What a traceback with locals shows of the frames of this package."""
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename.startswith(HAND_WRITTEN):
            yield step.tb_frame.f_locals
        step = step.tb_next


ways = pytest.mark.parametrize(("awaited", "detailed"), [(False, False), (False, True), (True, False), (True, True)])


@ways
@pytest.mark.parametrize("operation", [*WRITES, *READS], ids=str)
class TestAGoodStatusThatIsNotDocumented:
    def test_the_document_lists_200(self, operation: Operation, awaited: bool, detailed: bool) -> None:
        provider = Provider(httpx.Response(200, json=operation.answer))
        assert call(operation, provider, awaited=awaited, detailed=detailed) is not None

    @pytest.mark.parametrize("status", STATUSES)
    def test_it_says_what_is_known(self, operation: Operation, awaited: bool, detailed: bool, status: int) -> None:
        provider = Provider(httpx.Response(status, json=operation.answer, headers={"x-request-id": "r-77"}))
        with pytest.raises(VictorError) as raised:
            call(operation, provider, awaited=awaited, detailed=detailed)
        error = raised.value
        assert type(error) is UnreadableResponse
        assert (error.outcome, error.status_code, error.attempts) == (Outcome.ACCEPTED, status, 1)
        assert (error.idempotency_key, error.request_id) == (operation.key, "r-77")
        assert error.body == provider.answer.content
        assert f"HTTP {status}" in str(error)
        assert "not in the provider's document" in str(error)
        assert "043987673645" not in repr(error)
        assert provider.asked == 1
        assert error.request is not None
        if error.request.method != "GET":
            assert (
                "Repeat only with the same key" in str(error) if operation.key else "Do not send it again" in str(error)
            )
        assert pickle.loads(pickle.dumps(error)).outcome is Outcome.ACCEPTED
        assert error.__cause__ is error.__context__ is None
        assert "043987673645" not in repr(list(locals_of_ours(error)))


@ways
@pytest.mark.parametrize("operation", WRITES, ids=str)
@pytest.mark.parametrize("status", [204, 205, 201])
def test_one_without_a_body(operation: Operation, awaited: bool, detailed: bool, status: int) -> None:
    with pytest.raises(UnreadableResponse) as raised:
        call(operation, Provider(httpx.Response(status)), awaited=awaited, detailed=detailed)
    assert (raised.value.outcome, raised.value.idempotency_key) == (Outcome.UNKNOWN, operation.key)
    assert (raised.value.status_code, raised.value.body) == (status, b"")


@ways
@pytest.mark.parametrize("operation", WRITES, ids=str)
@pytest.mark.parametrize(
    ("status", "outcome"), [(300, "unknown"), (304, "unknown"), (402, "rejected"), (418, "rejected"), (599, "unknown")]
)
def test_a_status_that_is_not_good(
    operation: Operation, awaited: bool, detailed: bool, status: int, outcome: str
) -> None:
    with pytest.raises(VictorError) as raised:
        call(operation, Provider(httpx.Response(status, json={})), awaited=awaited, detailed=detailed)
    assert (raised.value.outcome, raised.value.idempotency_key) == (outcome, operation.key)
    assert raised.value.status_code == status


@ways
def test_a_result_in_an_error_status_that_is_not_documented(awaited: bool, detailed: bool) -> None:
    """The gateway may answer so of a payment that is under way."""
    pay = next(operation for operation in WRITES if "eastpay" in operation.name)
    answer = httpx.Response(402, json={"id": "p-1", "result": {"code": "000.200.100", "description": "under way"}})
    with pytest.raises(
        UnreadableResponse, match=r"status 402: under way .* The provider may have executed it"
    ) as raised:
        call(pay, Provider(answer), awaited=awaited, detailed=detailed)
    assert (raised.value.outcome, raised.value.body) == (Outcome.UNKNOWN, answer.content)
