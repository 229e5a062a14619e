"""What orjson would save: `python -m benchmarks.decoding [--write]` reads pages with Python's
decoder and with it.

With `--write` the rounds are recorded (benchmarks/results/decoding.json); docs/benchmarks.md says
what they say.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

RECORD = Path(__file__).with_name("results") / "decoding.json"
ROUNDS = 25
_SIZES = (100, 1000)
_ITEMS = 10_000
_ONES = bytes(ord("1") if chr(each).isdecimal() else ord(" ") for each in range(256))


def checked(body: bytes) -> Any:
    """The JSON of a body by orjson; by Python's decoder where it may have an integer beyond 64
    bits.
    """
    # A regular expression for 19 digits takes longer than either decoder.
    import orjson

    return json.loads(body) if b"1" * 19 in body.translate(_ONES) else orjson.loads(body)


def measured() -> dict[str, Any]:
    """The record: of each size of a page, of each round, the CPU of an item (µs) with either
    decoder.
    """
    from benchmarks.peers import victor, worker
    from benchmarks.server import canned_server
    from victor_ext.runtime.core import response

    def used(client: Any, size: int, decode: Callable[[bytes], Any]) -> float:
        response.json = SimpleNamespace(loads=decode)  # type: ignore[assignment, misc]  # all that it has of json
        units, _, cpu = worker.measured(partial(worker.items, client, size, _ITEMS), 60.0)
        return round(cpu / units * 1e6, 3)

    with canned_server() as url:
        client = victor.connect(url)
        for size in _SIZES:  # the first pages warm up
            worker.items(client, size, _ITEMS, time.perf_counter() + 60.0)
        rounds = {
            str(size): [
                [used(client, size, json.loads), used(client, size, checked)] for _ in range(ROUNDS)
            ]
            for size in _SIZES
        }
    return {
        "taken": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "orjson": version("orjson"),
        "rounds": rounds,
    }


def note(record: dict[str, Any]) -> str:
    """What docs/benchmarks.md says of it."""
    told = ", ".join(
        f"{100 - 100 * median(new / old for old, new in rounds):.0f} % of a page of {int(size):,}"
        for size, rounds in record["rounds"].items()
    )
    return (
        "JSON is read by Python's own decoder. orjson rounds integers beyond 64 bits, so a body "
        "has to be searched\n"
        f"for 19 digits in a row first. With that an item takes less CPU: {told}.\n"
        f"That is too little for a second decoder of amounts. (Medians of {ROUNDS} pairs of "
        "rounds; Python\n"
        f"{record['python']}, orjson {record['orjson']}, {record['taken']}. Again: `python -m "
        "benchmarks.decoding`.)"
    )


def recorded() -> dict[str, Any]:
    """The record that was written."""
    found: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return found


def main() -> None:
    """Measure, and print what the page would say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decoding", description=__doc__)
    parser.add_argument(
        "--write", action="store_true", help="record it; `make bench-page` makes the page anew"
    )
    options = parser.parse_args()
    record = measured()
    print(note(record))
    if options.write:
        text = (
            json.dumps(record, indent=1)
            .replace("[\n    ", "[")
            .replace(",\n    ", ", ")
            .replace("\n   ]", "]")
        )
        RECORD.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
