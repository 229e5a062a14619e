import httpx
import pytest
from paying import BOTH, CREATED, URL

from victor_ext import TimedOut


@pytest.mark.parametrize("pay", BOTH)
def test_a_response_of_the_mock_answers_the_call(pay, httpx_mock):
    httpx_mock.add_response(
        url=f"{URL}/v2/payment-requests/request-payment", method="POST", json=CREATED
    )
    assert pay().id == "from-the-mock"


@pytest.mark.httpx_mock(assert_all_requests_were_expected=False)
@pytest.mark.parametrize("pay", BOTH)
def test_without_a_response_nothing_is_sent(pay, httpx_mock):
    with pytest.raises(TimedOut, match="No response can be found for POST request") as raised:
        pay()
    assert (raised.value.outcome, raised.value.attempts) == ("not_sent", 1)


@pytest.mark.parametrize("pay", BOTH)
def test_a_time_out_of_the_mock_leaves_the_outcome_unknown(pay, httpx_mock):
    httpx_mock.add_exception(httpx.ReadTimeout("too late"))
    with pytest.raises(TimedOut) as raised:
        pay()
    assert raised.value.outcome == "unknown"
