"""pytest-httpx in front of a client: what has no response, and what raises."""

import httpx
import pytest

from tests.providers.running import Running
from tests.providers.victor.adapter import invoice
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


@pytest.fixture(params=[Victor, AsyncVictor])
def error_of_create(request):
    """What a `create` raises with the attempts of the default policy, without its waits."""

    def create():
        is_awaited = request.param is AsyncVictor
        running = Running(lambda: request.param(AUTH, retry=AT_ONCE), awaited=is_awaited)
        with pytest.raises(VictorError) as raised:
            running.result(lambda: running.client.payment_requests.create(**invoice(1)))
        running.close()
        return raised.value

    return create


@pytest.mark.httpx_mock(assert_all_requests_were_expected=False)
def test_a_request_without_a_response_fails_at_once_in_the_words_of_the_mock(
    error_of_create, httpx_mock
):
    httpx_mock.add_response(url=f"{URL}/of-another", is_optional=True)
    error = error_of_create()
    assert (error.outcome, error.attempts) == (Outcome.NOT_SENT, 1)
    assert f"failed: No response can be found for POST request on {URL}" in str(error)
    assert len(httpx_mock.get_requests()) == 1


def test_a_time_out_of_the_mock_is_a_lost_response(error_of_create, httpx_mock):
    httpx_mock.add_exception(httpx.ReadTimeout("too late"), is_reusable=True)
    error = error_of_create()
    assert isinstance(error, TimedOut)
    assert (error.outcome, error.attempts) == (Outcome.UNKNOWN, 6)
    assert len({each.headers["idempotency-key"] for each in httpx_mock.get_requests()}) == 1
