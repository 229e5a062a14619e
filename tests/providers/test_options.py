"""`with_options(...)`: further members, filters and headers, and other limits, in one way for all
systems.
"""

import json
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
    """Keeps the requests, too."""

    def __init__(self, system: str) -> None:
        super().__init__(system)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return super().__call__(request)


def called(system: str, name: str, **extras: Any) -> list[httpx.Request]:
    """The requests of a call by a client with these extras."""
    kept = Kept(system)
    with CLIENTS[system][0](
        **ARGUMENTS[system], transport=httpx.MockTransport(kept), retry=ONCE
    ) as client:
        use(attrgetter(name)(client.with_options(**extras)))
    return kept.requests


def members(request: httpx.Request) -> dict[str, Any]:
    if request.headers["content-type"].startswith("application/json"):
        return json.loads(request.content)
    return dict(httpx.QueryParams(request.content.decode()))


@writes
def test_a_write_sends_the_members_beside_its_own(system: str, name: str) -> None:
    plain, more = (
        next(each for each in reversed(called(system, name, **extras)) if each.method == "POST")
        for extras in ({}, {"extra_body": {"purpose": "RENT"}})
    )
    added = members(more)
    assert added.pop("purpose") == "RENT"
    changing = {"idempotencyKey"}  # a new one for each call
    assert {k: v for k, v in added.items() if k not in changing} == {
        k: v for k, v in members(plain).items() if k not in changing
    }


@writes
def test_what_it_sends_itself_is_refused_and_nothing_is_sent(system: str, name: str) -> None:
    extra: Any = "1"
    for part in reversed(WRITES[system, name]):
        extra = {part: extra}
    with pytest.raises(
        InvalidRequest, match=rf"extra_body\.{'.'.join(WRITES[system, name])} is set already"
    ):
        called(system, name, extra_body=extra)


@pytest.mark.parametrize(("system", "name"), READS)
def test_a_read_sends_the_filters(system: str, name: str) -> None:
    [asked, *_] = [
        each
        for each in called(
            system, name, extra_query={"purpose": ["a b", 7]}, extra_body={"purpose": "RENT"}
        )
        if READS[system, name] in each.url.path
    ]
    assert asked.url.query.decode().endswith("purpose=a%20b&purpose=7")
    assert asked.content == b""


def test_a_write_without_a_body_says_so() -> None:
    with pytest.raises(InvalidRequest, match="withdraw_payout sends no JSON object"):
        called("velo", "payouts.withdraw", extra_body={"purpose": "RENT"})


def test_a_write_with_an_optional_body_has_one() -> None:
    *_, sent = called("velo", "payouts.instruct", extra_body={"purpose": "RENT"})
    assert json.loads(sent.content) == {"purpose": "RENT"}
    with pytest.raises(InvalidRequest, match="fxRateDegredationThresholdPercentage is set already"):
        called("velo", "payouts.instruct", extra_body={"fxRateDegredationThresholdPercentage": 400})


@pytest.mark.parametrize("system", CLIENTS)
def test_what_cannot_be_sent_is_refused_at_once(system: str) -> None:
    with CLIENTS[system][0](**ARGUMENTS[system]) as client:
        with pytest.raises(ConfigurationError, match="is a float"):
            client.with_options(extra_body={"new": 1.5})
        with pytest.raises(ConfigurationError, match="must be a dict"):
            client.with_options(extra_query="a=b")
        other = client.with_options(extra_query={"a": 1}).with_options(deadline=5.0)
        assert other._config.extras.query == {"a": 1}
        assert other.with_options(extra_query=None)._config.extras.query is None


def test_a_client_without_methods_says_where_to_put_them() -> None:
    with connect(Client, base_url="https://pay.example") as client:
        for extras in ({"extra_body": {"a": 1}}, {"extra_query": {"a": 1}}):
            with pytest.raises(ConfigurationError, match="set members on the model"):
                client.with_options(**extras)
        assert client.with_options(deadline=5.0, extra_query=None).base_url == client.base_url


OWN = {"X-Tenant": "north", "accept": "application/vnd.v2+json"}


def sent(system: str, name: str, *, awaited: bool = False, **options: Any) -> list[httpx.Request]:
    """The requests of a call with these options, without those for a token, and then of one without
    them.
    """
    kept = Kept(system)
    calls = (
        lambda client: use(attrgetter(name)(client.with_options(**options))),
        lambda client: use(attrgetter(name)(client)),
    )
    run(
        CLIENTS[system][awaited],
        calls,
        **ARGUMENTS[system],
        transport=httpx.MockTransport(kept),
        retry=ONCE,
    )
    return kept.requests


@pytest.mark.parametrize("awaited", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(("system", "name"), [*WRITES, *READS])
def test_headers_go_with_the_calls_of_that_client_alone(
    system: str, name: str, awaited: bool
) -> None:
    requests = [
        each for each in sent(system, name, awaited=awaited, headers=OWN) if not is_for_token(each)
    ]
    with_them = [each for each in requests if each.headers.get("x-tenant") == "north"]
    without = [each for each in requests if "x-tenant" not in each.headers]
    assert with_them
    assert without
    assert len(with_them) + len(without) == len(requests)
    assert {each.headers["accept"] for each in with_them} == {OWN["accept"]}
    assert all(
        each.headers["authorization"] == requests[0].headers["authorization"] for each in with_them
    )


def test_requests_for_a_token_have_none_of_them() -> None:
    tokens = [each for each in sent("velo", "payees.list", headers=OWN) if is_for_token(each)]
    assert tokens
    assert all("x-tenant" not in each.headers for each in tokens)


@pytest.mark.parametrize("system", CLIENTS)
def test_timeouts_and_headers_stay_until_they_are_replaced(system: str) -> None:
    client = CLIENTS[system][0](**ARGUMENTS[system], transport=httpx.MockTransport(Kept(system)))
    with pytest.raises(
        ConfigurationError, match=r"headers\.authorization cannot be set here: the client sets it"
    ):
        client.with_options(headers={"authorization": "0"})
    first = client.with_options(headers={"X-Secret-Name": "0"}, timeout=3.0)
    again = first.with_options(deadline=4.0)
    assert again.api.get_httpx_client().headers["x-secret-name"] == "0"
    assert again.api.get_httpx_client().timeout == httpx.Timeout(3.0)
    assert "x-secret-name" not in first.with_options(headers=None).api.get_httpx_client().headers
    assert "x-secret-name" not in client.api.get_httpx_client().headers


@pytest.mark.parametrize(("headers", "message"), cases_beside(__file__)["headers"], ids=str)
def test_headers_that_cannot_be_sent_are_refused_at_once(headers: Any, message: str) -> None:
    client = connect(
        Client,
        base_url="http://localhost",
        key=HeaderKey("Pay-Key", takes_key=lambda _request: True),
    )
    with client, pytest.raises(ConfigurationError) as raised:
        client.with_options(headers=headers)
    assert message in str(raised.value)


def test_no_message_shows_a_value() -> None:
    with (
        connect(Client, base_url="http://localhost") as client,
        pytest.raises(ConfigurationError) as raised,
    ):
        client.with_options(headers={"X-Api-Key": "not\na-secret", "Host": "not-a-secret"})
    assert "a-secret" not in str(raised.value)
    assert len(raised.value.problems) == 2
