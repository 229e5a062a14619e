"""Measure victor_ext against raw httpx, other clients and code by hand: `python -m benchmarks
[--rows NAMES] [--quick]`, mostly `make bench`.

All of it takes about ten minutes, and writes the records of the runs (benchmarks/results) and the
pages that are made of them. With `--rows` or `--quick`, the tables are printed, and nothing is
written. At the end, what is behind the committed records is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import bulk, comparison, growth, outbox, page, scale
from benchmarks.comparison import Comparison
from benchmarks.measure import (
    RAW,
    TRUSTED,
    Refused,
    answer_bytes,
    make_stock,
    output,
    run,
    smaller,
)
from benchmarks.measures import CONTENDERS, MEASURES, ROWS
from benchmarks.peers import victor
from benchmarks.server import canned_server
from tests.faults.certificates import Authority

_VERSIONS = """
import json, sys
from importlib.metadata import version
print(json.dumps({name: version(name) for name in sys.argv[1:]}))
"""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured.

    Attributes:
        part: By how much the calls of clients are divided.
        bulk: Rows of a file.
        outbox: Rows of each way.
        rounds: Of each way.
        settled: Beside how many settled rows.
    """

    part: int = 1
    bulk: int = 20_000
    outbox: int = 2_500
    rounds: int = 3
    settled: tuple[int, ...] = (1_000, 100_000)


QUICK = Sizes(10, 500, 200, 1, (100, 1_000))
ALL = (*ROWS, *scale.ROWS)
"""What can be measured, as `--rows` names it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 1 when a contender fails; 0 whatever is behind."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--rows",
        type=rows_named,
        default=ALL,
        metavar="NAMES",
        help=f"only some rows, such as bulk,first-answer; nothing is written ({', '.join(ALL)})",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of everything; nothing is written"
    )
    options = parser.parse_args(arguments)
    rows: Collection[str] = options.rows
    committed = {path: comparison.committed(path) for path in (page.RECORD, scale.SCALE)}
    sizes = QUICK if options.quick else Sizes()
    began = time.monotonic()

    def tell(what: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {what}", file=sys.stderr, flush=True)

    clients, stores = page.Record(), scale.Run()
    try:
        if measures := [name for row, name in ROWS.items() if row in rows]:
            clients = clients_measured(measures, sizes, tell)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    if parts := [row for row in scale.ROWS if row in rows]:
        stores = stores_measured(parts, sizes, tell)
    tell("done")
    is_whole = {*rows} == {*ALL} and not options.quick
    if not is_whole:
        print(page.tables_alone(clients) if clients else "")
        print(scale.markdown(stores) if stores else "")
    if options.quick:
        print("Quick: chance decides. Compare nothing with docs/benchmarks.md.")
        return 0
    if is_whole:
        page.RECORD.write_text(json.dumps(clients) + "\n", encoding="utf-8")
        scale.SCALE.write_text(json.dumps(stores, indent=1) + "\n", encoding="utf-8")
        page.write(clients)
    found = [
        Comparison("Clients", committed[page.RECORD], clients, comparison.of_clients),
        Comparison("Bulk and outbox", committed[scale.SCALE], stores, comparison.of_stores),
    ]
    print(comparison.markdown([each for each in found if each.now]), end="")
    return 0


def rows_named(text: str) -> list[str]:
    """The rows that `--rows` names."""
    names = text.split(",")
    if unknown := [name for name in names if name not in ALL]:
        message = f"no row is called {', '.join(unknown)}; the rows are {', '.join(ALL)}"
        raise argparse.ArgumentTypeError(message)
    return names


def stores_measured(rows: Collection[str], sizes: Sizes, tell: page.Tell) -> scale.Run:
    """Some of `scale.ROWS`, and where and when that was."""
    found, load = scale.Run(), os.getloadavg()[0]
    if files := [row for row in bulk.PARTS if row in rows]:
        tell("bulk: a file on SQLite and on PostgreSQL")
        found["bulk"] = bulk.measured(sizes.bulk, files)
    # What is told of a file is compared with bulk sending by hand.
    if ways := [way for way in outbox.WAYS if way in rows or (way == "bulk" and files)]:
        tell(f"{' and '.join(ways)} beside code by hand")
        rates = outbox.measured(sizes.outbox, sizes.rounds, ways)
        found["outbox"] = {"rows": sizes.outbox, "rounds": sizes.rounds, "rates": rates}
    if "growth" in rows:
        tell("what settled rows cost")
        settled = growth.measured(sizes.settled)
        found |= {"new": growth.NEW, "new_rounds": growth.ROUNDS, "growth": settled}
    return {
        "taken": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "python": platform.python_version(),
        "load": [round(load, 2), round(os.getloadavg()[0], 2)],
        **found,
    }


def clients_measured(chosen: Sequence[str], sizes: Sizes, tell: page.Tell) -> page.Record:
    """Some of `MEASURES`, and where and when that was."""
    tell("generating the stock client, making a key")
    make_stock()
    shutil.rmtree(victor.KEY.parent, ignore_errors=True)
    victor.key()
    began, load = time.monotonic(), os.getloadavg()[0]
    measured = {name: smaller(MEASURES[name], sizes.part) for name in chosen}
    authority = Authority(TRUSTED.parent)
    TRUSTED.write_text(authority.pem)
    with canned_server() as plain, canned_server(authority.pair()) as secure:
        measures = run(measured, {False: plain, True: secure}, tell)
    peers = sorted(
        {each.distribution for each in CONTENDERS.values() if each.peer} - {"openapi-python-client"}
    )
    return {
        "taken": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "python": platform.python_version(),
        "load": [round(load, 2), round(os.getloadavg()[0], 2)],
        "seconds": round(time.monotonic() - began),
        "raw": RAW,
        "versions": {
            **{name: version(name) for name in ("victor-ext", "httpx", "openapi-python-client")},
            **output("stock", _VERSIONS, *peers),
        },
        "bytes": answer_bytes(),
        "extents": {each: [found.share, found.budget] for each, found in measured.items()},
        "measures": measures,
    }


def machine() -> str:
    """What kind of machine this is: system, processor, cores; no name of it."""
    described = platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        found = re.search(r"model name\s*:\s*(.+)", information.read_text(encoding="utf-8"))
        described = found[1].strip() if found else described
    return f"{platform.system()}, {os.cpu_count()} cores, {described}"


if __name__ == "__main__":
    sys.exit(main())
