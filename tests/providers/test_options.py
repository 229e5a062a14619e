"""`with_options(...)`: further members, filters and headers, and other limits, in one way for all
systems.
"""

import re
from contextlib import suppress
from functools import partialmethod

import httpx
import pytest
from victor_api.client import Client

from tests.cases import cases_beside
from tests.providers.running import ONCE
from tests.providers.systems import ARGUMENTS, CLIENTS, called
from victor_ext import ConfigurationError, HeaderKey, InvalidRequest, VictorError, connect

from .test_introspection import methods_of
from .test_operations_table import Recorder, arguments_of, use

WRITES = {
    ("victor", "payment_requests.create"): (
        "payment_details.notes",
        {"payment_details": {"notes": "1"}},
    ),
    ("victor", "payment_requests.accept"): ("Modified-Amount", {"Modified-Amount": "1"}),
    ("victor", "payment_requests.decline"): ("notes", {"notes": "1"}),
    ("velo", "payouts.submit"): ("payoutMemo", {"payoutMemo": "1"}),
    ("velo", "payouts.instruct"): (
        "fxRateDegredationThresholdPercentage",
        {"fxRateDegredationThresholdPercentage": "1"},
    ),
    ("velo", "payees.create"): ("payorId", {"payorId": "1"}),
    ("velo", "source_accounts.fund"): ("amount", {"amount": "1"}),
    ("eastpay", "payments.debit"): ("paymentBrand", {"paymentBrand": "1"}),
    ("eastpay", "payments.refund"): ("paymentType", {"paymentType": "1"}),
    ("flexfactor", "evaluate"): ("billingInformation.city", {"billingInformation": {"city": "1"}}),
    ("flexfactor", "capture"): ("amount", {"amount": "1"}),
    ("flexfactor", "orders.refund"): ("refundMessage", {"refundMessage": "1"}),
    ("flexfactor", "orders.cancel"): ("idempotencyKey", {"idempotencyKey": "1"}),
}
"""Writes, each with the place of a member that it sends itself, or that has an argument which is
left out, and with a body that has it.
"""
READS = {
    ("victor", "payment_requests.list"): "/v2/payment-requests",
    ("velo", "payees.list"): "/v4/payees",
    ("eastpay", "payments.inquire"): "/v3/payments/",
    ("flexfactor", "orders.list"): "/v1/orders",
}
each_write = pytest.mark.parametrize(("system", "name"), WRITES)


def seen(system, name, mode="blocking", provider=None, **options):
    """What a provider sees of a call by a client with these options."""
    provider = provider or Recorder(system)
    try:
        called(system, mode, lambda client: use(name)(client.with_options(**options)), provider)
    except InvalidRequest:
        raise
    except VictorError:
        pass  # it may be no good answer for these arguments
    return provider


@pytest.mark.parametrize(
    ("system", "name", "place", "body"), [(*call, *own) for call, own in WRITES.items()]
)
def test_a_further_member_that_the_write_sends_itself_is_refused_and_nothing_is_sent(
    system, name, place, body
):
    provider = Recorder(system)
    with pytest.raises(InvalidRequest, match=rf"extra_body\.{re.escape(place)} is set already"):
        seen(system, name, provider=provider, extra_body=body)
    assert [each for each in provider.requests if each.method != "GET"] == []


def test_further_members_for_a_write_without_a_body_are_refused():
    with pytest.raises(InvalidRequest, match="withdraw_payout sends no JSON object"):
        seen("velo", "payouts.withdraw", extra_body={"purpose": "RENT"})


@pytest.mark.parametrize(("system", "name"), READS)
def test_a_read_sends_the_filters(system, name):
    extras = {"extra_query": {"purpose": ["a b", 7]}, "extra_body": {"purpose": "RENT"}}
    requests = seen(system, name, **extras).requests
    asked = next(each for each in requests if READS[system, name] in each.url.path)
    assert asked.url.query.decode().endswith("purpose=a%20b&purpose=7")
    assert asked.content == b""


