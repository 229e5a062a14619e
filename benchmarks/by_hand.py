"""An outbox and a bulk sender as a good team writes them by hand, with httpx and SQLAlchemy.

`benchmarks.outbox` measures this package against them. They keep what such code mostly keeps: each
request for payment has a key of its own, which is stored with it; it is marked before it is sent;
and the result of each is stored once it is known. They check no row, compare no response with what
was sent, look nothing up, and encrypt nothing.

They wait for nothing that need not be waited for: rows are taken up before all calls of the last
group have ended, and results that have come together are stored in one transaction.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from queue import SimpleQueue
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
_STORE = sa.update(TABLE).where(TABLE.c.id == sa.bindparam("row_id"))
Values = dict[str, Any]


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
        self._lock = threading.Lock()
        self._token = ""
        self._expires = 0.0

    def ping(self) -> None:
        """Get a token, and open a connection."""
        headers = {"Authorization": self._authorization()}
        self._http.get("/v2/payment-requests", headers=headers).raise_for_status()

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
        with self._lock:
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
    """Send all that waits. The next group is marked while a call of each worker is still left; the
    results that have come by then are stored in one transaction.
    """
    ended: SimpleQueue[Values] = SimpleQueue()
    under_way = 0
    with ThreadPoolExecutor(workers) as pool:
        while True:
            if under_way <= workers:
                for row in _marked(engine):
                    pool.submit(lambda row: ended.put(_sent(client, row)), row)
                    under_way += 1
            if not under_way:
                return
            results = [ended.get()]
            while not ended.empty():
                results.append(ended.get())
            with engine.begin() as connection:
                connection.execute(_STORE, results)
            under_way -= len(results)


def _sent(client: Client, row: Any) -> Values:
    """Send a row, and return what is stored of it."""
    values = {"row_id": row.id, "request_id": None, "status": None, "error": None}
    try:
        created = client.create(row.key, row.body)
        request_id, status = created["victor_payment_request_id"], created["status"]
    except Exception as error:  # noqa: BLE001 - whatever it is, it is stored
        return {**values, "state": "failed", "error": str(error)}
    return {**values, "state": "sent", "request_id": request_id, "status": status}


def _marked(engine: sa.Engine) -> Sequence[Any]:
    """The next group, marked as being sent."""
    waiting = sa.select(TABLE.c.id, TABLE.c.key, TABLE.c.body).where(TABLE.c.state == "waiting")
    with engine.begin() as connection:
        rows = connection.execute(
            waiting.order_by(TABLE.c.id).limit(_GROUP).with_for_update(skip_locked=True)
        ).all()
        if not rows:
            return rows
        mark = sa.update(TABLE).where(TABLE.c.id.in_([row.id for row in rows]))
        connection.execute(mark.values(state="sending"))
    return rows
