"""Measure `victor bulk send`, and then `status` and `export`, as a user runs them, with a server that
takes every request, on SQLite and on PostgreSQL.

The server uses a core of its own: with fewer cores than senders and servers, its share is in the
rate.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.outbox import invoices, postgresql_state
from benchmarks.server import echo_server

VICTOR = Path(sys.executable).with_name("victor")
WORKERS = 16
"""Calls under way."""
Run = dict[str, Any]
_CALLS_ALONE = 3000
_SEND = ("bulk", "send", "invoices.csv", "--key-column", "invoice_no")
PARTS = ("bulk", "reports")
"""What can be measured: a file that is checked, stored and sent; and what is told of it then."""


@dataclass(frozen=True, slots=True)
class Took:
    """What a process took.

    Attributes:
        seconds: From its start to its end.
        cpu: Seconds of CPU that it used.
        peak_mib: The memory that it had at most.
    """

    seconds: float
    cpu: float
    peak_mib: float


def measured(rows: int, parts: Collection[str] = PARTS) -> list[Run]:
    """What a file of so many rows takes on each database: of some of the `PARTS`."""
    runs: list[Run] = []
    for database in ("SQLite", "PostgreSQL"):
        with (
            tempfile.TemporaryDirectory(prefix="victor-bulk-bench-") as folder,
            echo_server() as url,
            ExitStack() as stack,
        ):
            states = "sqlite:///{}.sqlite"
            if database == "PostgreSQL":
                states = stack.enter_context(postgresql_state()).replace("/bulk?", "/{}?")
            run = _run(Path(folder), rows, states, url, parts)
        runs.append({"database": database, "rows": rows, **run})
    return runs


def _run(folder: Path, rows: int, states: str, url: str, parts: Collection[str]) -> Run:
    """The figures of one database. `states` makes URLs of names."""
    _write(folder / "invoices.csv", rows)
    names = ("PATH", "HOME", "LANG", "PYTHONPATH")
    environment = {name: os.environ[name] for name in names if name in os.environ}
    environment |= {
        "VICTOR_BASE_URL": url,
        "VICTOR_CLIENT_ID": "canned",
        "VICTOR_CLIENT_SECRET": "not-a-secret",
        "VICTOR_BULK_KEY": "only good for a benchmark",
    }
    state, run = ("--state", states.format("bulk")), Run()

    def took(*words: object) -> Took:
        return _took(words, folder, environment)

    send = (VICTOR, *_SEND, "--workers", WORKERS, *state)
    if "bulk" in parts:
        alone = _calls_alone(environment)
        checking = took(*send, "--dry-run")
        storing = took(sys.executable, "-c", _STORE, states.format("stored"))
        sending = took(*send)
        run |= {
            "checked": checking.seconds,
            "checked_cpu": checking.cpu,
            "stored_cpu": storing.cpu,
            "rate": rows / (sending.seconds - checking.seconds),
            "sender_cpu": sending.cpu,
            "alone": alone,
            "peak_mib": sending.peak_mib,
            "load": os.getloadavg()[0],
        }
    else:
        took(*send)
    if "reports" in parts:
        run["status_cpu"] = took(VICTOR, "bulk", "status", *state).cpu
        run["export_cpu"] = took(VICTOR, "bulk", "export", *state, "--output", "results.csv").cpu
    return run


def _write(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for number, invoice in enumerate(invoices(rows)):
            if number == 0:
                writer.writerow(invoice)
            writer.writerow(invoice.values())


def _took(words: Sequence[object], folder: Path, environment: dict[str, str]) -> Took:
    """Run the command, which has to succeed."""
    command = [str(word) for word in words]
    began = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}.")
    units_of_a_mib = 1024 * 1024 if sys.platform == "darwin" else 1024
    return Took(
        seconds=time.perf_counter() - began,
        cpu=usage.ru_utime + usage.ru_stime,
        peak_mib=usage.ru_maxrss / units_of_a_mib,
    )


_STORE = """
import sys
from victor_ext.bulk import BulkSender

class Stored(Exception):
    pass

def stop(_status):  # before the first call
    raise Stored

try:
    BulkSender(state=sys.argv[1], key_column="invoice_no").send("invoices.csv", on_progress=stop)
except Stored:
    pass
"""
"""Does what `victor bulk send` does until the rows are stored."""


_ALONE = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
import httpx
from victor_ext import Victor

calls, workers, due = int(sys.argv[1]), int(sys.argv[2]), datetime.now(UTC).date()
limits = httpx.Limits(max_connections=workers, max_keepalive_connections=workers)
with Victor.from_env(limits=limits) as victor, ThreadPoolExecutor(workers) as pool:
    def call(number):
        victor.payment_requests.create(
            payee_account_number="043987673645", payer_counterparty_id="aHeq349838", amount="44.23",
            biller_type="BUSINESS", due_date=due, client_reference_id=f"ALONE-{number}")
    list(pool.map(call, range(workers)))
    began = time.perf_counter()
    list(pool.map(call, range(calls)))
    print(calls / (time.perf_counter() - began))
"""


def _calls_alone(environment: dict[str, str]) -> float:
    """Calls a second of the same client with as many threads, without anything of bulk sending."""
    words = [sys.executable, "-c", _ALONE, str(_CALLS_ALONE), str(WORKERS)]
    ended = subprocess.run(words, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return float(ended.stdout)