def test_a_filter_is_sent_once_where_somebody_has_wrapped_the_requests_of_httpx(monkeypatch):
    monkeypatch.setattr(httpx.Client, "request", partialmethod(httpx.Client.request))
    (system, name), path = next(iter(READS.items()))
    requests = seen(system, name, extra_query={"purpose": "RENT"}).requests
    asked = next(each for each in requests if path in each.url.path)
    assert asked.url.query.count(b"purpose=") == 1


OWN = {"X-Tenant": "north", "accept": "application/vnd.v2+json"}


@pytest.mark.parametrize(("system", "name"), [*WRITES, *READS])
def test_headers_go_with_the_calls_of_that_client_and_not_with_those_for_its_token(
    system, name, mode
):
    provider = seen(system, name, mode, headers=OWN)
    assert provider.requests
    for each in provider.for_tokens:
        assert "x-tenant" not in each.headers
    for each in provider.requests:
        assert (each.headers["x-tenant"], each.headers["accept"]) == ("north", OWN["accept"])
        assert each.headers["authorization"]


@pytest.mark.parametrize("system", CLIENTS)
def test_the_header_of_the_credentials_cannot_be_set(system):
    words = r"headers\.authorization cannot be set here: the client sets it"
    with pytest.raises(ConfigurationError, match=words):
        CLIENTS[system][0](**ARGUMENTS[system]).with_options(headers={"authorization": "0"})


@pytest.mark.parametrize("system", CLIENTS)
def test_timeouts_and_headers_stay_until_they_are_replaced(system):
    client = CLIENTS[system][0](
        **ARGUMENTS[system], transport=httpx.MockTransport(Recorder(system))
    )
    first = client.with_options(headers={"X-Secret-Name": "0"}, timeout=3.0)
    again = first.with_options(deadline=4.0).api.get_httpx_client()
    assert (again.headers["x-secret-name"], again.timeout) == ("0", httpx.Timeout(3.0))
    for other in (first.with_options(headers=None), client):
        assert "x-secret-name" not in other.api.get_httpx_client().headers


KEY = HeaderKey("Pay-Key", takes_key=lambda _request: True)
CONNECTED = connect(Client, base_url="http://localhost", key=KEY)


@pytest.mark.parametrize("extras", [{"extra_body": {"a": 1}}, {"extra_query": {"a": 1}}])
def test_extra_members_on_a_connected_client_are_refused_with_where_to_put_them(extras):
    with pytest.raises(ConfigurationError, match="set members on the model"):
        CONNECTED.with_options(**extras)


@pytest.mark.parametrize(("headers", "message"), cases_beside(__file__)["headers"], ids=str)
def test_headers_that_cannot_be_sent_are_refused_at_once(headers, message):
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        CONNECTED.with_options(headers=headers)


def test_the_error_for_headers_that_cannot_be_sent_shows_none_of_their_values():
    with pytest.raises(ConfigurationError) as raised:
        CONNECTED.with_options(headers={"X-Api-Key": "not\na-secret", "Host": "not-a-secret"})
    assert "a-secret" not in str(raised.value)
    assert len(raised.value.problems) == 2


@pytest.mark.parametrize("system", CLIENTS)
def test_members_of_with_options_stand_behind_a_methods_own_in_each_body(system):
    bodies = []
    answer = Recorder(system)

    def keep(request):
        if request.method != "GET" and b"RENT" in request.content:
            bodies.append(request.content.decode())
        return answer(request)

    client = CLIENTS[system][0](
        **ARGUMENTS[system], transport=httpx.MockTransport(keep), retry=ONCE, deadline=5.0
    )
    for name, method in methods_of(client.with_options(extra_body={"purpose": "RENT"})).items():
        if not name.endswith("watch"):  # a generator
            with suppress(VictorError):
                method(**arguments_of(method))
    assert len(bodies) >= 3
    ends = ('"purpose":"RENT"}', "&purpose=RENT")
    assert [body for body in bodies if not body.endswith(ends)] == []
