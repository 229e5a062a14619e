"""Whatever a program passes, it is refused by name, or sent as something that JSON can carry; never anything else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.providers.flexfactor.harness import MID, PRICE, declined, scripted
from victor_ext import InvalidRequest
from victor_ext.providers.flexfactor import OrderItem, Subscription

ORDER = "5b0c7a5e-3d1f-4f0a-9a43-0f9d2f1c8e77"
JUNK: list[Any] = [
    None, True, 7, -1, 1.5, float("nan"), "", " ", "x", "\ud800", "a\x00b", b"x", [], [None], {}, {"x": "\ud800"},
    {"\ud800": 1}, {7: 7}, {"x": {1, 2}}, {"x": float("inf")}, {"payer": {"x": object()}}, object(), Decimal("NaN"),
    datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), date(2026, 1, 1), PRICE,  # noqa: DTZ001 - naive, it is junk
]  # fmt: skip
WHOLE = {
    **declined(),
    "shipping": declined()["billing"],
    "items": [OrderItem("Boots", PRICE, sku="b")],
    "subscription": Subscription("s", "monthly"),
    "fields": {"shop": "7"},
}
OPTIONAL = (
    "customer_ip",
    "sense_key",
    "merchant_initiated",
    "recurring",
    "expires_at",
    "extra_body",
    "idempotency_key",
)
GOOD = httpx.Response(200, json={"status": "COMPLETED", "success": True, "isLastPage": True, "items": []})


def outcome_of(call: Callable[[Any], Any]) -> str:
    """Make a call with a client of its own; whether it was refused here, or what was sent."""
    client, script = scripted(GOOD)
    refusal: InvalidRequest | None = None
    try:
        call(client)
    except InvalidRequest as error:
        refusal = error
    if refusal is not None:
        assert refusal.problems
        assert not script.requests
        return str(refusal)
    for request in script.requests:
        if request.content:
            json.loads(request.content.decode("utf-8"))
    return ""


@pytest.mark.parametrize("name", [*WHOLE, *OPTIONAL])
def test_arguments(name: str) -> None:
    for junk in JUNK:
        outcome_of(lambda client, junk=junk: client.evaluate(**{**WHOLE, name: junk}))
        if name in WHOLE:
            outcome_of(lambda client, junk=junk: client.transmit(**{**WHOLE, name: junk}))


@pytest.mark.parametrize("part", ["transaction", "payer", "card", "billing", "shipping", "subscription", "items"])
def test_parts(part: str) -> None:
    whole = WHOLE[part][0] if part == "items" else WHOLE[part]
    for each in fields(whole):
        for junk in JUNK:
            changed = replace(whole, **{each.name: junk})
            given = {**WHOLE, part: [changed] if part == "items" else changed}
            observed = outcome_of(lambda client, given=given: client.evaluate(**given))
            if each.type in ("str", "str | None") and junk is not None and not isinstance(junk, str):
                assert f"{each.name} must be text" in observed


CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "get": lambda client, junk: client.orders.get(junk),
    "refund": lambda client, junk: client.orders.refund(junk, PRICE),
    "refund amount": lambda client, junk: client.orders.refund(ORDER, junk),
    "refund message": lambda client, junk: client.orders.refund(ORDER, PRICE, message=junk),
    "capture": lambda client, junk: client.capture(junk, PRICE),
    "capture amount": lambda client, junk: client.capture(ORDER, junk),
    "get after it": lambda client, junk: client.orders.wait(junk, timeout=0),
    "cancel": lambda client, junk: client.orders.cancel(junk),
    "cancel key": lambda client, junk: client.orders.cancel(ORDER, idempotency_key=junk),
    "external cancel": lambda client, junk: client.orders.external_cancel(junk),
    **{
        f"list {name}": lambda client, junk, name=name: list(client.orders.list(**{name: junk}))
        for name in ("query", "status", "start", "end", "mid", "order_by", "sort", "page", "page_size")
    },
}


@pytest.mark.parametrize("name", CALLS)
def test_other_calls(name: str) -> None:
    for junk in JUNK:
        outcome_of(lambda client, junk=junk: CALLS[name](client, junk))


def test_no_refusal_shows_what_it_refuses() -> None:
    secret = "4111-1111-ada"
    given = {**WHOLE, "card": replace(WHOLE["card"], token=f"\ud800{secret}", bin=secret)}
    observed = outcome_of(lambda client: client.evaluate(**given))
    assert "card.token" in observed
    assert secret not in observed


def test_moments_are_sent_in_utc() -> None:
    client, script = scripted(GOOD)
    there = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone(timedelta(hours=-5)))
    changed = replace(WHOLE["transaction"], occurred_at=there)
    client.evaluate(**{**WHOLE, "transaction": changed, "expires_at": there})
    list(client.orders.list(start=there, end=there))
    body, query = json.loads(script.requests[0].content), script.requests[1].url.params
    assert (body["transaction"]["timestampUtc"], body["expiryDateUtc"]) == ("2026-03-04T10:06:07Z",) * 2
    assert (query["from"], query["to"], query["mid"]) == ("2026-03-04T10:06:07Z", "2026-03-04T10:06:07Z", MID)
