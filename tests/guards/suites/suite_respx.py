import pytest
import respx
from paying import BOTH, CREATED, URL


@respx.mock
@pytest.mark.parametrize("pay", BOTH)
def test_a_route_of_the_mock_answers_the_call(pay):
    route = respx.post(f"{URL}/v2/payment-requests/request-payment").respond(200, json=CREATED)
    assert pay().id == "from-the-mock"
    assert route.call_count == 1


@respx.mock
@pytest.mark.parametrize("pay", BOTH)
def test_without_a_route_nothing_is_sent(pay):
    with pytest.raises(AssertionError, match="not mocked"):
        pay()


@pytest.mark.parametrize("pay", BOTH)
def test_the_httpx_mocker_of_respx_answers_the_call(pay):
    with respx.mock(using="httpx") as router:
        router.post(f"{URL}/v2/payment-requests/request-payment").respond(200, json=CREATED)
        assert pay().id == "from-the-mock"
