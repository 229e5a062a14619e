"""The exception handler for Starlette and FastAPI: what a service answers when a call of its client
failed.
"""

from typing import Any

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.programs import python
from tests.providers.victor.adapter import payment
from victor_ext import InvalidRequest, Outcome, RateLimited, Victor, VictorError
from victor_ext.asgi import error_response
from victor_ext.providers import velo
from victor_ext.providers.eastpay.records import payment_id_of
from victor_ext.testing import Faults

KEY = "invoice-1042-0123456789"


@pytest.fixture
def answered(victor: Victor) -> Any:
    """What a service answers whose only route creates a payment request with these changes."""
    asked: dict[str, Any] = {}

    def create(_request: Request) -> JSONResponse:
        return JSONResponse(victor.payment_requests.create(**asked).to_dict())

    app = Starlette(
        routes=[Route("/", create, methods=["POST"])],
        exception_handlers={VictorError: error_response},
    )

    def call(**changes: Any) -> httpx.Response:
        asked.update(
            payment(**{"payer_counterparty_id": "acceptsRfp", "idempotency_key": KEY, **changes})
        )

        async def post() -> httpx.Response:
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://service"
            ) as client:
                return await client.post("/")

        return anyio.run(post)

    return call


def test_a_call_that_works_is_left_alone(answered: Any) -> None:
    assert answered().status_code == 200


def test_wrong_arguments_are_named(answered: Any) -> None:
    answer = answered(ultimate_creditor="Smith & Sons")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [problem["field"] for problem in answer.json()["problems"]] == ["ultimate_creditor"]


@pytest.mark.parametrize("read", [velo.read_notification, payment_id_of])
def test_what_is_no_notification_is_no_wrong_argument(read: Any) -> None:
    with pytest.raises(InvalidRequest) as raised:
        read(b"{}")
    assert anyio.run(error_response, Request({"type": "http"}), raised.value).status_code == 400


@pytest.mark.parametrize(
    ("order", "status", "outcome"),
    [
        (lambda faults: faults.down(), 503, "not_sent"),
        (lambda faults: faults.lose_answer(times=None), 504, "unknown"),
        (lambda faults: faults.status(401, times=None), 502, "rejected"),
        (lambda faults: faults.status(404), 404, "rejected"),
        (lambda faults: faults.status(409), 409, "unknown"),
        (lambda faults: faults.status(400), 502, "rejected"),
    ],
)
def test_the_status_says_what_is_known(
    answered: Any, faults: Faults, order: Any, status: int, outcome: str
) -> None:
    order(faults)
    answer = answered()
    said = answer.json()
    assert (answer.status_code, said["status"]) == (status, status)
    assert (said["outcome"], said["idempotency_key"]) == (outcome, KEY)
    assert "043987673645" not in answer.text


def test_the_providers_wish_to_wait_is_passed_on_rounded_up(answered: Any, faults: Faults) -> None:
    faults.rate_limit(retry_after=3600)
    answer = answered()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3600")
    answer = anyio.run(
        error_response, Request({"type": "http"}), RateLimited("Too many.", retry_after=2.4)
    )
    assert answer.headers["retry-after"] == "3"


def test_a_limit_after_a_lost_response_is_no_refusal() -> None:
    """The work may have been done: only 504 says so."""
    for outcome, status in ((Outcome.UNKNOWN, 504), (Outcome.REJECTED, 503)):
        error = RateLimited("Too many.", outcome=outcome)
        answer = anyio.run(error_response, Request({"type": "http"}), error)
        assert answer.status_code == status


def test_another_error_is_none_of_its_own() -> None:
    with pytest.raises(ZeroDivisionError):
        anyio.run(error_response, Request({"type": "http"}), ZeroDivisionError())


@pytest.mark.slow
def test_what_to_install_is_said_in_a_line() -> None:
    code = "import sys; sys.modules['starlette'] = None; import victor_ext.asgi"
    ran = python("-c", code)
    line = ran.stderr.splitlines()[-1]
    assert (
        line == "ImportError: victor_ext.asgi needs starlette, which FastAPI brings: pip install "
        "starlette"
    )
