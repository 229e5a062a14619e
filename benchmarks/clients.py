"""The clients that are measured: one read, one create, and the items of a list, of which three
values are read; and awaited reads, where a client has them.

A client imports its package when it is made: the first answer of a process has that in it.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from typing import Any

Read = Callable[[], Awaitable[object]]
_numbers = itertools.count(1)


def number() -> str:
    """The number of a payment that nobody has asked for, with eight digits."""
    return f"{next(_numbers):05d}001"


class Raw:
    """httpx with `json()`."""

    def __init__(self, url: str) -> None:
        import httpx

        from benchmarks.server import answers

        self._body = answers()["victor"]["body"]
        self._options: Any = {
            "base_url": f"{url}/victor/v2/payment-requests",
            "headers": {"authorization": "Token benchmark"},
        }
        self._client = httpx.Client(**self._options)

    def get(self) -> object:
        return self._client.get(f"/R{number()}").json()

    def create(self) -> object:
        return self._client.post("/request-payment", json=self._body).json()

    def items(self, size: int) -> Iterator[object]:
        for page in itertools.count():
            response = self._client.get("", params={"page": page, "page_size": size})
            for item in response.json()["results"]:
                amount = item["payment_request"]["payment_details"]["amount"]
                yield item["victor_payment_request_id"], item["status"], amount

    @asynccontextmanager
    async def awaited(self) -> AsyncGenerator[Read]:
        import httpx

        async with httpx.AsyncClient(**self._options) as client:

            async def get() -> object:
                return (await client.get(f"/R{number()}")).json()

            yield get


class VictorExt:
    """This package as it comes, with a signed token."""

    def __init__(self, url: str) -> None:
        from tests.payments import payment
        from victor_ext import Victor, VictorJwt

        self._payment = partial(payment, client_reference_id="INV-00001001")
        self._auth = VictorJwt("benchmark", os.environ["BENCHMARK_KEY"].encode())
        self._url = f"{url}/victor"
        self._requests = Victor(self._auth, base_url=self._url).payment_requests

    def get(self) -> object:
        return self._requests.get(f"R{number()}")

    def create(self) -> object:
        return self._requests.create(**self._payment())

    def items(self, size: int) -> Iterator[object]:
        for item in self._requests.list(page_size=size):
            yield item.id, item.status, item.amount

    @asynccontextmanager
    async def awaited(self) -> AsyncGenerator[Read]:
        from victor_ext import AsyncVictor

        async with AsyncVictor(self._auth, base_url=self._url) as client:
            yield lambda: client.payment_requests.get(f"R{number()}")


class Stock:
    """The generated functions of openapi-python-client, over httpx alone."""

    def __init__(self, url: str) -> None:
        from victor_api import AuthenticatedClient, models

        from benchmarks.server import answers

        self._new_client = partial(AuthenticatedClient, f"{url}/victor", "benchmark", "Token")
        self._client = self._new_client()
        self._model = models.NewRtpRfpPaymentRequest
        self._body = answers()["victor"]["body"]

    def get(self) -> object:
        from victor_api.api.payment_requests import get_payment_request

        return get_payment_request.sync(f"R{number()}", client=self._client)

    def create(self) -> object:
        from victor_api.api.payment_requests import create_request_payment

        return create_request_payment.sync(
            client=self._client,
            body=self._model.from_dict(self._body),
            idempotency_key="invoice-1001-0123456789",
        )

    def items(self, size: int) -> Iterator[object]:
        from victor_api.api.payment_requests import list_payment_requests

        for page in itertools.count():
            listed: Any = list_payment_requests.sync(client=self._client, page=page, page_size=size)
            for item in listed.results:
                amount = item.payment_request.payment_details.amount
                yield item.victor_payment_request_id, item.status, amount

    @asynccontextmanager
    async def awaited(self) -> AsyncGenerator[Read]:
        from victor_api.api.payment_requests import get_payment_request

        async with self._new_client() as client:
            yield lambda: get_payment_request.asyncio(f"R{number()}", client=client)


class Stripe:
    """stripe over requests, its default; awaited over httpx."""

    def __init__(self, url: str) -> None:
        stripe: Any = import_module("stripe")
        stripe.enable_telemetry = False
        addresses = {"api": f"{url}/stripe"}
        self._new_client = partial(
            stripe.StripeClient, "sk_test_benchmark", base_addresses=addresses
        )
        self._intents = self._new_client().v1.payment_intents

    def get(self) -> object:
        return self._intents.retrieve(f"pi_{number()}")

    def create(self) -> object:
        return self._intents.create({"amount": 4423, "currency": "usd", "description": "INV-1001"})

    def items(self, size: int) -> Iterator[object]:
        for item in self._intents.list({"limit": size}).auto_paging_iter():
            yield item.id, item.status, item.amount

    @asynccontextmanager
    async def awaited(self) -> AsyncGenerator[Read]:
        intents = self._new_client().v1.payment_intents  # of this event loop
        yield lambda: intents.retrieve_async(f"pi_{number()}")


class Increase:
    """increase, over httpx."""

    def __init__(self, url: str) -> None:
        self._package: Any = import_module("increase")
        self._options = {"api_key": "benchmark", "base_url": f"{url}/increase"}
        self._transfers = self._package.Increase(**self._options).account_transfers

    def get(self) -> object:
        return self._transfers.retrieve(f"account_transfer_{number()}")

    def create(self) -> object:
        return self._transfers.create(
            account_id="a", amount=4423, description="INV-1001", destination_account_id="b"
        )

    def items(self, size: int) -> Iterator[object]:
        for item in self._transfers.list(limit=size):
            yield item.id, item.status, item.amount

    @asynccontextmanager
    async def awaited(self) -> AsyncGenerator[Read]:
        async with self._package.AsyncIncrease(**self._options) as client:
            yield lambda: client.account_transfers.retrieve(f"account_transfer_{number()}")


class GoCardless:
    """gocardless-pro, over requests: it connects anew for each call, and has no awaited client."""

    def __init__(self, url: str) -> None:
        package: Any = import_module("gocardless_pro")
        self._payments = package.Client(access_token="benchmark", base_url=url).payments

    def get(self) -> object:
        return self._payments.get(f"PM{number()}")

    def create(self) -> object:
        params = {"amount": 4423, "currency": "USD", "links": {"mandate": "MD0123456789AB"}}
        return self._payments.create(params=params)

    def items(self, size: int) -> Iterator[object]:
        for item in self._payments.all(params={"limit": size}):
            yield item.id, item.status, item.amount


CLIENTS: dict[str, Callable[[str], Any]] = {
    "raw httpx": Raw,
    "victor_ext": VictorExt,
    "stock client": Stock,
    "stripe": Stripe,
    "increase": Increase,
    "gocardless-pro": GoCardless,
}
