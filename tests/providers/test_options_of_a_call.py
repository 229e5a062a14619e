"""`with_options(headers=..., timeout=..., deadline=...)`: for one call, on all four systems and with `connect`."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from victor_api.client import Client

from tests.contracts.contract import ONCE
from victor_ext import ConfigurationError, HeaderKey, connect

from .test_extras_of_all_systems import READS, WRITES, Kept
from .test_introspection import ARGUMENTS, CLIENTS
from .test_operations_table import arguments_of, use, use_awaited

OWN = {"X-Tenant": "north", "accept": "application/vnd.v2+json"}


def sent(system: str, name: str, *, awaited: bool = False, **options: Any) -> list[httpx.Request]:
    """The requests of a call with these options, without those for a token, and then of one without them."""
    kept = Kept(system)
    client = CLIENTS[system][awaited](**ARGUMENTS[system], transport=httpx.MockTransport(kept), retry=ONCE)
    for each in (client.with_options(**options), client):
        method: Any = each
        for part in name.split("."):
            method = getattr(method, part)
        if awaited:
            asyncio.run(use_awaited(each, method, arguments_of(method)))
        else:
            use(method, arguments_of(method))
    return kept.requests


@pytest.mark.parametrize("awaited", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(("system", "name"), [*WRITES, *READS])
def test_headers_go_with_the_calls_of_that_client_alone(system: str, name: str, awaited: bool) -> None:
    requests = [each for each in sent(system, name, awaited=awaited, headers=OWN) if not _for_token(each)]
    with_them = [each for each in requests if each.headers.get("x-tenant") == "north"]
    without = [each for each in requests if "x-tenant" not in each.headers]
    assert with_them
    assert without
    assert len(with_them) + len(without) == len(requests)
    assert {each.headers["accept"] for each in with_them} == {OWN["accept"]}
    assert all(each.headers["authorization"] == requests[0].headers["authorization"] for each in with_them)


def _for_token(request: httpx.Request) -> bool:
    return any(word in request.url.path for word in ("token", "authenticate"))


def test_requests_for_a_token_have_none_of_them() -> None:
    tokens = [each for each in sent("velo", "payees.list", headers=OWN) if _for_token(each)]
    assert tokens
    assert all("x-tenant" not in each.headers for each in tokens)


SYSTEMS = pytest.mark.parametrize("system", CLIENTS)


@SYSTEMS
@pytest.mark.parametrize("headers", [{"X-Secret-Name": "0"}, {"authorization": "0"}], ids=str)
def test_timeouts_and_headers_stay_until_they_are_replaced(system: str, headers: Any) -> None:
    client = CLIENTS[system][0](**ARGUMENTS[system], transport=httpx.MockTransport(Kept(system)))
    if "authorization" in headers:
        with pytest.raises(ConfigurationError, match=r"headers\.authorization cannot be set here: the credentials"):
            client.with_options(headers=headers)
        return
    first = client.with_options(headers=headers, timeout=3.0)
    again = first.with_options(deadline=4.0)
    assert again.api.get_httpx_client().headers["x-secret-name"] == "0"
    assert again.api.get_httpx_client().timeout == httpx.Timeout(3.0)
    assert "x-secret-name" not in first.with_options(headers=None).api.get_httpx_client().headers
    assert "x-secret-name" not in client.api.get_httpx_client().headers


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ("X-Tenant: north", "headers must be a dict of names and values, not str"),
        ({"X Tenant": "1"}, "headers: 'X Tenant' is not a name of a header"),
        ({1: "1"}, "headers: 1 is not a name of a header"),
        ({"X-Tenant": 1}, "headers.X-Tenant must be text, not"),
        ({"X-Tenant": "a\r\nX-Other: b"}, "headers.X-Tenant cannot be sent: it holds a line break"),
        ({"X-Tenant": ""}, "headers.X-Tenant cannot be sent: it is empty"),
        ({"X-Tenant": "münchen"}, "headers.X-Tenant cannot be sent: it holds a character beyond ASCII"),
        ({"Content-Length": "1"}, "headers.Content-Length cannot be set here: it belongs to the connection"),
        ({"Pay-Key": "1"}, "headers.Pay-Key cannot be set here: pass idempotency_key to the call"),
        ({"User-Agent": "x"}, "headers.User-Agent cannot be set here: pass user_agent to the client"),
    ],
    ids=str,
)
def test_what_cannot_be_sent_is_refused_at_once(headers: Any, message: str) -> None:
    client = connect(Client, base_url="http://localhost", key=HeaderKey("Pay-Key"))
    with client, pytest.raises(ConfigurationError) as raised:
        client.with_options(headers=headers)
    assert message in str(raised.value)


def test_no_message_shows_a_value() -> None:
    with connect(Client, base_url="http://localhost") as client, pytest.raises(ConfigurationError) as raised:
        client.with_options(headers={"X-Api-Key": "not\na-secret", "Host": "not-a-secret"})
    assert "a-secret" not in str(raised.value)
    assert len(raised.value.problems) == 2
