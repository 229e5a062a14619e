"""FlexFactor, as one row of the table over all systems."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from victor_ext.providers import Money
from victor_ext.providers.flexfactor import AsyncFlexFactor, Card, FlexFactor, FlexFactorAuth, Payer, Transaction
from victor_ext.sandbox.flexfactor import FlexFactorSandbox

ORDER = "5b0c7a5e-3d1f-4f0a-9a43-0f9d2f1c8e77"
"""The provider's id of an order that every sandbox of this adapter has."""


class Exchange(NamedTuple):
    """An operation: the sandbox's word for it, and how a client calls it."""

    word: str
    call: Callable[..., Any]


def sandbox() -> FlexFactorSandbox:
    return FlexFactorSandbox()


def client(sandbox: FlexFactorSandbox, *, awaited: bool, **options: Any) -> FlexFactor | AsyncFlexFactor:
    app_key, app_secret, mid = sandbox.add_client()
    sandbox.add_order("known", provider_id=ORDER)
    auth = FlexFactorAuth(app_key, app_secret)
    return (AsyncFlexFactor if awaited else FlexFactor)(auth, mid=mid, base_url=sandbox.url, **options)


def _evaluate(client: FlexFactor, reference: str) -> Any:
    return client.evaluate(
        order_id=reference,
        amount=Money.of("44.23", "USD"),
        transaction=Transaction(id="t-1", occurred_at=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)),
        payer=Payer(email="ada@example.com"),
        card=Card(token="tok_4242"),
    )


READ = Exchange("order", lambda client: client.orders.get(ORDER))
WRITE = Exchange("evaluate", _evaluate)
KEYED = True


def work_done(sandbox: FlexFactorSandbox, reference: str) -> int:
    return sandbox.work_done_by_reference().get(reference, 0)
