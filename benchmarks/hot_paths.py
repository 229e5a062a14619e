"""Count the function calls of the hot paths: `python -m benchmarks.hot_paths [--accept]`. No timer is involved.

Counted are Python functions that start in this thread, of victor_ext and of all below it, while one call is made on a
kept connection: by `sys.monitoring`, and on Python 3.11, which lacks it, by `sys.setprofile`, which also counts when a
generator or a coroutine goes on. So each version of Python has counts of its own in results/hot_paths.json.
`make test` compares (tests/test_hot_paths.py); `make hot-paths` accepts what this Python counts now.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import subprocess
import sys
import sysconfig
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import httpx

from benchmarks.peers.victor import AwaitedOurs, Ours, read
from benchmarks.server import canned_server
from victor_ext.runtime.http import connection_pool

RECORD = Path(__file__).with_name("results") / "hot_paths.json"
PYTHON = ".".join(map(str, sys.version_info[:2]))
MOST = 1.02
"""A path may make 2 % more calls than recorded: a patch of Python or of httpx may make one more."""
LEAST = 0.9
"""A path that makes a tenth fewer calls is to be accepted, so that it stays so."""
REPEATS = 9
"""Each path is run so often, and the run with the fewest calls counts: how many parts a page arrives in is chance."""
PAGE = 100
ONE = httpx.Limits(max_connections=1)
"""With more, a POST opens another connection where the kept one has just been used: that would depend on the time."""
Counts = dict[str, int]
"""Of each function, as `file:name`, how often it was called."""
_ROOTS = tuple(
    (str(Path(path).resolve()) + "/", prefix)
    for path, prefix in (
        (sysconfig.get_path("stdlib"), "python/"),
        (Path(__file__).parents[1], ""),
    )
)


@contextmanager
def counted(found: Counter[CodeType]) -> Iterator[None]:
    """Count the functions that start in this thread."""
    if sys.version_info >= (3, 12):
        monitoring, tool, mine = sys.monitoring, 4, threading.get_ident()

        def started(code: CodeType, _: int) -> None:
            if threading.get_ident() == mine:
                found[code] += 1

        monitoring.use_tool_id(tool, "hot paths")
        monitoring.register_callback(tool, monitoring.events.PY_START, started)
        monitoring.set_events(tool, monitoring.events.PY_START)
        try:
            yield
        finally:
            monitoring.set_events(tool, 0)
            monitoring.free_tool_id(tool)
        return

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
        counts[place if place.startswith(("python/", "<")) else f"{place}:{code.co_qualname}"] += count
    return dict(sorted(counts.items()))


def _place(filename: str) -> str:
    if filename.startswith("<"):
        return filename.split(maxsplit=1)[0].rstrip(">") + ">"  # of attrs: `<attrs generated init ...>`
    if "/site-packages/" in filename:
        return filename.rpartition("/site-packages/")[2]
    for root, prefix in _ROOTS:
        if filename.startswith(root):
            return prefix + filename.removeprefix(root)
    return Path(filename).name


def fewest(runs: list[Counter[CodeType]]) -> Counts:
    """The run with the fewest calls."""
    return min(map(named, runs), key=lambda counts: sum(counts.values()))


def blocking(url: str) -> dict[str, Counts]:
    """One GET, one POST and one page with five fields of each item read."""
    client = Ours(url, limits=ONE)

    def page() -> None:
        for item in itertools.islice(client.items(PAGE), PAGE):
            client.read(item)

    def run(action: Callable[[], object]) -> Counts:
        runs = []
        for _ in range(REPEATS):
            found: Counter[CodeType] = Counter()
            with counted(found):
                action()
            runs.append(found)
        return fewest(runs[1:])

    try:
        with connections_that_need_no_rest():
            return {"get": run(client.get), "create": run(client.create), "page": run(page)}
    finally:
        client.close()


async def awaited(url: str) -> dict[str, Counts]:
    """The same, awaited."""
    client = AwaitedOurs(url, limits=ONE)

    async def page() -> None:
        found = client.items(PAGE)
        for _ in range(PAGE):
            read(await anext(found))

    async def run(action: Callable[[], Awaitable[object]]) -> Counts:
        runs = []
        for _ in range(REPEATS):
            found: Counter[CodeType] = Counter()
            with counted(found):
                await action()
            runs.append(found)
        return fewest(runs[1:])

    try:
        with connections_that_need_no_rest():
            return {
                "get, awaited": await run(client.get),
                "create, awaited": await run(client.create),
                "page, awaited": await run(page),
            }
    finally:
        await client.close()


def count() -> dict[str, Counts]:
    """The counts of all paths."""
    with canned_server() as url:
        return {**blocking(url), **asyncio.run(awaited(url))}


def complaints(recorded: dict[str, Counts], found: dict[str, Counts]) -> list[str]:
    """A text for each path that makes more calls than the tolerance allows, or far fewer, with the functions."""
    texts = []
    for path, counts in found.items():
        before, now = recorded.get(path, {}), sum(counts.values())
        then = sum(before.values())
        if then * LEAST <= now <= then * MOST:
            continue
        changed = {name: counts.get(name, 0) - before.get(name, 0) for name in {*counts, *before}}
        sign = 1 if now > then else -1
        worst = sorted((name for name in changed if changed[name] * sign > 0), key=lambda name: -sign * changed[name])
        listed = [f"  {changed[name]:+d} {name} ({before.get(name, 0)} before)" for name in worst[:15]]
        listed += [f"  and {len(worst) - 15} others"] if len(worst) > 15 else []
        texts.append("\n".join([f"{path}: {now:,} calls, {then:,} recorded for Python {PYTHON}.", *listed]))
    return texts


def recorded() -> dict[str, dict[str, Counts]]:
    """What was accepted: of each version of Python, of each path, the counts."""
    stored = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    return {
        version: {
            path: {name: counts[place] for name, counts in functions.items() if counts[place]}
            for place, path in enumerate(functions.pop("paths"))
        }
        for version, functions in stored.items()
    }


def accept(found: dict[str, Counts]) -> None:
    """Record the counts of this Python, a line for each function; those of other versions stay."""
    parts = []
    for version, paths in sorted({**recorded(), PYTHON: found}.items(), key=lambda each: int(each[0].split(".")[1])):
        names = sorted({name for counts in paths.values() for name in counts})
        lines = {"paths": list(paths), **{name: [counts.get(name, 0) for counts in paths.values()] for name in names}}
        text = ",\n".join(f" {json.dumps(name)}: {json.dumps(counts)}" for name, counts in lines.items())
        parts.append(f"{json.dumps(version)}: {{\n{text}\n}}")
    RECORD.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def in_another_python(version: str, options: list[str]) -> None:
    """Run this with another version of Python, if there is one, in a temporary environment of what is locked."""
    root, uv = Path(__file__).parents[1], [sys.executable, "-m", "uv"]
    # The shims of pyenv do not lead to the Pythons that are not chosen.
    pythons = sorted(str(folder) for folder in Path.home().glob(".pyenv/versions/3.*/bin"))
    path = os.pathsep.join([os.environ["PATH"], *pythons])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": f"{root}:{root / 'generated'}"}
    found = subprocess.run(
        [*uv, "python", "find", "--system", "--no-python-downloads", version],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if found.returncode:
        print(f"Python {version} is not here: its counts stay as they are.")
        return
    python = ("--quiet", "--no-project", "--isolated", "--no-python-downloads", "--python", found.stdout.strip())
    locked = ("--with-requirements", str(root / "requirements.lock"))
    command = [*uv, "run", *python, *locked, "python", "-m", "benchmarks.hot_paths", *options]
    subprocess.run(command, env=environment, cwd=root, check=True)


def main() -> None:
    """Print the totals, and what changed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hot_paths", description=__doc__)
    parser.add_argument("--accept", action="store_true", help="record what is counted now")
    parser.add_argument(
        "--pythons", nargs="+", default=[], metavar="3.12", help="those of these versions that are here"
    )
    options = parser.parse_args()
    for version in options.pythons:
        in_another_python(version, ["--accept"] if options.accept else [])
    if options.pythons:
        return
    found = count()
    for text in complaints(recorded().get(PYTHON, {}), found):
        print(text)
    print(f"Python {PYTHON}:", ", ".join(f"{path} {sum(counts.values()):,}" for path, counts in found.items()))
    if options.accept:
        accept(found)


if __name__ == "__main__":
    main()
