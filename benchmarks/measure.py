"""Measure all contenders in turn: each round asks every one of them once, and raw httpx beside each,
so that a slow moment hits all of them.

Raw httpx has processes of its own: in that of a contender, it would pay for the contender's heap.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import answers
from benchmarks.measures import CONTENDERS, Contender, Measure

ROOT = Path(__file__).parent.parent
PEERS = ROOT / ".venv/peers"
PYTHON = PEERS / "bin/python"
"""What all contenders run in, ours too: with an extra installed, `import httpx` would import rich
and click.
"""
STOCK = PEERS / "stock"
TRUSTED = ROOT / "build/benchmarks/authority.pem"
"""The certificate of the authority that has signed that of the server."""
RAW = "in a process of its own, right before or right after the client: in turn, by round"
"""Where and when raw httpx runs."""
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
    """A process of a contender, or of raw httpx in the shape of another one (`peers.worker`)."""

    def __init__(self, name: str, urls: Urls, beside: Contender | None = None) -> None:
        self.name, each = name, CONTENDERS[name]
        words = [each.module, each.connect, each.awaited, urls[(beside or each).tls]]
        if beside is not None:
            words.append(beside.shape)
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


def both(number: int, own: Callable[[], Any], raw: Callable[[], Any]) -> list[Any]:
    """What a contender and raw httpx find in a round, one right after the other.

    Which of them begins alternates by round: the second one may find a warmer or a busier machine.
    """
    if number % 2:
        found = own()
        return [found, raw()]
    found = raw()
    return [own(), found]


@dataclass(frozen=True, slots=True)
class Pair:
    """The process of a contender, and one that has raw httpx alone and asks for the same bytes."""

    own: Worker
    raw: Worker

    def order(self, number: int, *order: Any) -> list[Any]:
        """Let both measure the same in the round of this number."""
        found = both(number, partial(self.own.order, *order), partial(self.raw.order, *order))
        return [[units, round(seconds, 6), round(cpu, 6)] for units, seconds, cpu in found]


@contextmanager
def pairs(names: tuple[str, ...], urls: Urls) -> Iterator[dict[str, Pair]]:
    """A process for each contender, and one of raw httpx for each shape, with TLS and without."""
    with ExitStack() as stack:

        def started(name: str, beside: Contender | None = None) -> Worker:
            worker = Worker(name, urls, beside)
            stack.callback(worker.close)
            return worker

        raws: dict[tuple[str, bool], Worker] = {}
        found = {}
        for name in names:
            each = CONTENDERS[name]
            kind = each.shape, each.tls
            if kind not in raws:
                raws[kind] = started("raw", each)
            found[name] = Pair(started(name), raws[kind])
        yield found


def in_order(measure: Measure, number: int) -> tuple[str, ...]:
    """The contenders of a round: each round begins with another one."""
    turn = number % len(measure.rows)
    return measure.rows[turn:] + measure.rows[:turn]


def in_turn(measure: Measure, found: dict[str, Pair]) -> Rows:
    """All rounds of a measure."""
    rows: Rows = {name: [] for name in measure.rows}
    for number in range(measure.rounds + 1):
        for name in in_order(measure, number):
            # the first round warms up
            share = measure.share if number else max(1, measure.share // 10)
            order = (measure.kind, measure.argument, share, measure.budget)
            result = found[name].order(number, *order)
            if number:
                rows[name].append(result)
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
    """A process for each contender in each round, and one of raw httpx beside it."""
    rows: Rows = {name: [] for name in measure.rows}

    def answer(name: str) -> Any:
        each = CONTENDERS[name]
        return output(name, _FIRST, each.module, each.connect, url)

    for number in range(measure.rounds + 1):
        for name in in_order(measure, number):
            result = both(number, partial(answer, name), partial(answer, "raw"))
            if number:
                rows[name].append(result)
    return rows


def peaks(measure: Measure, url: str) -> Rows:
    """The peak memory of a process of each contender."""
    rows: Rows = {}
    for name in measure.rows:
        each = CONTENDERS[name]
        words = (each.module, each.connect, url, measure.argument, measure.share, measure.budget)
        rows[name] = [[round(value, 2) for value in output(name, _MEMORY, *words)]]
    return rows


def sizes(measure: Measure) -> Rows:
    """Of each contender, MB and the number of packages that are installed with it."""
    rows: Rows = {}
    code = (
        "import sys; from benchmarks.peers.installed import installed; "
        "print(installed(*sys.argv[1:]))"
    )
    for name in measure.rows:
        distribution = CONTENDERS[name].distribution
        where = PYTHON if distribution else sys.executable  # ours is installed where we are
        rows[name] = [output(name, code, distribution or "victor-ext", python=where)]
    return rows


def run(
    measures: Mapping[str, Measure], urls: Urls, tell: Callable[[str], None]
) -> dict[str, Rows]:
    """Measure the clients.

    Args:
        measures: By name.
        urls: The servers'.
        tell: Called with what is measured next.
    """
    found: dict[str, Rows] = {}
    names = tuple(
        dict.fromkeys(row for m in measures.values() if m.kind in _BY_WORKERS for row in m.rows)
    )
    if names:
        tell(f"starting the processes of {len(names)} contenders, and of raw httpx")
    url = urls[False]
    with pairs(names, urls) as processes:
        for name, measure in measures.items():
            tell(measure.title)
            if measure.kind in _BY_WORKERS:
                found[name] = in_turn(measure, processes)
            else:
                one = {"first": first_answers, "memory": peaks}.get(measure.kind)
                found[name] = one(measure, url) if one else sizes(measure)
    return found


_BY_WORKERS = ("call", "items", "threads", "awaited")


def smaller(measure: Measure, quick: int) -> Measure:
    """The same measure, to be done in a fraction of the time."""
    if quick == 1:
        return measure
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
    )


def answer_bytes() -> dict[str, list[int]]:
    """Of each shape, the bytes of one payment, and of each item of a page of 100."""
    return {
        name: [len(answers.one(name)), len(answers.page(name, 100)) // 100]
        for name in answers.ANSWERS
    }
