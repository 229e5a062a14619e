"""The exception handler for Starlette and FastAPI: what a service answers when a call of its client
failed.
"""

import os
import time

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from tests.programs import python
from tests.providers.victor.adapter import payment
from victor_ext import InvalidRequest, Outcome, RateLimited, VictorError
from victor_ext._event_queue.health import Heartbeat
from victor_ext.asgi import error_response
from victor_ext.providers import velo
from victor_ext.providers.eastpay._records import payment_id_of

KEY = "invoice-1042-0123456789"


@pytest.fixture
def answered(victor):
    """What a service answers whose only route creates a payment request with these changes."""

    def call(**changes):
        asked = {"payer_counterparty_id": "acceptsRfp", "idempotency_key": KEY, **changes}

        def create(_request):
            return JSONResponse(victor.payment_requests.create(**payment(**asked)).to_dict())

        routes = [Route("/", create, methods=["POST"])]
        app = Starlette(routes=routes, exception_handlers={VictorError: error_response})

        return TestClient(app).post("/")

    return call


def response_to(error):
    return anyio.run(error_response, Request({"type": "http"}), error)


def test_a_call_that_works_is_left_alone(answered):
    assert answered().status_code == 200


def test_the_service_answers_wrong_arguments_with_422_and_the_fields(answered):
    answer = answered(ultimate_creditor="Smith & Sons")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [problem["field"] for problem in answer.json()["problems"]] == ["ultimate_creditor"]


@pytest.mark.parametrize("read", [velo.read_notification, payment_id_of])
def test_the_service_answers_an_unreadable_notification_with_400(read):
    with pytest.raises(InvalidRequest) as raised:
        read(b"{}")
    assert response_to(raised.value).status_code == 400


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
def test_the_status_of_the_service_follows_from_the_outcome_of_the_call(
    answered, faults, order, status, outcome
):
    order(faults)
    answer = answered()
    said = answer.json()
    assert (answer.status_code, said["status"]) == (status, status)
    assert (said["outcome"], said["idempotency_key"]) == (outcome, KEY)
    assert "043987673645" not in answer.text


def test_the_providers_wish_to_wait_is_passed_on(answered, faults):
    faults.rate_limit(retry_after=3600)
    answer = answered()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3600")


def test_a_part_of_a_second_is_rounded_up():
    assert response_to(RateLimited("Too many.", retry_after=2.4)).headers["retry-after"] == "3"


@pytest.mark.parametrize(("outcome", "status"), [(Outcome.UNKNOWN, 504), (Outcome.REJECTED, 503)])
def test_a_rate_limit_after_a_lost_response_is_answered_as_unknown(outcome, status):
    """The work may have been done: only 504 says so."""
    assert response_to(RateLimited("Too many.", outcome=outcome)).status_code == status


def test_the_handler_raises_an_error_that_is_no_victor_error():
    with pytest.raises(ZeroDivisionError):
        response_to(ZeroDivisionError())


@pytest.mark.slow
def test_the_import_error_without_starlette_says_what_to_install():
    code = "import sys; sys.modules['starlette'] = None; import victor_ext.asgi"
    ran = python("-c", code)
    line = ran.stderr.splitlines()[-1]
    assert (
        line == "ImportError: victor_ext.asgi needs starlette, which FastAPI brings: pip install "
        "starlette"
    )


def test_a_forked_process_is_not_stalled_as_its_parent_is(monkeypatch):
    """It has the object of the worker, but not the worker."""
    heartbeat = Heartbeat()
    heartbeat.start("outbox.send")
    later, other = time.monotonic() + 1000.0, os.getpid() + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert len([*heartbeat.problems(ready=True)]) == 2
    monkeypatch.setattr(os, "getpid", lambda: other)
    assert (heartbeat.idle, [*heartbeat.problems(ready=True)]) == (0.0, [])
