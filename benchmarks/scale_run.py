"""Measure bulk, outbox, growth and reconcile: `python -m benchmarks.scale_run`, mostly
`make bench`.

It writes the records of the runs (benchmarks/results/bulk.json and scale.json) and the page that is
made of them. `--million` measures beside a million settled rows, in place of 100,000. With
`--quick` all is tiny, and nothing is written.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from benchmarks import bulk, growth, outbox, page, reconcile, scale


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured.

    Attributes:
        bulk: Rows of a file.
        outbox: Rows of each way.
        rounds: Of each way.
        settled: Beside how many settled rows.
        reconcile: Rows of each reconciliation.
    """

    bulk: int = 20_000
    outbox: int = 5_000
    rounds: int = 3
    settled: tuple[int, ...] = (1_000, 100_000)
    reconcile: tuple[int, ...] = (10_000, 100_000)


QUICK = Sizes(500, 200, 1, (100, 1_000), (1_000, 2_000))
MILLION = Sizes(settled=(1_000, 1_000_000))


def main() -> int:
    """Exit status 1 when one of them is beyond its limits."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale_run", description=__doc__)
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--million", dest="sizes", action="store_const", const=MILLION)
    sizes.add_argument("--quick", dest="sizes", action="store_const", const=QUICK)
    options = parser.parse_args()
    is_quick = options.sizes is QUICK
    record, is_good = _measured(options.sizes or Sizes(), is_written=not is_quick)
    if is_quick:
        print(scale.scale_markdown(record))
        return 0  # so few rows show only that all of it runs
    scale.SCALE.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    page.write(page.recorded())
    return 0 if is_good else 1


def _measured(sizes: Sizes, *, is_written: bool) -> tuple[scale.Run, bool]:
    """The record, and whether all is within its limits. Files by bulk have a record of their
    own.
    """
    began, load = time.monotonic(), os.getloadavg()[0]

    def tell(what: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {what}", file=sys.stderr, flush=True)

    file = ["--echo", "--rows", str(sizes.bulk), *(["--write"] if is_written else [])]
    tell("bulk: a file on SQLite, and by one and by two processes on PostgreSQL")
    are_good = [
        not bulk.main(file),
        not bulk.main([*file, "--postgresql", "--processes", "1", "2"]),
    ]
    tell("outbox and bulk beside code by hand")
    rates = outbox.measured(sizes.outbox, sizes.rounds)
    tell("what settled rows cost")
    settled = growth.measured(sizes.settled)
    tell("reconcile")
    reconciled = reconcile.measured(sizes.reconcile)
    tell("done")
    are_good += [
        outbox.are_fast(rates),
        all(run["times"] <= growth.MOST_GROWTH for run in settled),
        reconcile.are_good(reconciled),
    ]
    record = {
        "taken": datetime.now(UTC).date().isoformat(),
        "machine": bulk.machine(),
        "python": platform.python_version(),
        "load": [round(load, 2), round(os.getloadavg()[0], 2)],
        "seconds": round(time.monotonic() - began),
        "outbox": {"rows": sizes.outbox, "rounds": sizes.rounds, "rates": rates},
        "new": growth.NEW,
        "new_rounds": growth.ROUNDS,
        "growth": settled,
        "reconcile": [asdict(run) for run in reconciled],
    }
    return record, all(are_good)


if __name__ == "__main__":
    sys.exit(main())
