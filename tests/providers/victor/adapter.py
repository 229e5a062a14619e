"""Victor, as one row of the table over all systems."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from victor_ext import AsyncVictor, Victor, VictorOAuth
from victor_ext.sandbox import Sandbox


class Exchange(NamedTuple):
    """An operation: the sandbox's word for it, and how a client calls it."""

    word: str
    call: Callable[..., Any]


def sandbox() -> Sandbox:
    return Sandbox()


def client(sandbox: Sandbox, *, awaited: bool, **options: Any) -> Victor | AsyncVictor:
    auth = VictorOAuth(*sandbox.add_oauth_client())
    return (AsyncVictor if awaited else Victor)(auth, base_url=sandbox.url, **options)


def _create(client: Victor, reference: str) -> Any:
    return client.payment_requests.create(
        payee_account_number="043987673645", payer_counterparty_id="aHeq349838", amount=Decimal("44.23"),
        biller_type="BUSINESS", due_date=datetime.now(UTC).date(), client_reference_id=reference,
    )  # fmt: skip


def _find(client: Victor) -> Any:
    since = datetime.now(UTC) - timedelta(hours=1)
    return client.payment_requests.find("INV-1042", start_datetime=since)


READ = Exchange("list", _find)
WRITE = Exchange("create", _create)
KEYED = True


def work_done(sandbox: Sandbox, reference: str) -> int:
    return sandbox.work_done_by_reference().get(reference, 0)
