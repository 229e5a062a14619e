"""The exception handler for Starlette and FastAPI: what a service answers when a call of its client
failed.
"""

import anyio
import httpx
import pytest
from starlette.requests import Request

from tests.payments import payment
from victor_ext import (
    AuthenticationError,
    BadRequest,
    Conflict,
    NotFound,
    Outcome,
    RateLimited,
    VictorError,
)
from victor_ext.asgi import error_response
from victor_ext.providers import velo


def raised_by(call, **arguments):
    with pytest.raises(VictorError) as raised:
        call(**arguments)
    return raised.value


def response_to(error):
    return anyio.run(error_response, Request({"type": "http"}), error)


@pytest.mark.parametrize(
    ("kind", "outcome", "status"),
    [
        (VictorError, "not_sent", 503),
        (VictorError, "unknown", 504),
        (RateLimited, "accepted", 502),
        (BadRequest, "rejected", 502),
        (NotFound, "rejected", 404),
        (Conflict, "unknown", 409),
        (RateLimited, "rejected", 503),
        (RateLimited, "unknown", 504),  # the work may have been done
        (AuthenticationError, "rejected", 502),
    ],
)
def test_the_status_of_the_service_follows_from_the_outcome_of_the_call(kind, outcome, status):
    request = httpx.Request("POST", "https://api.example")
    response = response_to(kind("It failed.", outcome=Outcome(outcome), request=request))
    assert response.status_code == status


def test_the_response_has_the_outcome_the_key_and_the_seconds_to_wait():
    error = RateLimited("Later.", idempotency_key="invoice-1042", retry_after=2.4)
    response = response_to(error)
    assert response.media_type == "application/problem+json"
    assert response.headers["retry-after"] == "3"
    assert b'"outcome":"not_sent","idempotency_key":"invoice-1042"' in response.body


def test_wrong_arguments_are_422_with_their_fields(victor):
    wrong = payment(ultimate_creditor="Smith & Sons")
    response = response_to(raised_by(victor.payment_requests.create, **wrong))
    assert response.status_code == 422
    assert b'"problems":[{"field":"ultimate_creditor"' in response.body


def test_a_webhook_is_answered_with_401_or_400():
    unread = raised_by(velo.read_notification, body=b"{}")
    refused = AuthenticationError("Not from Velo.")
    assert [response_to(error).status_code for error in (refused, unread)] == [401, 400]
