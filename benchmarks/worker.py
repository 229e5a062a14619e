"""One client in a process of its own: `python -m benchmarks.worker CLIENT URL`.

Its first line of output is what its first answer took. Then it reads an order a line, the kind and
the number of units, and answers each with a line: units, seconds, and seconds of CPU.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

_THREADS = 16
_TASKS = 50
_PATIENCE = 60
"""Seconds after which an order ends the process: it hangs."""


def tell(units: float, began: float, cpu: float) -> None:
    """Print what so many units have taken since these two times."""
    figures = [units, time.perf_counter() - began, time.process_time() - cpu]
    signal.alarm(0)
    print(json.dumps(figures), flush=True)


def _call(operation: Callable[[], object], times: int) -> None:
    for _ in range(times):
        operation()


def _call_in_threads(operation: Callable[[], object], times: int) -> None:
    with ThreadPoolExecutor(_THREADS) as pool:
        parts = [pool.submit(_call, operation, times // _THREADS) for _ in range(_THREADS)]
    for part in parts:
        part.result()


async def _await(client: Any, times: int) -> None:
    left = iter(range(times))

    async def run() -> None:
        for _ in left:
            await get()

    async with client.awaited() as get:
        await asyncio.gather(*(get() for _ in range(_TASKS)))  # opens the connections
        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(run() for _ in range(_TASKS)))
        tell(times, began, cpu)


def _peak() -> float:
    """MB of memory that this process had at most."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(client: Any, kind: str, units: int) -> None:
    """Make calls of a kind, and tell what they have taken."""
    if kind == "awaited":
        asyncio.run(_await(client, units))
        return
    gc.collect()
    began, cpu = time.perf_counter(), time.process_time()
    if kind in ("get", "create"):
        _call(getattr(client, kind), units)
    elif kind == "threads":
        _call_in_threads(client.get, units)
    else:
        size = 1000 if kind == "items of 1,000" else 100
        items: Iterator[object] = client.items(size)
        deque(itertools.islice(items, units), maxlen=0)
    tell(_peak() if kind == "memory" else units, began, cpu)


def main() -> None:
    """Answer orders until the input ends."""
    name, url = sys.argv[1:]
    signal.alarm(_PATIENCE)
    began, cpu = time.perf_counter(), time.process_time()
    from benchmarks.clients import CLIENTS

    client = CLIENTS[name](url)
    client.get()
    tell(1, began, cpu)
    for line in sys.stdin:
        signal.alarm(_PATIENCE)
        measure(client, *json.loads(line))


if __name__ == "__main__":
    main()
