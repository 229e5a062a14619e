"""Measure workers of bulk sending: `python -m benchmarks.workers [ROWS]` (three minutes).

One, two and four `victor bulk worker` work on one PostgreSQL, with a provider that takes a tenth of
a second: then workers wait for the provider, and not for a core. In a further run, one of four is
killed. Each rate is counted between the first tenth of the rows and the last one. At last one
worker has a provider that answers at once, and the CPU of PostgreSQL is counted: what a core of the
database can take.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from benchmarks.bulk import VICTOR
from benchmarks.outbox import database_engine, invoices, postgresql_state
from benchmarks.server import Echo, SlowEcho, echo_server
from victor_ext.bulk import BulkSender

_CALLS = 4
"""Calls under way in each worker."""
_TICKS = os.sysconf("SC_CLK_TCK")


class _Stored(Exception):
    """The rows are stored, and none is to be sent here."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Rows a second, and milliseconds of CPU of PostgreSQL a row (Linux; elsewhere 0)."""

    rows_a_second: float
    server_cpu: float


def measured(state: str, workers: int, rows: int, kind: type[Echo], *, kill: bool = False) -> Rate:
    """The rate of so many workers; one of them is killed after the first tenth of the rows."""
    with echo_server(kind) as url, ExitStack() as stack:
        environment = {
            "VICTOR_BASE_URL": url,
            "VICTOR_CLIENT_ID": "canned",
            "VICTOR_CLIENT_SECRET": "not-a-secret",
            "VICTOR_BULK_KEY": "only good for a benchmark",
        }
        os.environ.update(environment)
        _store(state, rows)
        engine = database_engine(state)
        words = [str(VICTOR), "bulk", "worker", "--state", state, "--workers", str(_CALLS)]
        processes = [stack.enter_context(_running(words)) for _ in range(workers)]
        _wait_until(engine, rows // 10)
        if kill:
            processes[0].kill()
        sent, began, cpu = _sent(engine), time.monotonic(), _server_cpu()
        _wait_until(engine, rows if kill else rows - rows // 10)
        more = _sent(engine) - sent
        rate = more / (time.monotonic() - began)
        return Rate(rate, 1000 * (_server_cpu() - cpu) / more)


def _store(state: str, rows: int) -> None:
    def stop(_status: object) -> None:
        raise _Stored

    sender = BulkSender(state=state, batch="benchmark", key_column="invoice_no")
    with suppress(_Stored):
        sender.send(iter(invoices(rows)), on_progress=stop)


@contextmanager
def _running(words: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _wait_until(engine: sa.Engine, rows: int) -> None:
    while _sent(engine) < rows:
        time.sleep(0.05)


def _sent(engine: sa.Engine) -> int:
    query = sa.text("SELECT count(*) FROM victor_bulk WHERE state = 'sent'")
    with engine.connect() as connection:
        return int(connection.execute(query).scalar() or 0)


def _server_cpu() -> float:
    """The seconds of CPU that the processes of PostgreSQL have used, those that ended included."""
    total = 0.0
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            name, _, rest = file.read_text().partition(" (")[2].rpartition(") ")
            if name.startswith("postgres"):
                total += sum(map(int, rest.split()[11:15])) / _TICKS
    return total


def main(rows: int) -> None:
    with postgresql_state() as server:
        rates: dict[str, Rate] = {}
        for workers, kill in ((1, False), (2, False), (4, False), (4, True)):
            name = f"{workers} workers" + (", one killed" if kill else "")
            state = server.replace("/bulk?", f"/slow{workers}{kill:d}?")
            rates[name] = measured(state, workers, rows * workers, SlowEcho, kill=kill)
            times = rates[name].rows_a_second / rates["1 workers"].rows_a_second
            print(f"{name}: {rates[name].rows_a_second:.1f} rows a second, {times:.2f} of one")
        fast = measured(server.replace("/bulk?", "/fast?"), 1, 10 * rows, Echo)
        print(f"PostgreSQL: {fast.server_cpu:.2f} ms of CPU a row")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
