"""An outbox and a bulk sender as a team writes them by hand, with httpx and SQLAlchemy.

`benchmarks.outbox` measures this package against them. They keep what such code mostly keeps: each
request for payment has a key of its own, which is stored with it; it is marked before it is sent;
and the result of each is stored once it is known. They check no row, compare no response with what
was sent, look nothing up, and encrypt nothing.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from typing import Any

import httpx
import sqlalchemy as sa

from victor_ext import idempotency_key_for

_GROUP = 64
_BODY = {
    "payee": ["account_number"],
    "payer": ["victor_counterparty_id"],
    "payment_details": ["amount", "biller_type", "due_date"],
}
_METADATA = sa.MetaData()
TABLE = sa.Table(
    "requests_by_hand",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.String(64), unique=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("request_id", sa.String(64)),
    sa.Column("status", sa.String(32)),
    sa.Column("error", sa.Text),
)


def store(engine: sa.Engine, rows: Iterable[Mapping[str, Any]]) -> None:
    """Store what shall be sent, a thousand rows in one transaction."""
    _METADATA.create_all(engine)
    remaining = iter(rows)
    while group := list(islice(remaining, 1000)):
        with engine.begin() as connection:
            connection.execute(sa.insert(TABLE), [_stored(row) for row in group])


def _stored(row: Mapping[str, Any]) -> dict[str, Any]:
    body = {
        "payee": {"account_number": row["payee_account_number"]},
        "payer": {"victor_counterparty_id": row["payer_counterparty_id"]},
        "payment_details": {name: row[name] for name in _BODY["payment_details"]},
        "client_reference_id": row["client_reference_id"],
    }
    key = idempotency_key_for("invoice", row["invoice_no"])
    return {"key": key, "body": json.dumps(body), "state": "waiting"}


class Client:
    """Requests for payment by httpx, with a token that is kept until it expires."""

    def __init__(self, workers: int) -> None:
        limits = httpx.Limits(max_connections=workers, max_keepalive_connections=workers)
        self._http = httpx.Client(base_url=os.environ["VICTOR_BASE_URL"], limits=limits)
        self._token = ""
        self._expires = 0.0

    def create(self, key: str, body: str) -> dict[str, Any]:
        """Ask for a payment; try again with the same key after an error that may pass."""
        for attempt in range(4):
            headers = {
                "Authorization": self._authorization(),
                "Content-Type": "application/json",
                "Idempotency-Key": key,
            }
            try:
                response = self._http.post("/v2/payment-requests", content=body, headers=headers)
            except httpx.TransportError:
                response = None
            if response is not None and response.status_code < 500:
                response.raise_for_status()
                created: dict[str, Any] = response.json()
                return created
            time.sleep(0.5 * 2**attempt)
        raise TimeoutError(key)

    def _authorization(self) -> str:
        if time.time() > self._expires - 60:
            credentials = {
                "client_id": os.environ["VICTOR_CLIENT_ID"],
                "client_secret": os.environ["VICTOR_CLIENT_SECRET"],
            }
            token = self._http.post("/v2/auth/token", json=credentials).json()
            self._expires = token["expires"] / 1000
            self._token = f"{token['token_type']} {token['access_token']}"
        return self._token


def send(engine: sa.Engine, client: Client, workers: int) -> None:
    """Send all that waits: groups are marked in one transaction, and each result is stored in one
    of its own.
    """
    with ThreadPoolExecutor(workers) as pool:
        while rows := _marked(engine):
            calls = {pool.submit(client.create, row.key, row.body): row.id for row in rows}
            for call in as_completed(calls):
                error = call.exception()
                if error is None:
                    created = call.result()
                    values = {
                        "state": "sent",
                        "request_id": created["victor_payment_request_id"],
                        "status": created["status"],
                    }
                else:
                    values = {"state": "failed", "error": str(error)}
                with engine.begin() as connection:
                    result = sa.update(TABLE).where(TABLE.c.id == calls[call])
                    connection.execute(result.values(values))


def _marked(engine: sa.Engine) -> Sequence[Any]:
    """The next group, marked as being sent."""
    waiting = sa.select(TABLE.c.id, TABLE.c.key, TABLE.c.body).where(TABLE.c.state == "waiting")
    with engine.begin() as connection:
        rows = connection.execute(
            waiting.order_by(TABLE.c.id).limit(_GROUP).with_for_update(skip_locked=True)
        ).all()
        mark = sa.update(TABLE).where(TABLE.c.id.in_([row.id for row in rows]))
        connection.execute(mark.values(state="sending"))
    return rows
