"""Measure the queue of `victor bulk` on one PostgreSQL server:
`python -m benchmarks.queue --workers 1 4 16 64`.

Each worker is a process that takes chunks and sends them to nobody: the answer is made up on the
spot. What is left is the queue's part: rows a second, and what each row costs the server in
transactions, rows written, bytes of WAL and of tables. Counts and bytes do not depend on the
machine's load; seconds do, so the load is recorded beside them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing import get_context
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from benchmarks import scale
from benchmarks.bulk import COLUMNS, machine, postgresql_state
from victor_ext import ProviderTime, Victor, VictorOAuth
from victor_ext.bulk import BulkSender
from victor_ext.bulk.layout import CHUNK_ROWS

_BATCH = "queue"
_MAX_CONNECTIONS = 2000
_SETTLED = """
SELECT count(*) FILTER (WHERE status = 'SUCCESS'), count(*) FROM dbos.workflow_status
WHERE name = 'victor_bulk_chunk' AND workflow_uuid LIKE '%/queue/%'
"""
_TOOK = """
SELECT min(started_at_epoch_ms) / 1000.0, max(updated_at) / 1000.0, count(DISTINCT executor_id)
FROM dbos.workflow_status WHERE name = 'victor_bulk_chunk' AND workflow_uuid LIKE '%/queue/%'
"""
_COUNTS = """
SELECT (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()),
       (SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables),
       pg_current_wal_insert_lsn() - '0/0'::pg_lsn,
       (SELECT sum(pg_total_relation_size(relid)) FROM pg_stat_user_tables)
"""
_BUSY = """
SELECT count(*), count(*) FILTER (WHERE wait_event_type = 'Lock'),
       (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')
FROM pg_stat_activity WHERE datname = current_database()
"""


_over = get_context("fork").Event()


class _Nobody:
    """Takes every request and answers at once."""

    deadline = 60.0

    def create(self, *, idempotency_key: str, **_: object) -> Any:
        """Return what a record says to a sender."""
        return SimpleNamespace(id=idempotency_key[:10], status="created")

    def list(self, **_: object) -> Any:
        """Return no pages."""
        return SimpleNamespace(pages=lambda: iter(()))


def _sender(state: str, batch: str = _BATCH) -> BulkSender:
    client: Any = Victor(
        VictorOAuth("nobody", "a secret for benchmarks"), base_url="http://127.0.0.1:9"
    )
    client.payment_requests = _Nobody()
    client.ping = lambda: None
    # As of a provider whose responses have a Date: else rows are stored in groups of as many as
    # there are threads.
    client.provider_time = lambda: ProviderTime(datetime.now(UTC), is_known=True)
    secret = "only good for a benchmark"
    return BulkSender(client, state=state, batch=batch, key_column="invoice_no", storage_key=secret)


def main() -> int:
    """Exit status 0, or an exception."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queue", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4, 16, 64], metavar="N")
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument(
        "--write", action="store_true", help="keep the record, and make docs/scale.md of it"
    )
    parser.add_argument("--worker", metavar="STATE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker is not None:
        # Forked before any thread or connection is made: each worker is a process, and all share
        # the imported modules.
        processes = [
            get_context("fork").Process(target=_work, args=(options.worker,))
            for _ in range(options.workers[0])
        ]
        for process in processes:
            process.start()
        sys.stdin.buffer.read()
        _over.set()
        for process in processes:
            process.join()
        return 0
    runs: list[dict[str, Any]] = []
    for workers in options.workers:
        runs.append(_run(options.rows, workers))
        print(json.dumps(runs[-1]), file=sys.stderr)
    record = {
        "taken": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "python": platform.python_version(),
        "chunk_rows": CHUNK_ROWS,
        "max_connections": _MAX_CONNECTIONS,
        "runs": runs,
    }
    if options.write:
        scale.keep_queue(record)
    print(json.dumps(record, indent=1) if options.json else scale.table(record))
    return 0


def _work(state: str) -> None:
    stop, parent = threading.Event(), os.getppid()

    def wait_for_the_end() -> None:
        while os.getppid() == parent and not _over.is_set():
            time.sleep(0.2)
        stop.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        _sender(state).work(stop=stop)


def _rows(batch: str, count: int) -> Iterator[dict[str, object]]:
    due = datetime.now(UTC).date().isoformat()
    for number in range(count):
        line = (
            f"INV-{batch}-{number}",
            "043987673645",
            "aHeq349838",
            f"{number % 900 + 1}.23",
            "BUSINESS",
            due,
            f"REF-{batch}-{number}",
            f"region {number % 7}",
        )
        yield dict(zip(COLUMNS, line, strict=True))


class _Stored(Exception):
    """The rows are stored: what follows is for the workers."""


def _run(rows: int, workers: int) -> dict[str, Any]:
    with postgresql_state(connections=_MAX_CONNECTIONS) as state:
        engine = sa.create_engine(
            state.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
        )
        # The tables are made by another batch, which nobody sends.
        _store(state, "tables", 1)
        launcher = _started(state, workers)
        try:
            _wait_for(engine, workers)
            before = _query(engine, _COUNTS)
            began = time.monotonic()
            _store(state, _BATCH, rows)
            store_seconds, stored = time.monotonic() - began, _query(engine, _COUNTS)
            busy = _watched(engine, workers)
        finally:
            _stop(launcher)
        ended = _query(engine, _COUNTS)
        first, last, took_part = _query(engine, _TOOK)
        engine.dispose()
    return {
        "rows": rows,
        "workers": workers,
        "took_part": took_part,
        "store_seconds": round(store_seconds, 2),
        "seconds": round(float(last - first), 2),
        "transactions": int(ended[0] - before[0]),
        "writes": int(ended[1] - before[1]),
        "wal_bytes": [int(stored[2] - before[2]), int(ended[2] - stored[2])],
        "table_bytes": [int(stored[3] - before[3]), int(ended[3] - stored[3])],
        "load": round(os.getloadavg()[0], 2),
        **busy,
    }


def _store(state: str, batch: str, rows: int) -> None:
    def stored(_status: object) -> None:
        raise _Stored

    with contextlib.suppress(_Stored):
        _sender(state, batch).send(_rows(batch, rows), on_progress=stored)


def _wait_for(engine: sa.Engine, workers: int) -> None:
    """Wait until each worker holds its lock, and has had a moment to listen."""
    while _query(engine, _BUSY)[2] < workers:
        time.sleep(0.5)
    time.sleep(5)


def _started(state: str, workers: int) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "benchmarks.queue", "--worker", state, "--workers", str(workers)]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)


def _stop(launcher: subprocess.Popen[bytes]) -> None:
    if launcher.stdin is not None:
        launcher.stdin.close()
    launcher.wait()


def _watched(engine: sa.Engine, workers: int) -> dict[str, int]:
    """Look four times a second until all chunks are done."""
    connections = waiting = 0
    while True:
        done, chunks = _query(engine, _SETTLED)
        busy = _query(engine, _BUSY)
        connections, waiting = max(connections, busy[0]), max(waiting, busy[1])
        print(
            f"{workers} workers: {done:,} of {chunks:,} chunks, {busy[0]} connections",
            file=sys.stderr,
        )
        if done == chunks:
            return {"connections": connections, "waiting_for_locks": waiting}
        time.sleep(0.25)


def _query(engine: sa.Engine, text: str) -> tuple[Any, ...]:
    with engine.connect() as connection:
        return tuple(connection.execute(sa.text(text)).one())


if __name__ == "__main__":
    sys.exit(main())
