"""What openapi-python-client, as pinned for `make generate`, writes of the same document without
our recipe.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from victor_stock.api.payment_requests import (
    create_request_payment,
    get_payment_request,
    list_payment_requests,
)
from victor_stock.client import AuthenticatedClient
from victor_stock.models import (
    ListPaymentRequests,
    NewRtpRfpPaymentRequest,
    RfpBasePaymentDetails,
    RfpBasePaymentDetailsBillerType,
    RfpPayeeRequestDetails,
    RfpPayerDetails,
)

from benchmarks.peers import number


class Stock:
    """A client as generated."""

    def __init__(self, url: str) -> None:
        self.client = AuthenticatedClient(f"{url}/victor_documented", "benchmark", prefix="Token")
        self.due = datetime.datetime.now(datetime.UTC).date()

    def get(self) -> object:
        return get_payment_request.sync(f"R{number()}", client=self.client)

    def create(self) -> object:
        body = NewRtpRfpPaymentRequest(
            payee=RfpPayeeRequestDetails(account_number="043987673645"),
            payer=RfpPayerDetails(victor_counterparty_id="aHeq349838"),
            payment_details=RfpBasePaymentDetails(
                amount="44.23",
                biller_type=RfpBasePaymentDetailsBillerType.BUSINESS,
                due_date=self.due.isoformat(),
            ),
            client_reference_id="INV-00001001",
        )
        return create_request_payment.sync(
            client=self.client, body=body, idempotency_key="invoice-1001"
        )

    def items(self, page_size: int) -> Iterator[Any]:
        number = 0
        while True:
            wanted = ListPaymentRequests(page=number, page_size=page_size)
            found: Any = list_payment_requests.sync(
                client=self.client, payment_requests_filter=wanted
            )
            yield from found.results
            number += 1

    def read(self, item: Any) -> tuple[Any, ...]:
        return (
            item.victor_payment_request_id,
            item.client_reference_id,
            item.status,
            item.payment_request.payment_details.amount,
            item.payment_request.created_at,
        )

    def close(self) -> None:
        self.client.get_httpx_client().close()


class AwaitedStock:
    """An awaited client as generated."""

    def __init__(self, url: str) -> None:
        self.client = AuthenticatedClient(f"{url}/victor_documented", "benchmark", prefix="Token")

    async def get(self) -> object:
        return await get_payment_request.asyncio(f"R{number()}", client=self.client)

    async def close(self) -> None:
        await self.client.get_async_httpx_client().aclose()


def connect(url: str) -> Stock:
    """A client that keeps its connections."""
    return Stock(url)


def connect_awaited(url: str) -> AwaitedStock:
    """An awaited client that keeps its connections."""
    return AwaitedStock(url)
