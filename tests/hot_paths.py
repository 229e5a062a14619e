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
from contextlib import contextmanager
from inspect import isawaitable
from pathlib import Path

import httpx

from benchmarks.server import canned_server
from benchmarks.speed import key, number
from tests.providers.victor.adapter import payment
from victor_ext import AsyncVictor, Victor, VictorJwt
from victor_ext._runtime.http import connections

REPEATS = 9
"""Each path is run so often, and the run with the fewest calls counts: how many parts a page
arrives in is chance.
"""
PAGE = 100
ONE = httpx.Limits(max_connections=1)
"""With more, a POST opens another connection where the kept one has just been used: that would
depend on the time.
"""
_ROOTS = (
    (f"{Path(sysconfig.get_path('stdlib')).resolve()}/", "python/"),
    (f"{Path(__file__).parents[1].resolve()}/", ""),
)


def count():
    """Of one GET, one POST, one page with five fields of each item read, and one prepared POST,
    blocking and awaited: of each function, as `file:name`, how often it was called.
    """
    usual, connections.REUSE_DELAY = connections.REUSE_DELAY, 0.0
    # A page would open a connection of its own, since nothing in it names what was asked.
    try:
        with canned_server() as url:
            return asyncio.run(_paths(f"{url}/victor"))
    finally:
        connections.REUSE_DELAY = usual


async def _paths(url):
    credentials = VictorJwt("benchmark", key())
    with Victor(credentials, base_url=url, limits=ONE) as client:
        found = await _paths_of(client)
    async with AsyncVictor(credentials, base_url=url, limits=ONE) as later:
        awaited = await _paths_of(later)
    return {**found, **{f"{path}, awaited": counts for path, counts in awaited.items()}}


async def _paths_of(client):
    requests = client.payment_requests
    prepared = client.prepare("payment_requests.create", **_payment())
    paths = {
        "get": lambda: requests.get(f"R{number()}"),
        "create": lambda: requests.create(**_payment()),
        "page": lambda: _page(requests.list(page_size=PAGE)),
        "send": lambda: client.send(prepared),
    }
    return {path: await _run(action) for path, action in paths.items()}


async def _run(action):
    runs = [Counter() for _ in range(REPEATS)]
    for calls in runs:
        with _counted(calls):
            result = action()
            if isawaitable(result):
                await result
    return _fewest(runs)


async def _page(items):
    """Read the items of a page, and five fields of each."""
    if hasattr(items, "__aiter__"):
        items = aiter(items)
        for _ in range(PAGE):
            _read(await anext(items))
    else:
        for item in itertools.islice(items, PAGE):
            _read(item)


def _payment():
    return payment(client_reference_id="INV-00001001")


def _read(item):
    return item.id, item.client_reference_id, item.status, item.amount, item.created_at


@contextmanager
def _counted(calls):
    """Count the functions that start in this thread, and the generators and coroutines that go
    on.
    """

    def called(frame, event, _):
        if event == "call":
            calls[frame.f_code] += 1

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        yield
    finally:
        sys.setprofile(before)


def _fewest(runs):
    """The run with the fewest calls; the first one also connects."""
    return min(map(_named, runs[1:]), key=lambda counts: sum(counts.values()))


def _named(calls):
    """The counts by names that are the same on every machine; without the counting itself.

    Of Python's own library the files alone are named: its functions change with each patch.
    """
    counts = Counter()
    for code, times in calls.items():
        if code.co_filename == __file__ or code.co_filename.endswith("contextlib.py"):
            continue
        name = _place(code.co_filename)
        if not name.startswith(("python/", "<")):
            name = f"{name}:{code.co_qualname}"
        counts[name] += times
    return dict(sorted(counts.items()))


def _place(filename):
    if filename.startswith("<"):
        # written by a library, such as the `__init__` of a dataclass
        return filename.split(maxsplit=1)[0].rstrip(">") + ">"
    if "/site-packages/" in filename:
        return filename.rpartition("/site-packages/")[2]
    for root, prefix in _ROOTS:
        if filename.startswith(root):
            return prefix + filename.removeprefix(root)
    return Path(filename).name
