"""A merchant with a sync or async client of FlexFactor, and a transport with scripted responses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from victor_ext import RetryPolicy
from victor_ext.providers import Money
from victor_ext.providers.flexfactor import (
    Address,
    AsyncFlexFactor,
    Card,
    FlexFactor,
    FlexFactorAuth,
    Payer,
    Transaction,
)
from victor_ext.sandbox.flexfactor import FlexFactorSandbox

PRICE = Money.of("44.23", "USD")
QUICK = RetryPolicy(base=0.0, max_attempts=3)
MID = "3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71"


def declined(**changes: Any) -> dict[str, Any]:
    """The arguments of an evaluation."""
    return {
        "order_id": "INV-1042",
        "amount": PRICE,
        "transaction": Transaction(
            id="t-1", occurred_at=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC), response_code="05", avs_result="Y"
        ),
        "payer": Payer(email="ada@example.com"),
        "card": Card(token="tok_4242", expiration_month=4, expiration_year=2031, bin="042424", last4="0042"),
        "billing": Address(first_name="Ada", last_name="Lovelace", zip_code="01234", country_code="US"),
        **changes,
    }


@dataclass
class Harness:
    """A merchant with a sync or async client of FlexFactor."""

    sandbox: FlexFactorSandbox
    awaited: bool

    def __post_init__(self) -> None:
        app_key, app_secret, self.mid = self.sandbox.add_client()
        self.auth = FlexFactorAuth(app_key, app_secret)

    def __call__(self, *calls: Callable[[Any], Any], **options: Any) -> Any:
        """Make calls with a client of their own; what the last one returns, or what one raises."""
        settings = {"mid": self.mid, "base_url": self.sandbox.url, "retry": QUICK, "timeout": 5.0, **options}
        if self.awaited:
            return asyncio.run(self._awaited(calls, settings))
        with FlexFactor(self.auth, **settings) as client:
            return [call(client) for call in calls][-1]

    async def _awaited(self, calls: tuple[Callable[[Any], Any], ...], settings: dict[str, Any]) -> Any:
        async with AsyncFlexFactor(self.auth, **settings) as client:
            return [await call(client) for call in calls][-1]

    def walk(self, call: Callable[[Any], Any], **options: Any) -> list[Any]:
        """All items of a list."""

        async def items(client: Any) -> list[Any]:
            return [item async for item in call(client)]

        return self(items if self.awaited else lambda client: list(call(client)), **options)

    def sent(self, operation: str) -> list[Any]:
        """What the sandbox received of an operation."""
        return [each for each in self.sandbox.received() if each.operation == operation]

    def work(self, reference: str) -> int:
        """How often something was done, by the sandbox's own record."""
        return self.sandbox.work_done_by_reference().get(reference, 0)


class Scripted(httpx.BaseTransport):
    """Answers the token, and everything else with one answer; keeps what it was sent."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.authorizations: list[str] = []
        self.tokens = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/v1/oauth2/token"):
            self.tokens += 1
            return httpx.Response(200, json={"accessToken": f"token-{self.tokens}", "expires": 4_102_444_800_000})
        self.requests.append(request)
        self.authorizations.append(request.headers["authorization"])  # the next attempt changes it
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def scripted(*answers: httpx.Response | Exception, **options: Any) -> tuple[FlexFactor, Scripted]:
    """A client of a script, and the script."""
    transport = Scripted(*answers)
    client = FlexFactor(
        FlexFactorAuth("key", "secret"), **{"mid": MID, "retry": QUICK, "transport": transport, **options}
    )
    return client, transport
