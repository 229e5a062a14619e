"""respx, pytest-httpx and vcrpy in front of a client that was made without an argument for them:
what has a response, what has none, and what raises.
"""

import json
import socket

import httpx
import pytest
import respx
import vcr
import yaml
from vcr.errors import CannotOverwriteExistingCassetteException

from tests.payments import invoice
from tests.providers.running import Running
from victor_ext import (
    AsyncVictor,
    Outcome,
    RetryPolicy,
    TimedOut,
    Victor,
    VictorError,
    VictorJwt,
)

pytestmark = pytest.mark.slow
AUTH = VictorJwt("key-1", sign=lambda _content: b"not a signature")
AT_ONCE = RetryPolicy(base=0)
URL = "https://api.stage.victorfi.com/v2/payment-requests/request-payment"
CREATED = {"victor_payment_request_id": "from-the-mock", "status": "created"}


@pytest.fixture(params=[Victor, AsyncVictor])
def create(request, monkeypatch):
    """One `create` of a new client, which opens no socket; with the attempts of the default policy,
    without its waits.
    """
    hosts = []

    def look_up(host, *_args, **_named):
        hosts.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "no network here")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    def call():
        is_awaited = request.param is AsyncVictor
        running = Running(lambda: request.param(AUTH, retry=AT_ONCE), awaited=is_awaited)
        try:
            return running.result(lambda: running.client.payment_requests.create(**invoice(1)))
        finally:
            running.close()

    yield call
    assert hosts == []


@respx.mock
def test_respx_responds(create):
    route = respx.post(URL).respond(200, json=CREATED)
    assert create().id == "from-the-mock"
    assert route.call_count == 1


def test_respx_in_front_of_httpx_alone_responds(create):
    with respx.mock(using="httpx") as router:
        route = router.post(URL).respond(200, json=CREATED)
        assert create().id == "from-the-mock"
    assert route.call_count == 1


def test_pytest_httpx_responds(create, httpx_mock):
    httpx_mock.add_response(url=URL, method="POST", json=CREATED)
    assert create().id == "from-the-mock"
    assert len(httpx_mock.get_requests()) == 1


def test_a_cassette_of_vcrpy_responds_and_sends_nothing_else(create, tmp_path):
    response = {
        "status": {"code": 200, "message": "OK"},
        "headers": {"content-type": ["application/json"]},
        "body": {"string": json.dumps(CREATED)},
    }
    exchange = {
        "request": {"method": "POST", "uri": URL, "body": "", "headers": {}},
        "response": response,
    }
    cassette = tmp_path / "payment.yaml"
    cassette.write_text(yaml.dump({"version": 1, "interactions": [exchange]}))
    with vcr.use_cassette(str(cassette), record_mode="none"):
        assert create().id == "from-the-mock"
        with pytest.raises(CannotOverwriteExistingCassetteException):
            create()


@respx.mock
def test_a_request_without_a_route_of_respx_fails_at_once_in_its_words(create):
    with pytest.raises(AssertionError, match="not mocked"):
        create()


@pytest.mark.httpx_mock(assert_all_requests_were_expected=False)
def test_a_request_without_a_response_fails_at_once_in_the_words_of_the_mock(create, httpx_mock):
    httpx_mock.add_response(url=f"{URL}/of-another", is_optional=True)
    with pytest.raises(VictorError) as raised:
        create()
    error = raised.value
    assert (error.outcome, error.attempts) == (Outcome.NOT_SENT, 1)
    assert f"failed: No response can be found for POST request on {URL}" in str(error)
    assert len(httpx_mock.get_requests()) == 1


def test_a_time_out_of_the_mock_is_a_lost_response(create, httpx_mock):
    httpx_mock.add_exception(httpx.ReadTimeout("too late"), is_reusable=True)
    with pytest.raises(TimedOut) as raised:
        create()
    assert (raised.value.outcome, raised.value.attempts) == (Outcome.UNKNOWN, 6)
    keys = {request.headers["idempotency-key"] for request in httpx_mock.get_requests()}
    assert len(keys) == 1
