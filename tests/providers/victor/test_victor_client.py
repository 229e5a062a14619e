"""The client as a user has it: what leaves, what comes back, and that its parts hang together."""

import json
from decimal import Decimal

import httpx
import pytest
from victor_api.api.payment_requests import (
    create_request_payment,
    list_payment_requests,
)
from victor_api.models import NewRtpRfpPaymentRequest

import victor_ext
from tests.payments import payment, today, wire_body
from tests.providers.running import QUICK, Script
from tests.providers.victor.adapter import ARGUMENTS
from victor_ext import (
    BadRequest,
    ConfigurationError,
    InvalidRequest,
    Outcome,
    Status,
    Victor,
    idempotency_key_for,
)

DUE = today()
RECEIPT = {
    "victor_payment_request_id": "a7ffd43c37c1",
    "status": "created",
    "direction": "OUTBOUND",
    "client_reference_id": "INV-1042",
    "payment_request": wire_body(),
}
GOOD, BUSY = httpx.Response(200, json=RECEIPT), httpx.Response(503)


def create(victor, **values):
    given = payment(client_reference_id="INV-1042", due_date=DUE, **values)
    return victor.payment_requests.create(**given)


def test_a_create_sends_the_request_and_its_key_and_returns_the_record(run):
    script, key = Script(GOOD), idempotency_key_for("invoice", 1042)
    more = {"ultimate_creditor": "SampleCo Inc.", "notes": "n", "idempotency_key": key}
    made = run(
        script,
        lambda victor: create(
            victor, amount=Decimal("44.230"), amount_modification_allowed=False, **more
        ),
    )
    [request] = script.requests
    url = "https://api.stage.victorfi.com/v2/payment-requests/request-payment"
    assert (request.method, str(request.url)) == ("POST", url)
    expected = wire_body(notes="n", amount_modification_allowed=False)
    expected["payee"]["ultimate_creditor"] = "SampleCo Inc."
    assert json.loads(request.content) == {**expected, "client_reference_id": "INV-1042"}
    agent = f"victor-ext/{victor_ext.__version__} httpx/"
    assert request.headers["user-agent"].startswith(agent)
    assert {
        "idempotency-key": key,
        "authorization": "Bearer t",
        "content-type": "application/json",
        "accept": "application/json",
    }.items() <= dict(request.headers).items()
    assert (made.id, made.status) == ("a7ffd43c37c1", Status.CREATED)
    assert (made.amount, made.idempotency_key) == (Decimal("44.23"), key)


def test_a_create_without_a_key_is_given_one_key_for_all_its_attempts(run):
    script = Script(httpx.ReadTimeout("no answer"), BUSY, GOOD, GOOD)
    first, second = (run(script, create).idempotency_key for _ in range(2))
    assert first != second
    keys = [request.headers["idempotency-key"] for request in script.requests]
    assert keys == [first] * 3 + [second]


def refused(run, body):
    """The error of a create that is refused with this body."""
    with pytest.raises(BadRequest) as raised:
        run(Script(httpx.Response(400, json=body)), create)
    assert raised.value.outcome is Outcome.REJECTED
    return raised.value


def test_problems_of_the_second_shape_are_one_for_each_error(run):
    items = [
        {"objectName": "request", "code": "NotNull", "defaultMessage": "must not be null",
         "codes": ["NotNull.request.dueDateStartDate", "NotNull"]},
        {"objectName": "request", "code": "Size", "arguments": [{}], "field": "notes"},
        {"defaultMessage": "something else"},
    ]  # fmt: skip
    error = refused(run, {"name": {}, "boundProperties": [], "allErrors": items})
    assert [(problem.field, problem.code, problem.message) for problem in error.problems] == [
        ("due_date_start_date", "NotNull", "must not be null"),
        ("notes", "Size", "Size"),
        ("", "", "something else"),
    ]


# The generated operations go through the same loop.


@pytest.fixture
def script():
    return Script(httpx.Response(200, json={"page": 0, "results": []}))


@pytest.fixture
def victor(script):
    with Victor(**ARGUMENTS, transport=script.transport, retry=QUICK) as victor:
        yield victor


@pytest.mark.parametrize("key", ["", "INV-1042", "k" * 129, "two words, and long enough"])
def test_a_generated_create_refuses_a_key_as_create_does(script, victor, key):
    body = NewRtpRfpPaymentRequest.from_dict(RECEIPT["payment_request"])
    with pytest.raises(InvalidRequest, match="Nothing was sent: idempotency_key ") as raised:
        create_request_payment.sync(client=victor.api, body=body, idempotency_key=key)
    assert [problem.field for problem in raised.value.problems] == ["idempotency_key"]
    assert (raised.value.outcome, script.requests) == (Outcome.NOT_SENT, [])


def test_closing_the_client_closes_all_that_was_derived_from_it(script, victor):
    api, other = victor.api, victor.with_options(deadline=5.0)
    victor.close()
    for client in (api, api.with_headers({"X-A": "1"}), other.api, victor.api):
        with pytest.raises(ConfigurationError, match="closed"):
            list_payment_requests.sync(client=client)
    assert script.requests == []
