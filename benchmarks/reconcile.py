"""Measure `victor reconcile` against the sandbox:
`python -m benchmarks.reconcile --rows 10000 100000`.

One sandbox, filled further for each number of rows, and the command as a user runs it. Of each
thousand rows some are planted: asked twice, missing, unknown, with another amount, with another
currency. What is printed: whether all of them were found and nothing else, the time of a row, and
the command's peak memory as a ratio to the first.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.bulk import VICTOR, cpu_seconds, peak_mib, sandbox_process

MOST_MEMORY = 1.3
"""How often its first peak memory a longer file may need: caches of a fixed size fill up to then.
"""
_THOUSAND = 1000
_PLANTED = {0: "missing", 1: "amount", 2: "duplicate", 3: "unknown", 4: "currency"}
"""What is planted in a row, by its number modulo a thousand."""
_KINDS = {
    "amount": ["differs"],
    "currency": ["differs"],
    "duplicate": ["duplicate", "matched"],
}
"""The kinds of rows that show it, where the word is another one."""
_AMOUNT = "44.23"
_ZULU = "%Y-%m-%dT%H:%M:%SZ"

_FILL = """
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
import httpx
from victor_ext import Victor

first, last, due = int(sys.argv[1]), int(sys.argv[2]), datetime.now(UTC).date()
with Victor.from_env(limits=httpx.Limits(max_connections=32)) as victor, ThreadPoolExecutor(16) as pool:
    def ask(number):
        victor.payment_requests.create(
            payee_account_number="043987673645", payer_counterparty_id="ignoresRfp", amount="44.23",
            biller_type="BUSINESS", due_date=due, client_reference_id=f"REF-{number}")
    asked = (n for n in range(first, last) if n % 1000 != 0)
    for _ in pool.map(ask, asked): pass
    for _ in pool.map(ask, (n for n in range(first, last) if n % 1000 == 2)): pass
"""
"""Asks for the rows of the sandbox: not for those that are missing, twice for the duplicates."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one reconciliation took.

    Attributes:
        rows: How many of ours.
        seconds: From the start of the command to its end, without its report.
        microseconds: Of these, for a row.
        peak_mib: The command's peak memory.
        ratio: That, over the peak of the first.
        cpu: Seconds of CPU that the command used.
        exact: Whether all that was planted was found, and nothing else.
    """

    rows: int
    seconds: float
    microseconds: float
    peak_mib: float
    ratio: float
    cpu: float
    exact: bool


def main() -> int:
    """Exit status 1 when a finding is wrong, or memory grows with the number of rows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reconcile", description=__doc__)
    parser.add_argument(
        "--rows", type=int, nargs="+", default=[10_000, 100_000], metavar="N", help="ascending"
    )
    parser.add_argument("--json", action="store_true", help="for machines")
    options = parser.parse_args()
    runs = measured(sorted(options.rows))
    if options.json:
        print(json.dumps([asdict(run) for run in runs], indent=1))
    else:
        Console().print(_table(runs))
    return 0 if are_good(runs) else 1


def measured(sizes: Sequence[int]) -> list[Run]:
    """A reconciliation of each size."""
    with tempfile.TemporaryDirectory(prefix="victor-reconcile-bench-") as folder:
        return _runs(Path(folder), sizes)


def are_good(runs: Sequence[Run]) -> bool:
    """Whether each finding is right, and memory does not grow with the rows."""
    return all(run.exact and run.ratio <= MOST_MEMORY for run in runs)


def _runs(folder: Path, sizes: Sequence[int]) -> list[Run]:
    """Fill the sandbox step by step, and reconcile after each."""
    runs: list[Run] = []
    filled = 0
    with sandbox_process(folder, signed=False) as (environment, _):
        for rows in sizes:
            fill = [sys.executable, "-c", _FILL, str(filled), str(rows)]
            subprocess.run(fill, env=environment, check=True)
            filled = rows
            first_peak = runs[0].peak_mib if runs else None
            run = _run(folder, rows, environment, first_peak)
            runs.append(run)
            print(f"{rows:,} rows: {run.seconds:,.1f} s, {run.peak_mib:,.1f} MiB", file=sys.stderr)
    return runs


def _run(folder: Path, rows: int, environment: dict[str, str], first_peak: float | None) -> Run:
    expected = _write(folder / "ours.csv", rows)
    began = time.perf_counter()
    with subprocess.Popen(
        [VICTOR, *_command()], cwd=folder, env=environment, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    if process.returncode != 1:
        raise SystemExit(f"victor reconcile ended with {process.returncode}.")
    counts = {kind: count for kind, count in json.loads(printed)["counts"].items() if count}
    if counts != expected:
        print(f"expected {dict(expected)}, got {counts}", file=sys.stderr)
    peak = peak_mib(usage)
    return Run(
        rows=rows,
        seconds=seconds,
        microseconds=1e6 * seconds / rows,
        peak_mib=peak,
        ratio=peak / (first_peak or peak),
        cpu=cpu_seconds(usage),
        exact=counts == expected,
    )


def _command() -> Sequence[str]:
    """The command, with a window around now."""
    now = datetime.now(UTC)
    start, end = now - timedelta(hours=4), now + timedelta(hours=4)
    window = ("--start", f"{start:{_ZULU}}", "--end", f"{end:{_ZULU}}")
    return ("reconcile", "ours.csv", *window, "--json")


def _write(path: Path, rows: int) -> Counter[str]:
    """Write our file. Returns what has to be found."""
    expected: Counter[str] = Counter()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("client_reference_id", "amount", "currency"))
        for number in range(rows):
            planted = _PLANTED.get(number % _THOUSAND, "matched")
            expected.update(_KINDS.get(planted, [planted]))
            if planted != "unknown":
                amount = "44.24" if planted == "amount" else _AMOUNT
                currency = "EUR" if planted == "currency" else "USD"
                writer.writerow((f"REF-{number}", amount, currency))
    return expected


def _table(runs: Sequence[Run]) -> Table:
    table = Table("victor reconcile", *(f"{run.rows:,} rows" for run in runs))
    for column in table.columns[1:]:
        column.justify = "right"
    lines = {
        "all that was planted, nothing else": ["yes" if run.exact else "NO" for run in runs],
        "seconds in all": [f"{run.seconds:,.1f}" for run in runs],
        "microseconds a row": [f"{run.microseconds:,.0f}" for run in runs],
        "CPU of the command, seconds": [f"{run.cpu:,.1f}" for run in runs],
        "peak memory, MiB": [f"{run.peak_mib:,.1f}" for run in runs],
        f"ratio to the first (at most {MOST_MEMORY})": [f"{run.ratio:.2f}" for run in runs],
    }
    for name, values in lines.items():
        table.add_row(name, *values)
    return table


if __name__ == "__main__":
    sys.exit(main())
