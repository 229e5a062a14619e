"""Measure `victor bulk send` as a user runs it, with a server that takes every request, on SQLite
and on PostgreSQL.

The server uses a core of its own: with fewer cores than senders and servers, its share is in the
rate.
"""

from __future__ import annotations

import csv
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
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


def measured(rows: int) -> list[Run]:
    """What a file of so many rows takes on each database."""
    runs: list[Run] = []
    for database in ("SQLite", "PostgreSQL"):
        with (
            tempfile.TemporaryDirectory(prefix="victor-bulk-bench-") as folder,
            echo_server() as url,
            ExitStack() as stack,
        ):
            state = "sqlite:///state.sqlite"
            if database == "PostgreSQL":
                state = stack.enter_context(postgresql_state())
            run = _run(Path(folder), rows, state, url)
        runs.append({"database": database, "rows": rows, **run})
    return runs


def _run(folder: Path, rows: int, state: str, url: str) -> Run:
    _write(folder / "invoices.csv", rows)
    names = ("PATH", "HOME", "LANG", "PYTHONPATH")
    environment = {name: os.environ[name] for name in names if name in os.environ}
    environment |= {
        "VICTOR_BASE_URL": url,
        "VICTOR_CLIENT_ID": "canned",
        "VICTOR_CLIENT_SECRET": "not-a-secret",
        "VICTOR_BULK_KEY": "only good for a benchmark",
    }
    alone = _calls_alone(environment)
    send = [*_SEND, "--workers", str(WORKERS), "--state", state]
    checked, _ = _took([*send, "--dry-run"], folder, environment)
    seconds, usage = _took(send, folder, environment)
    units_of_a_mib = 1024 * 1024 if sys.platform == "darwin" else 1024
    return {
        "checked": checked,
        "rate": rows / (seconds - checked),
        "sender_cpu": usage.ru_utime + usage.ru_stime,
        "alone": alone,
        "peak_mib": usage.ru_maxrss / units_of_a_mib,
        "load": os.getloadavg()[0],
    }


def _write(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for number, invoice in enumerate(invoices(rows)):
            if number == 0:
                writer.writerow(invoice)
            writer.writerow(invoice.values())


def _took(
    words: list[str], folder: Path, environment: dict[str, str]
) -> tuple[float, resource.struct_rusage]:
    """Run the command; how long it took, and what it used."""
    began = time.perf_counter()
    with subprocess.Popen(
        [VICTOR, *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"victor {' '.join(words)} ended with {process.returncode}.")
    return time.perf_counter() - began, usage


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
