"""The page on FlexFactor is held against the package: its code runs, and it names every call and every variable."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.providers.flexfactor.harness import MID, Harness
from victor_ext.providers.flexfactor import FlexFactor, FlexFactorAuth, Notification
from victor_ext.sandbox.flexfactor import FlexFactorSandbox
from victor_ext.sandbox.flexfactor.provider import FlexFactorProvider

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = "\n".join((DOCS / f"{name}.md").read_text("utf-8") for name in ("flexfactor", "sandbox-flexfactor", "webhooks"))
PAGE = PAGE.partition("\n## Velo: ")[0]
FIRST, _SANDBOX, NOTIFICATIONS, *_ = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("status", ["APPROVED", "CAPTUREREQUIRED", "CHALLENGE"])
def test_the_first_call(sandbox: FlexFactorSandbox, status: str) -> None:
    app_key, app_secret, mid = sandbox.add_client()
    sandbox.decide(status)
    done: list[Any] = []
    names = {
        "app_key": app_key, "app_secret": app_secret, "mid": mid, "declined_at": datetime(2026, 3, 4, tzinfo=UTC),
        "deliver": lambda: done.append("deliver"), "keep": lambda *kept: done.append(kept[1]), "url": sandbox.url,
    }  # fmt: skip
    exec(FIRST.replace('environment="sandbox"', "base_url=url"), names)
    assert done == {"APPROVED": ["deliver"], "CAPTUREREQUIRED": [], "CHALLENGE": ["CHALLENGE"]}[status]
    assert sandbox.order_record("INV-1042")["captured"] == (0 if status == "CHALLENGE" else 4423)


def test_notifications(sandbox: FlexFactorSandbox) -> None:
    harness = Harness(sandbox, awaited=False)
    order_id = harness.sandbox.add_order("INV-1")
    settled: list[Any] = []

    def receive(flexfactor: FlexFactor) -> None:
        names: dict[str, Any] = {
            "flexfactor": flexfactor, "subscriber_key": harness.sandbox.subscriber_key(), "settle": settled.append,
        }  # fmt: skip
        exec(NOTIFICATIONS, names)
        headers, body = harness.sandbox.notification("INV-1", "order.completed", host="hooks.shop.example")
        assert [names["receive"](each, headers) for each in (body, body, b"{}")] == [200, 200, 401]

    harness(receive)
    assert [order.id for order in settled] == [order_id]


def test_everything_is_named() -> None:
    client = FlexFactor(FlexFactorAuth("key", "secret"), mid=MID)
    calls = {
        "evaluate",
        "capture",
        "transmit",
        *(f"orders.{name}" for name in ("get", "list", "wait", "refund", "cancel")),
    }
    for call in {*calls, "orders.external_cancel"}:
        assert f"`{call}(" in PAGE
        target: Any = client
        for name in call.split("."):
            target = getattr(target, name)
        assert target.__doc__
    for variable in re.findall("FLEXFACTOR_[A-Z_]+", str(FlexFactor.from_env.__doc__)):
        assert f"`{variable}`" in PAGE
    for operation in FlexFactorProvider.operations:
        assert f"`{operation.name}`" in PAGE
    for name in re.findall(r"`notification\.(\w+)`", PAGE):
        assert hasattr(Notification, name)
