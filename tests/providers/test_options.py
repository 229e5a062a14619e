"""`with_options(...)`: further members, filters and headers, and other limits, in one way for all
systems.
"""

import json
import re
from functools import reduce
from operator import attrgetter
from typing import Any

import httpx
import pytest
from victor_api.client import Client

from tests.cases import cases_beside
from tests.contracts.contract import ONCE
from tests.providers.running import is_for_token, run
from tests.providers.systems import ARGUMENTS, CLIENTS
from victor_ext import ConfigurationError, HeaderKey, InvalidRequest, connect

from .test_operations_table import Recorder, use

WRITES = {
    ("victor", "payment_requests.create"): ("payment_details", "notes"),
    ("victor", "payment_requests.accept"): ("Modified-Amount",),
    ("velo", "payouts.submit"): ("payoutMemo",),
    ("velo", "payees.create"): ("payorId",),
    ("velo", "source_accounts.fund"): ("amount",),
    ("eastpay", "payments.debit"): ("paymentBrand",),
    ("eastpay", "payments.refund"): ("paymentType",),
    ("flexfactor", "evaluate"): ("billingInformation", "city"),
    ("flexfactor", "capture"): ("amount",),
    ("flexfactor", "orders.refund"): ("refundMessage",),
    ("flexfactor", "orders.cancel"): ("idempotencyKey",),
}
"""Writes, each with the place of a member that it sends itself, or that has an argument which is
left out.
"""
READS = {
    ("victor", "payment_requests.list"): "/v2/payment-requests",
    ("velo", "payees.list"): "/v4/payees",
    ("eastpay", "payments.inquire"): "/v3/payments/",
    ("flexfactor", "orders.list"): "/v1/orders",
}
writes = pytest.mark.parametrize(("system", "name"), WRITES)


class Kept(Recorder):
    """Keeps the requests, too, those for a token apart."""

    def __init__(self, system: str) -> None:
        super().__init__(system)
        self.requests: list[httpx.Request] = []
        self.for_tokens: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        (self.for_tokens if is_for_token(request) else self.requests).append(request)
        return super().__call__(request)


def called(system: str, name: str, *, awaited: bool = False, **options: Any) -> Kept:
    """What the provider sees of a call by a client with these options."""
    kept = Kept(system)
    settings = {**ARGUMENTS[system], "transport": httpx.MockTransport(kept), "retry": ONCE}
    calls = (lambda client: use(attrgetter(name)(client.with_options(**options))),)
    run(CLIENTS[system][awaited], calls, **settings)
    return kept


def members(request: httpx.Request) -> dict[str, Any]:
    if request.headers["content-type"].startswith("application/json"):
        return json.loads(request.content)
    return dict(httpx.QueryParams(request.content.decode()))


@writes
def test_a_write_sends_the_members_beside_its_own(system: str, name: str) -> None:
    plain, added = (
        next(members(each) for each in reversed(sent.requests) if each.method == "POST")
        for sent in (called(system, name), called(system, name, extra_body={"purpose": "RENT"}))
    )
    for each in (plain, added):
        each.pop("idempotencyKey", None)  # a new one for each call
    assert added == {**plain, "purpose": "RENT"}


@writes
def test_what_it_sends_itself_is_refused_and_nothing_is_sent(system: str, name: str) -> None:
    place, extra = WRITES[system, name], "1"
    body: Any = reduce(lambda inner, part: {part: inner}, reversed(place), extra)
    with pytest.raises(InvalidRequest, match=rf"extra_body\.{'.'.join(place)} is set already"):
        called(system, name, extra_body=body)


@pytest.mark.parametrize(("system", "name"), READS)
def test_a_read_sends_the_filters(system: str, name: str) -> None:
    extras: Any = {"extra_query": {"purpose": ["a b", 7]}, "extra_body": {"purpose": "RENT"}}
    requests = called(system, name, **extras).requests
    asked = next(each for each in requests if READS[system, name] in each.url.path)
    assert asked.url.query.decode().endswith("purpose=a%20b&purpose=7")
    assert asked.content == b""


def test_a_write_without_a_body_says_so() -> None:
    with pytest.raises(InvalidRequest, match="withdraw_payout sends no JSON object"):
        called("velo", "payouts.withdraw", extra_body={"purpose": "RENT"})


def test_a_write_with_an_optional_body_has_one() -> None:
    sent = called("velo", "payouts.instruct", extra_body={"purpose": "RENT"}).requests[-1]
    assert json.loads(sent.content) == {"purpose": "RENT"}
    with pytest.raises(InvalidRequest, match="fxRateDegredationThresholdPercentage is set already"):
        called("velo", "payouts.instruct", extra_body={"fxRateDegredationThresholdPercentage": 400})


def test_a_client_without_methods_says_where_to_put_them() -> None:
    with connect(Client, base_url="https://pay.example") as client:
        for extras in ({"extra_body": {"a": 1}}, {"extra_query": {"a": 1}}):
            with pytest.raises(ConfigurationError, match="set members on the model"):
                client.with_options(**extras)
        assert client.with_options(deadline=5.0, extra_query=None).base_url == client.base_url


OWN = {"X-Tenant": "north", "accept": "application/vnd.v2+json"}


@pytest.mark.parametrize("awaited", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(("system", "name"), [*WRITES, *READS])
def test_headers_go_with_the_calls_of_that_client_alone(
    system: str, name: str, awaited: bool
) -> None:
    kept = called(system, name, awaited=awaited, headers=OWN)
    for each in kept.requests:
        assert (each.headers["x-tenant"], each.headers["accept"]) == ("north", OWN["accept"])
        assert each.headers["authorization"]
    assert not any("x-tenant" in each.headers for each in kept.for_tokens)


@pytest.mark.parametrize("system", CLIENTS)
def test_timeouts_and_headers_stay_until_they_are_replaced(system: str) -> None:
    client = CLIENTS[system][0](**ARGUMENTS[system], transport=httpx.MockTransport(Kept(system)))
    words = r"headers\.authorization cannot be set here: the client sets it"
    with pytest.raises(ConfigurationError, match=words):
        client.with_options(headers={"authorization": "0"})
    first = client.with_options(headers={"X-Secret-Name": "0"}, timeout=3.0)
    again = first.with_options(deadline=4.0).api.get_httpx_client()
    assert (again.headers["x-secret-name"], again.timeout) == ("0", httpx.Timeout(3.0))
    for other in (first.with_options(headers=None), client):
        assert "x-secret-name" not in other.api.get_httpx_client().headers


@pytest.mark.parametrize(("headers", "message"), cases_beside(__file__)["headers"], ids=str)
def test_headers_that_cannot_be_sent_are_refused_at_once(headers: Any, message: str) -> None:
    key = HeaderKey("Pay-Key", takes_key=lambda _request: True)
    refused = pytest.raises(ConfigurationError, match=re.escape(message))
    with connect(Client, base_url="http://localhost", key=key) as client, refused:
        client.with_options(headers=headers)


def test_no_message_shows_a_value() -> None:
    with (
        connect(Client, base_url="http://localhost") as client,
        pytest.raises(ConfigurationError) as raised,
    ):
        client.with_options(headers={"X-Api-Key": "not\na-secret", "Host": "not-a-secret"})
    assert "a-secret" not in str(raised.value)
    assert len(raised.value.problems) == 2
