"""One way to send what is stored: `python -m benchmarks.durable WAY DATABASE URL NUMBER`. It prints
how many were sent, in how many seconds, and in how many of CPU.

Code by hand keeps what such code mostly keeps: a key of its own for each request, and the id that
came. It compares no response, looks nothing up, and encrypts nothing.
"""

from __future__ import annotations

import csv
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from benchmarks.worker import tell
from tests.payments import cells, wire_body
from victor_ext import Victor, VictorOAuth, idempotency_key_for
from victor_ext.bulk import BulkSender, RowOutcome
from victor_ext.outbox import EntryState, Outbox

_WORKERS = 16
_PATIENCE = 120
_METADATA = sa.MetaData()
_TABLE = sa.Table(
    "requests_by_hand",
    _METADATA,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("request_id", sa.String(64)),
)


def invoices(count: int) -> Iterator[dict[str, str]]:
    """The rows of a file."""
    for number in range(count):
        yield {
            "invoice_no": f"INV-{number}",
            **cells(amount=f"{number % 900 + 1}.23"),
            "client_reference_id": f"REF-{number}",
        }


def _key_of(row: Mapping[str, str]) -> str:
    return idempotency_key_for("invoice", row["invoice_no"])


def _body_of(row: Mapping[str, str]) -> str:
    body = wire_body(amount=row["amount"])
    return json.dumps({**body, "client_reference_id": row["client_reference_id"]})


def _tell_of_all(count: int, sent: int, began: float, cpu: float) -> None:
    """Tell what the entries have taken, all of which have to be sent."""
    if sent != count:
        sys.exit(f"{sent} of {count} entries were sent.")
    tell(count, began, cpu)


def _client(url: str) -> Victor:
    """A client that has its token."""
    victor = Victor(VictorOAuth("benchmark", "not-a-real-secret"), base_url=url)
    victor.ping()
    return victor


def _create(http: httpx.Client, key: str, body: str) -> str:
    """Ask for a payment by hand; its id."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    response = http.post("/v2/payment-requests/request-payment", content=body, headers=headers)
    created: str = response.raise_for_status().json()["victor_payment_request_id"]
    return created


def _outbox(database: str, url: str, count: int) -> None:
    engine = sa.create_engine(database)
    outbox = Outbox(engine, workers=_WORKERS)
    outbox.table.metadata.drop_all(engine)
    outbox.create_table()
    with engine.begin() as connection:
        for row in invoices(count):
            arguments: dict[str, Any] = {**row, "idempotency_key": _key_of(row)}
            del arguments["invoice_no"]
            outbox.add(connection, **arguments)
    victor = _client(url)
    began, cpu = time.perf_counter(), time.process_time()
    outbox.send(victor)
    _tell_of_all(count, outbox.counts()[EntryState.SENT], began, cpu)


def _outbox_by_hand(database: str, url: str, count: int) -> None:
    engine = sa.create_engine(database, pool_size=_WORKERS)
    _METADATA.drop_all(engine)
    _METADATA.create_all(engine)
    stored = [
        {"key": _key_of(row), "body": _body_of(row), "state": "waiting"} for row in invoices(count)
    ]
    with engine.begin() as connection:
        connection.execute(sa.insert(_TABLE), stored)
    http = httpx.Client(base_url=url)
    waiting = sa.select(_TABLE).where(_TABLE.c.state == "waiting").limit(1)

    def send_all() -> int:
        sent = 0
        while True:
            with engine.begin() as connection:
                row = connection.execute(waiting.with_for_update(skip_locked=True)).first()
                if row is None:
                    return sent
                created = _create(http, row.key, row.body)
                is_it = _TABLE.c.key == row.key
                done = sa.update(_TABLE).where(is_it).values(state="sent", request_id=created)
                connection.execute(done)
            sent += 1

    began, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(_WORKERS) as pool:
        parts = [pool.submit(send_all) for _ in range(_WORKERS)]
    _tell_of_all(count, sum(part.result() for part in parts), began, cpu)


def _bulk(_database: str, url: str, count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sender = BulkSender(
            _client(url),
            state=f"sqlite:///{folder}/state.sqlite",
            batch="benchmark",
            key_column="invoice_no",
            storage_key="only-good-for-a-benchmark",
            workers=_WORKERS,
        )
        path = _file(folder, count)
        began, cpu = time.perf_counter(), time.process_time()
        status = sender.send(path)
        _tell_of_all(count, status.counts[RowOutcome.CREATED], began, cpu)


def _bulk_by_hand(_database: str, url: str, count: int) -> None:
    with tempfile.TemporaryDirectory() as folder, httpx.Client(base_url=url) as http:
        path = _file(folder, count)
        began, cpu = time.perf_counter(), time.process_time()
        with path.open(encoding="utf-8", newline="") as file:
            ids = [_create(http, _key_of(row), _body_of(row)) for row in csv.DictReader(file)]
        _tell_of_all(count, len(ids), began, cpu)


def _file(folder: str, count: int) -> Path:
    path = Path(folder, "invoices.csv")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, next(invoices(1)))
        writer.writeheader()
        writer.writerows(invoices(count))
    return path


WAYS: dict[str, Callable[[str, str, int], None]] = {
    "outbox": _outbox,
    "outbox by hand": _outbox_by_hand,
    "bulk": _bulk,
    "bulk by hand": _bulk_by_hand,
}


if __name__ == "__main__":
    way, database, url, count = sys.argv[1:]
    signal.alarm(_PATIENCE)
    WAYS[way](database, url, int(count))
