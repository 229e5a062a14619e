"""Measure all contenders in turn: each round asks every one of them once, so that a slow moment
hits all of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.measures import MEASURES, Measure, contender
from benchmarks.shapes import SHAPES

ROOT = Path(__file__).parent.parent
PEERS = ROOT / ".venv/peers"
PYTHON = PEERS / "bin/python"
"""What all contenders run in, ours too: with an extra installed, `import httpx` would import rich
and click.
"""
STOCK = PEERS / "stock"
TRUSTED = ROOT / "build/benchmarks/authority.pem"
"""The certificate of the authority that has signed that of the server."""
Urls = dict[bool, str]
"""Of the server without TLS, and of the one with it."""
Rows = dict[str, list[Any]]
"""Of each contender, a list with what each round found."""


class Refused(Exception):
    """A contender did not do what it was asked for."""


def environment() -> dict[str, str]:
    """The variables of a contender's process: none of the user's settings of any client."""
    kept = {
        name: os.environ[name]
        for name in ("PATH", "HOME", "LANG", "SYSTEMROOT")
        if name in os.environ
    }
    path = os.pathsep.join(map(str, (ROOT, ROOT / "generated", STOCK)))
    return {**kept, "PYTHONPATH": path, "NO_PROXY": "*", "SSL_CERT_FILE": str(TRUSTED)}


def make_stock() -> None:
    """Generate the stock client, once for a document, with the pinned generator and nothing of our
    recipe.
    """
    made, document = STOCK / "victor_stock", ROOT / "openapi/victor.yaml"
    if made.exists() and made.stat().st_mtime > document.stat().st_mtime:
        return
    STOCK.mkdir(parents=True, exist_ok=True)
    command = [
        str(Path(sys.executable).with_name("openapi-python-client")),
        "generate",
        "--path",
        str(document),
        "--meta",
        "none",
        "--overwrite",
        "--output-path",
        str(made),
    ]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)


class Worker:
    """A contender's process (`peers.worker`)."""

    def __init__(self, name: str, urls: Urls) -> None:
        self.name, each = name, contender(name)
        words = (each.module, each.connect, each.awaited, each.shape, urls[each.tls])
        self.process = subprocess.Popen(
            [str(PYTHON), "-m", "benchmarks.peers.worker", *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment(),
        )  # fmt: skip
        self._answer()

    def order(self, *order: Any) -> Any:
        """Let it measure something."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise Refused(f"{self.name} ended with {self.process.wait()}: see above.")
        return json.loads(line)

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


@contextmanager
def workers(names: tuple[str, ...], urls: Urls) -> Iterator[dict[str, Worker]]:
    """A process for each contender."""
    with ExitStack() as stack:
        found = {}
        for name in names:
            found[name] = Worker(name, urls)
            stack.callback(found[name].close)
        yield found


def in_turn(measure: Measure, found: dict[str, Worker]) -> Rows:
    """All rounds of a measure; each round begins with another contender."""
    rows: Rows = {name: [] for name in measure.rows}
    names = list(measure.rows)
    for number in range(measure.rounds + 1):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            # the first round warms up
            share = measure.share if number else max(1, measure.share // 10)
            result = found[name].order(measure.kind, measure.argument, share, measure.budget)
            if number:
                rows[name].append(
                    [[units, round(seconds, 6), round(cpu, 6)] for units, seconds, cpu in result]
                )
    return rows


def output(name: str, code: str, *words: object, python: str | Path = PYTHON) -> Any:
    """What a fresh process of a contender prints, as JSON."""
    command = [str(python), "-c", code, *map(str, words)]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=environment(), check=False
    )
    if done.returncode:
        raise Refused(f"{name} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


_FIRST = """
import sys, time
cpu, began = time.process_time(), time.perf_counter()
module, connect, url = sys.argv[1:]
getattr(__import__("benchmarks.peers." + module, fromlist=["x"]), connect)(url).get()
print([1, round(time.perf_counter() - began, 6), round(time.process_time() - cpu, 6)])
"""
_MEMORY = """
import sys
from benchmarks.peers import worker
module, connect, url, page_size, share, budget = sys.argv[1:]
print(worker.memory(module, connect, url, int(page_size), int(share), float(budget)))
"""


def first_answers(measure: Measure, url: str) -> Rows:
    """A process for each contender in each round; raw httpx is one of them, and what the others are
    compared with.
    """
    rows: Rows = {name: [] for name in measure.rows}
    for number in range(measure.rounds + 1):
        results = {}
        for name in measure.rows:
            each = contender(name)
            results[name] = output(name, _FIRST, each.module, each.connect, url)
        if number:
            for name, result in results.items():
                rows[name].append([result, results["raw"]])
    return rows


def peaks(measure: Measure, url: str) -> Rows:
    """The peak memory of a process of each contender."""
    rows: Rows = {}
    for name in measure.rows:
        each = contender(name)
        words = (each.module, each.connect, url, measure.argument, measure.share, measure.budget)
        rows[name] = [[round(value, 2) for value in output(name, _MEMORY, *words)]]
    return rows


def growth(measure: Measure, worker: Worker) -> Rows:
    """Lists of several lengths, by ours."""
    return {
        row: [
            worker.order("items", measure.argument, int(row), measure.budget)
            for _ in range(measure.rounds)
        ]
        for row in measure.rows
    }


def sizes(measure: Measure) -> Rows:
    """Of each contender, MB and the number of packages that are installed with it."""
    rows: Rows = {}
    code = (
        "import sys; from benchmarks.peers.installed import installed; "
        "print(installed(*sys.argv[1:]))"
    )
    for name in measure.rows:
        distribution = contender(name).distribution
        where = PYTHON if distribution else sys.executable  # ours is installed where we are
        rows[name] = [output(name, code, distribution or "victor-ext", python=where)]
    return rows


def run(urls: Urls, quick: int, tell: Callable[[str], None]) -> dict[str, Rows]:
    """Measure everything.

    Args:
        urls: The servers'.
        quick: By how much shares and budgets are divided; 1 for a run that counts.
        tell: Called with what is measured next.
    """
    measures = {name: smaller(measure, quick) for name, measure in MEASURES.items()}
    found: dict[str, Rows] = {}
    names = tuple(
        dict.fromkeys(row for m in measures.values() if m.kind in _BY_WORKERS for row in m.rows)
    )
    tell(f"starting {len(names)} processes")
    url = urls[False]
    with workers(names, urls) as processes:
        for name, measure in measures.items():
            tell(measure.title)
            if measure.kind in _BY_WORKERS:
                found[name] = in_turn(measure, processes)
            elif measure.kind == "growth":
                found[name] = growth(measure, processes["victor"])
            else:
                one = {"first": first_answers, "memory": peaks}.get(measure.kind)
                found[name] = one(measure, url) if one else sizes(measure)
    return found


_BY_WORKERS = ("call", "items", "threads", "awaited")


def smaller(measure: Measure, quick: int) -> Measure:
    """The same measure, to be done in a fraction of the time."""
    if quick == 1:
        return measure
    rows = measure.rows[:3] if measure.kind == "growth" else measure.rows
    share = (
        max(measure.share // quick, 1000 if measure.kind == "items" else 50)
        if measure.share > 1
        else 1
    )
    return replace(
        measure,
        rounds=min(measure.rounds, 2),
        share=share,
        budget=measure.budget / quick,
        rows=rows,
    )


def answer_bytes() -> dict[str, list[int]]:
    """Of each shape, the bytes of one payment, and of each item of a page of 100."""
    return {
        name: [len(shape.single()), len(shape.template(100)) // 100]
        for name, shape in SHAPES.items()
    }
