"""Count the function calls of the hot paths, by function: `python -m benchmarks.hot_paths`. No
timer is involved.

Counted are Python functions that start or go on in this thread, of victor_ext and of all below it,
while one call is made on a kept connection. `tests/test_hot_paths.py` has the totals that are
accepted.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import sysconfig
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import httpx

from benchmarks.peers.victor import AwaitedOurs, Ours, payment, read
from benchmarks.server import canned_server
from victor_ext.runtime.http import connection_pool

REPEATS = 9
"""Each path is run so often, and the run with the fewest calls counts: how many parts a page
arrives in is chance.
"""
PAGE = 100
ONE = httpx.Limits(max_connections=1)
"""With more, a POST opens another connection where the kept one has just been used: that would
depend on the time.
"""
Counts = dict[str, int]
"""Of each function, as `file:name`, how often it was called."""
_ROOTS = (
    (f"{Path(sysconfig.get_path('stdlib')).resolve()}/", "python/"),
    (f"{Path(__file__).parents[1].resolve()}/", ""),
)


@contextmanager
def counted(found: Counter[CodeType]) -> Iterator[None]:
    """Count the functions that start in this thread, and the generators and coroutines that go
    on.
    """

    def called(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            found[frame.f_code] += 1

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        yield
    finally:
        sys.setprofile(before)


@contextmanager
def connections_that_need_no_rest() -> Iterator[None]:
    """A page would open a connection of its own, since nothing in it names what was asked."""
    usual, connection_pool.REUSE_DELAY = connection_pool.REUSE_DELAY, 0.0
    try:
        yield
    finally:
        connection_pool.REUSE_DELAY = usual


def named(found: Counter[CodeType]) -> Counts:
    """The counts by names that are the same on every machine; without the counting itself.

    Of Python's own library the files alone are named: its functions change with each patch.
    """
    counts: Counter[str] = Counter()
    for code, count in found.items():
        if code.co_filename == __file__ or code.co_filename.endswith("contextlib.py"):
            continue
        place = _place(code.co_filename)
        counts[place if place.startswith(("python/", "<")) else f"{place}:{code.co_qualname}"] += (
            count
        )
    return dict(sorted(counts.items()))


def _place(filename: str) -> str:
    if filename.startswith("<"):
        # of attrs: `<attrs generated init ...>`
        return filename.split(maxsplit=1)[0].rstrip(">") + ">"
    if "/site-packages/" in filename:
        return filename.rpartition("/site-packages/")[2]
    for root, prefix in _ROOTS:
        if filename.startswith(root):
            return prefix + filename.removeprefix(root)
    return Path(filename).name


def fewest(runs: list[Counter[CodeType]]) -> Counts:
    """The run with the fewest calls; the first one also connects."""
    return min(map(named, runs[1:]), key=lambda counts: sum(counts.values()))


def blocking(url: str) -> dict[str, Counts]:
    """One GET, one POST, one page with five fields of each item read, and one prepared POST."""
    client = Ours(url, limits=ONE)
    prepared = client.client.prepare("payment_requests.create", **payment())

    def page() -> None:
        for item in itertools.islice(client.items(PAGE), PAGE):
            client.read(item)

    def run(action: Callable[[], object]) -> Counts:
        runs = [Counter[CodeType]() for _ in range(REPEATS)]
        for found in runs:
            with counted(found):
                action()
        return fewest(runs)

    try:
        with connections_that_need_no_rest():
            return {
                "get": run(client.get),
                "create": run(client.create),
                "page": run(page),
                "send": run(lambda: client.client.send(prepared)),
            }
    finally:
        client.close()


async def awaited(url: str) -> dict[str, Counts]:
    """The same, awaited."""
    client = AwaitedOurs(url, limits=ONE)
    prepared = client.client.prepare("payment_requests.create", **payment())

    async def page() -> None:
        found = client.items(PAGE)
        for _ in range(PAGE):
            read(await anext(found))

    async def run(action: Callable[[], Awaitable[object]]) -> Counts:
        runs = [Counter[CodeType]() for _ in range(REPEATS)]
        for found in runs:
            with counted(found):
                await action()
        return fewest(runs)

    try:
        with connections_that_need_no_rest():
            return {
                "get, awaited": await run(client.get),
                "create, awaited": await run(client.create),
                "page, awaited": await run(page),
                "send, awaited": await run(lambda: client.client.send(prepared)),
            }
    finally:
        await client.close()


def count() -> dict[str, Counts]:
    """The counts of all paths."""
    with canned_server() as url:
        return {**blocking(url), **asyncio.run(awaited(url))}


if __name__ == "__main__":
    for path, counts in count().items():
        print(f"{path}: {sum(counts.values())}")
        print(*(f"  {number} {name}" for name, number in counts.items()), sep="\n")
