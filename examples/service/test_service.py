"""The service in this process, with the fixtures of victor_ext: docs/testing.md."""

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from service import create_app

from victor_ext import idempotency_key_for
from victor_ext.sandbox import Sandbox
from victor_ext.testing import Faults, TimeTravel

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def service(
    victor_sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[httpx.AsyncClient]:
    client_id, client_secret = victor_sandbox.add_oauth_client()
    monkeypatch.setenv("VICTOR_CLIENT_ID", client_id)
    monkeypatch.setenv("VICTOR_CLIENT_SECRET", client_secret)
    monkeypatch.setenv("VICTOR_BASE_URL", victor_sandbox.url)
    monkeypatch.setenv("VICTOR_ENVIRONMENT", "staging")
    app = create_app(
        database_url=f"sqlite+aiosqlite:///{tmp_path / 'invoices.sqlite'}", interval=0.02
    )
    calls = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")
    async with app.router.lifespan_context(app), calls as client:
        yield client


def new(**changes: Any) -> dict[str, Any]:
    today = datetime.now(UTC).date().isoformat()
    return {
        "number": 1042,
        "amount": "44.23",
        "counterparty": "acceptsRfp",
        "due_date": today,
        **changes,
    }


async def becomes(service: httpx.AsyncClient, payment: str) -> dict[str, Any]:
    """Invoice 1042 once its payment is this."""
    with anyio.fail_after(20):
        while (found := (await service.get("/invoices/1042")).json())["payment"] != payment:  # noqa: ASYNC110 - it has no event
            await anyio.sleep(0.01)
    return dict(found)


async def becomes_ready(service: httpx.AsyncClient) -> None:
    """Return once nothing fails: on a busy machine, a pass or a count may have failed once."""
    with anyio.fail_after(20):
        while (await service.get("/ops/readyz")).status_code != 200:  # noqa: ASYNC110 - it has no event
            await anyio.sleep(0.01)


async def test_an_invoice_is_paid(
    service: httpx.AsyncClient,
    faults: Faults,
    time_travel: TimeTravel,
    sent_once: Callable[[str], list[Any]],
) -> None:
    faults.lose_answer(operation="create")
    posted = await service.post("/invoices", json=new())
    assert posted.status_code == 201
    assert await becomes(service, "created") == {
        **new(),
        "payment": "created",
        "paid": False,
        "error": None,
    }
    time_travel.advance(minutes=1)
    assert (await becomes(service, "completed"))["paid"] is True
    assert len(sent_once(idempotency_key_for("invoice", 1042))) == 2

    metrics = (await service.get("/ops/metrics")).text
    (sent,) = (line for line in metrics.splitlines() if 'victor_ext_state="sent"' in line)
    assert sent.startswith("victor_ext_outbox_entries{")
    assert sent.endswith(" 1.0")
    assert (await service.get("/ops/livez")).status_code == 200
    await becomes_ready(service)
    assert (
        'url_template="/v2/payment-requests/request-payment",victor_ext_outcome="success"'
        in metrics
    )
    assert "victor_ext_retries" in metrics
    assert "INV-1042" not in metrics


async def test_an_invoice_that_is_posted_again_is_the_same_one(
    service: httpx.AsyncClient, victor_sandbox: Sandbox
) -> None:
    assert [(await service.post("/invoices", json=new())).status_code for _ in range(2)] == [
        201,
        201,
    ]
    assert (await service.post("/invoices", json=new(amount="44.24"))).status_code == 409
    await becomes(service, "created")
    assert [each["amount"] for each in victor_sandbox.requests()] == ["44.23"]


async def test_an_invoice_that_cannot_be_asked_for_is_not_stored(
    service: httpx.AsyncClient,
) -> None:
    answer = await service.post("/invoices", json=new(counterparty="more than 16 letters"))
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    (problem,) = answer.json()["problems"]
    assert problem["field"] == "payer_counterparty_id"
    assert (await service.get("/invoices/1042")).status_code == 404


async def test_what_the_provider_rejects_says_why(
    service: httpx.AsyncClient, faults: Faults
) -> None:
    faults.status(400, operation="create")
    await service.post("/invoices", json=new())
    assert (await becomes(service, "rejected"))["error"]


async def test_an_invoice_is_taken_while_the_provider_is_away(
    service: httpx.AsyncClient, faults: Faults
) -> None:
    faults.down()
    assert (await service.post("/invoices", json=new())).status_code == 201
    assert (await service.get("/health")).json() == {"status": "alive"}
    faults.up()
    await becomes(service, "created")
