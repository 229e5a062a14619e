"""Measure victor_ext against raw httpx and other clients: `python -m benchmarks [--quick]`, mostly
`make bench`.

Without `--quick` it takes about 10 minutes, and writes the record of the run
(benchmarks/results/peers.json) and the page that is made of it. With `--quick` it takes one or two,
and prints the page.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import page
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


def main() -> int:
    """Exit status 1 when a ratio of ours is beyond its limit, or a contender fails."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of everything; nothing is written"
    )
    options = parser.parse_args()
    began = time.monotonic()

    def tell(what: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {what}", file=sys.stderr, flush=True)

    try:
        record = recorded(10 if options.quick else 1, tell)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    if options.quick:
        print(
            "Quick: a tenth of the calls, in which chance decides. Compare nothing with "
            "docs/benchmarks.md.\n"
        )
        print(page.tables(record))
        return 0  # in so few calls chance decides: the limits are for a whole run
    page.RECORD.write_text(page.as_text(record), encoding="utf-8")
    page.write(record)
    tell(
        "written: "
        f"{', '.join(str(path.relative_to(page.ROOT)) for path in (page.RECORD, page.PAGE, page.TABLES, page.CHART))}"
    )
    beyond = page.beyond_limits(record)
    for line in beyond:
        print(line, file=sys.stderr)
    return 1 if beyond else 0


def recorded(quick: int, tell: page.Tell) -> page.Record:
    """Run, and say where and when that was."""
    tell("generating the stock client, making keys")
    make_stock()
    shutil.rmtree(victor.KEYS, ignore_errors=True)
    for bits in (2048, 4096):
        victor.key(bits)
    began, load = time.monotonic(), os.getloadavg()[0]
    authority = Authority(TRUSTED.parent)
    TRUSTED.write_text(authority.pem)
    with canned_server() as plain, canned_server(authority.pair()) as secure:
        measures = run({False: plain, True: secure}, quick, tell)
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
