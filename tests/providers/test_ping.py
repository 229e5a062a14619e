"""`ping()`: what one signed read tells, on each system that has one which needs no id."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from tests.providers.test_introspection import ARGUMENTS, CLIENTS, GUID
from victor_ext import AuthenticationError, Ping, RetryPolicy, Victor
from victor_ext.providers import FlexFactor, FlexFactorAuth, Velo, VeloAuth
from victor_ext.sandbox import Sandbox
from victor_ext.sandbox.flexfactor import FlexFactorSandbox
from victor_ext.sandbox.velo import VeloSandbox

READS = {
    "victor": "/v2/payment-requests?page=0&page_size=1",
    "velo": "/v3/sourceAccounts?pageSize=1",
    "flexfactor": f"/v1/orders?mid={GUID}&pageSize=1",
}
each_system = pytest.mark.parametrize("system", READS)


class Provider:
    """A provider of any system: it issues a token, and has an empty list.

    Args:
        ahead: Seconds by which its clock is ahead. None: it does not tell its time.
        status: Of its answers.
        body: Of its lists.
    """

    def __init__(self, ahead: float | None = 0, status: int = 200, body: object = None) -> None:
        self.ahead, self.status = ahead, status
        self.body = {"results": [], "content": [], "data": []} if body is None else body
        self.reads: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        headers = {}
        if self.ahead is not None:
            headers["Date"] = format_datetime(datetime.now(UTC) + timedelta(seconds=self.ahead), usegmt=True)
        if request.method == "POST":
            body = {"token": "t", "access_token": "t", "token_type": "Bearer", "accessToken": "t"}
            body_of_token: dict[str, Any] = {**body, "expires": 4_000_000_000_000, "expires_in": 1800}
            return httpx.Response(200, json=body_of_token, headers=headers)
        self.reads.append(request)
        return httpx.Response(self.status, json=self.body, headers=headers)


def client_of(system: str, provider: Provider, *, awaited: bool = False) -> Any:
    made: Any = CLIENTS[system][awaited]
    return made(**ARGUMENTS[system], transport=httpx.MockTransport(provider), retry=RetryPolicy(base=0.0))


@each_system
def test_it_is_one_signed_read_of_one_item(system: str) -> None:
    provider = Provider()
    with client_of(system, provider) as client:
        ping = client.ping()
    assert isinstance(ping, Ping)
    assert (ping.response_info.status_code, ping.response_info.attempts, ping.clock_offset) == (200, 1, 0.0)
    assert 0 < ping.seconds < 5
    (read,) = provider.reads
    assert (read.method, read.url.raw_path.decode()) == ("GET", READS[system])
    assert read.headers["Authorization"]


@each_system
def test_awaited_it_tells_the_same(system: str) -> None:
    async def main() -> Ping:
        async with client_of(system, Provider(600), awaited=True) as client:
            result: Ping = await client.ping()
            return result

    result = asyncio.run(main())
    assert result.clock_offset is not None
    assert abs(result.clock_offset - 600) <= 2


@pytest.mark.parametrize(("ahead", "offset"), [(-600, -600), (None, None)])
def test_the_difference_of_the_clocks(ahead: int | None, offset: int | None) -> None:
    with client_of("victor", Provider(ahead)) as victor:
        result = victor.ping().clock_offset
    assert (result is None) == (offset is None)
    if result is not None and offset is not None:
        assert abs(result - offset) <= 2


@each_system
def test_credentials_that_are_not_accepted(system: str) -> None:
    with client_of(system, Provider(status=401)) as client, pytest.raises(AuthenticationError):
        client.ping()


def test_the_sandboxes_take_it(victor_sandbox: Sandbox, victor: Victor) -> None:
    assert victor.ping().response_info.status_code == 200
    assert victor_sandbox.received()[0].path.startswith("/v2/payment-requests")
    with VeloSandbox() as velo_sandbox:
        auth = VeloAuth(*velo_sandbox.add_key())
        with Velo(auth, base_url=velo_sandbox.url) as velo:
            assert velo.ping().response_info.status_code == 200
    with FlexFactorSandbox() as flexfactor_sandbox:
        app_key, app_secret, mid = flexfactor_sandbox.add_client()
        with FlexFactor(FlexFactorAuth(app_key, app_secret), mid=mid, base_url=flexfactor_sandbox.url) as flexfactor:
            assert flexfactor.ping().response_info.status_code == 200


def test_a_system_without_such_a_read_has_none() -> None:
    # EastPay's only read is that of one payment, by its id.
    assert not any(hasattr(client, "ping") for client in CLIENTS["eastpay"])
