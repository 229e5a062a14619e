"""Measure victor_ext against raw httpx, other clients and code by hand: `python -m benchmarks
[--quick]`, mostly `make bench`.

Without `--quick` it takes about 25 minutes, and writes the records of the runs (benchmarks/results)
and the pages that are made of them. With `--quick` it takes some minutes, and prints the tables.
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
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import bulk, growth, outbox, page, scale
from benchmarks.measure import RAW, TRUSTED, Refused, answer_bytes, make_stock, output, run
from benchmarks.measures import CONTENDERS, MEASURES
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
    outbox: int = 5_000
    rounds: int = 3
    settled: tuple[int, ...] = (1_000, 100_000)


QUICK = Sizes(10, 500, 200, 1, (100, 1_000))


def main() -> int:
    """Exit status 1 when a contender fails."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of everything; nothing is written"
    )
    options = parser.parse_args()
    sizes = QUICK if options.quick else Sizes()
    began = time.monotonic()

    def tell(what: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {what}", file=sys.stderr, flush=True)

    try:
        clients = clients_measured(sizes, tell)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    stores = stores_measured(sizes, tell)
    if options.quick:
        print("Quick: chance decides. Compare nothing with docs/benchmarks.md.\n")
        print(page.tables(clients), scale.markdown(stores), sep="\n")
        return 0
    page.RECORD.write_text(json.dumps(clients) + "\n", encoding="utf-8")
    scale.SCALE.write_text(json.dumps(stores, indent=1) + "\n", encoding="utf-8")
    page.write(clients)
    return 0


def stores_measured(sizes: Sizes, tell: page.Tell) -> scale.Run:
    """Bulk, the outbox and the inbox, and where and when that was."""
    load = os.getloadavg()[0]
    tell("bulk: a file on SQLite and on PostgreSQL")
    files = bulk.measured(sizes.bulk)
    tell("outbox and bulk beside code by hand")
    rates = outbox.measured(sizes.outbox, sizes.rounds)
    tell("what settled rows cost")
    settled = growth.measured(sizes.settled)
    return {
        "taken": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "python": platform.python_version(),
        "load": [round(load, 2), round(os.getloadavg()[0], 2)],
        "bulk": files,
        "outbox": {"rows": sizes.outbox, "rounds": sizes.rounds, "rates": rates},
        "new": growth.NEW,
        "new_rounds": growth.ROUNDS,
        "growth": settled,
    }


def clients_measured(sizes: Sizes, tell: page.Tell) -> page.Record:
    """The clients, and where and when that was."""
    tell("generating the stock client, making a key")
    make_stock()
    shutil.rmtree(victor.KEY.parent, ignore_errors=True)
    victor.key()
    began, load = time.monotonic(), os.getloadavg()[0]
    authority = Authority(TRUSTED.parent)
    TRUSTED.write_text(authority.pem)
    with canned_server() as plain, canned_server(authority.pair()) as secure:
        measures = run({False: plain, True: secure}, sizes.part, tell)
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
        "measures": {name: measures[name] for name in MEASURES},
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
