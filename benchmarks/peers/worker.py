"""One contender in a process of its own:
`python -m benchmarks.peers.worker MODULE CONNECT AWAITED URL [SHAPE]`.

It reads one order a line (JSON) and answers each with a line: how many units were done, in how many
seconds, with how many seconds of CPU. A shape is what raw httpx asks for beside a contender.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import itertools
import json
import resource
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

Figures = tuple[int, float, float]
"""Units, seconds, seconds of CPU."""


def measured(action: Callable[[float], int], budget: float) -> Figures:
    """Run the action, which is told until when it may go on and says how many units it did."""
    gc.collect()
    cpu, began = time.process_time(), time.perf_counter()
    units = action(began + budget)
    return units, time.perf_counter() - began, time.process_time() - cpu


def calls(operation: Callable[[], object], share: int, end: float) -> int:
    """Call until the share is done, or the time is over; at least three times."""
    done = 0
    while done < share and (done < 3 or time.perf_counter() < end):
        operation()
        done += 1
    return done


def items(client: Any, page_size: int, share: int, end: float) -> int:
    """Read whole pages until the share is done, or the time is over."""
    found, done = client.items(page_size), 0
    while done < share and (not done or time.perf_counter() < end):
        for item in itertools.islice(found, page_size):
            client.read(item)
        done += page_size
    return done


def threads(operation: Callable[[], object], count: int, share: int, end: float) -> int:
    """Call from several threads."""
    done = [0] * count

    def run(number: int) -> None:
        done[number] = calls(operation, share // count, end)

    running = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return sum(done)


async def awaited(client: Any, at_a_time: int, share: int, budget: float) -> Figures:
    """Await calls, so many at a time."""
    left = itertools.count()
    done = 0

    async def run(end: float) -> None:
        nonlocal done
        while next(left) < share and time.perf_counter() < end:
            await client.get()
            done += 1

    gc.collect()
    cpu, began = time.process_time(), time.perf_counter()
    await asyncio.gather(*(run(began + budget) for _ in range(at_a_time)))
    return done, time.perf_counter() - began, time.process_time() - cpu


class Worker:
    """The contender, connected."""

    def __init__(self, module: str, connect: str, awaited: str, url: str, *shape: str) -> None:
        found = importlib.import_module(f"benchmarks.peers.{module}")
        self.client = getattr(found, connect)(url, *shape)
        self.connect_awaited = partial(getattr(found, awaited), url, *shape) if awaited else None
        for operation in (self.client.get, self.client.create):
            operation()

    def order(self, kind: str, argument: Any, share: int, budget: float) -> Figures:
        """Measure the contender."""
        if kind == "awaited":
            return asyncio.run(self._awaited(argument, share, budget))
        return measured(self._action(kind, argument, share), budget)

    def _action(self, kind: str, argument: Any, share: int) -> Callable[[float], int]:
        client = self.client
        if kind == "call":
            return lambda end: calls(getattr(client, argument), share, end)
        if kind == "threads":
            return lambda end: threads(client.get, argument, share, end)
        return lambda end: items(client, argument, share, end)

    async def _awaited(self, at_a_time: int, share: int, budget: float) -> Figures:
        assert self.connect_awaited is not None
        client = self.connect_awaited()
        # connects, and imports what is left
        await asyncio.gather(*(client.get() for _ in range(at_a_time)))
        found = await awaited(client, at_a_time, share, budget)
        await client.close()
        return found


def peak() -> float:
    """MB of memory that this process had at most."""
    status = Path("/proc/self/status")
    if status.exists():  # on Linux, `getrusage` counts what the process that started this one had
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def memory(
    module: str, connect: str, url: str, page_size: int, share: int, budget: float
) -> list[float]:
    """The peak after so many items, how far it rose after the first two pages, and how many items
    there were.
    """
    client = getattr(importlib.import_module(f"benchmarks.peers.{module}"), connect)(url)
    items(client, page_size, 2 * page_size, time.perf_counter() + budget)
    before = peak()
    done = items(client, page_size, share, time.perf_counter() + budget)
    return [peak(), peak() - before, done]


def main() -> None:
    """Answer orders until the input ends."""
    worker = Worker(*sys.argv[1:])
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        print(json.dumps(worker.order(*json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
