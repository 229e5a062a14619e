"""Count the function calls of the hot paths, by function. No timer is involved.

Counted are Python functions that start or go on in this thread, of victor_ext and of all below it,
while one call is made on a kept connection.
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

from benchmarks.peers import number
from benchmarks.peers.victor import key
from benchmarks.server import canned_server
from tests.providers.victor.adapter import payment
from victor_ext import AsyncVictor, Victor, VictorJwt
from victor_ext.runtime.http import connections

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


def count() -> dict[str, Counts]:
    """Of one GET, one POST, one page with five fields of each item read, and one prepared POST,
    blocking and awaited.
    """
    usual, connections.REUSE_DELAY = connections.REUSE_DELAY, 0.0
    # A page would open a connection of its own, since nothing in it names what was asked.
    try:
        with canned_server() as url:
            return {**_blocking(f"{url}/victor"), **asyncio.run(_awaited(f"{url}/victor"))}
    finally:
        connections.REUSE_DELAY = usual


def _blocking(url: str) -> dict[str, Counts]:
    client = Victor(VictorJwt("benchmark", key()), base_url=url, limits=ONE)
    prepared = client.prepare("payment_requests.create", **_payment())

    def page() -> None:
        items = client.payment_requests.list(page_size=PAGE)
        for item in itertools.islice(items, PAGE):
            _read(item)

    def run(action: Callable[[], object]) -> Counts:
        runs = [Counter[CodeType]() for _ in range(REPEATS)]
        for calls in runs:
            with _counted(calls):
                action()
        return _fewest(runs)

    with client:
        return {
            "get": run(lambda: client.payment_requests.get(f"R{number()}")),
            "create": run(lambda: client.payment_requests.create(**_payment())),
            "page": run(page),
            "send": run(lambda: client.send(prepared)),
        }


async def _awaited(url: str) -> dict[str, Counts]:
    client = AsyncVictor(VictorJwt("benchmark", key()), base_url=url, limits=ONE)
    prepared = client.prepare("payment_requests.create", **_payment())

    async def page() -> None:
        items = aiter(client.payment_requests.list(page_size=PAGE))
        for _ in range(PAGE):
            _read(await anext(items))

    async def run(action: Callable[[], Awaitable[object]]) -> Counts:
        runs = [Counter[CodeType]() for _ in range(REPEATS)]
        for calls in runs:
            with _counted(calls):
                await action()
        return _fewest(runs)

    async with client:
        return {
            "get, awaited": await run(lambda: client.payment_requests.get(f"R{number()}")),
            "create, awaited": await run(lambda: client.payment_requests.create(**_payment())),
            "page, awaited": await run(page),
            "send, awaited": await run(lambda: client.send(prepared)),
        }


def _payment() -> dict[str, Any]:
    return payment(client_reference_id="INV-00001001")


def _read(item: Any) -> tuple[Any, ...]:
    return item.id, item.client_reference_id, item.status, item.amount, item.created_at


@contextmanager
def _counted(calls: Counter[CodeType]) -> Iterator[None]:
    """Count the functions that start in this thread, and the generators and coroutines that go
    on.
    """

    def called(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            calls[frame.f_code] += 1

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        yield
    finally:
        sys.setprofile(before)


def _fewest(runs: list[Counter[CodeType]]) -> Counts:
    """The run with the fewest calls; the first one also connects."""
    return min(map(_named, runs[1:]), key=lambda counts: sum(counts.values()))


def _named(calls: Counter[CodeType]) -> Counts:
    """The counts by names that are the same on every machine; without the counting itself.

    Of Python's own library the files alone are named: its functions change with each patch.
    """
    counts: Counter[str] = Counter()
    for code, times in calls.items():
        if code.co_filename == __file__ or code.co_filename.endswith("contextlib.py"):
            continue
        name = _place(code.co_filename)
        if not name.startswith(("python/", "<")):
            name = f"{name}:{code.co_qualname}"
        counts[name] += times
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
