import pytest
from paying import CREATED, URL
from paying_over_httpx2 import ALL


@pytest.mark.parametrize("pay", ALL)
def test_a_route_of_the_mock_answers_the_call(pay, httpx2_mock):
    route = httpx2_mock.post(f"{URL}/v2/payment-requests/request-payment").respond(
        200, json=CREATED
    )
    assert pay().id == "from-the-mock"
    assert route.call_count == 1


@pytest.mark.parametrize("pay", ALL)
def test_without_a_route_nothing_is_sent(pay, httpx2_mock):
    with pytest.raises(AssertionError, match="not mocked"):
        pay()
