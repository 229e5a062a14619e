"""Which rows are behind the committed results.

Compared are ratios of one run, and sizes: a faster machine changes neither. Another processor, or
another Python, changes ratios too: then nothing is compared.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import page, scale
from benchmarks.figures import TIMES, lines_of
from benchmarks.measures import CONTENDERS, MEASURES, ROWS

BEHIND = 0.15
"""A row is listed from here on: chance moves the median of some rounds by a tenth."""
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """What a row has found.

    Attributes:
        row: The row, beginning with what `--rows` calls it.
        value: A ratio of one run, or a size.
        more_is_better: Whether a greater one is better.
    """

    row: str
    value: float
    more_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Loss:
    """A row that is behind.

    Attributes:
        worse: By which part of the committed figure.
    """

    row: str
    committed: float
    now: float
    worse: float


def of_clients(record: Record) -> Iterator[Figure]:
    """The rows of this project's clients, each as a multiple of raw httpx: of its time, which a busy
    machine disturbs, and of its CPU; or of its size.
    """
    for row, name in ROWS.items():
        if name not in record["measures"]:
            continue
        lines = {line.name: line for line in lines_of(name, record)}
        # Times are judged beside raw httpx, and sizes by their megabytes.
        is_size = MEASURES[name].kind in ("memory", "size")
        whole = lines["raw"].judged if is_size else 1.0
        for line in lines.values():
            contender = CONTENDERS[line.name]
            if contender.module != "victor":
                continue
            yield Figure(f"{row}: {contender.plain}, {TIMES} raw httpx", line.judged / whole)
            if line.cpu is not None:
                yield Figure(f"{row}: {contender.plain}, {TIMES} its CPU", line.cpu)


def of_stores(record: Record) -> Iterator[Figure]:
    """The rows of bulk sending, the outbox and the inbox."""
    for run in record.get("bulk", ()):
        if "rate" in run:
            where = f"bulk: a file on {run['database']}"
            rate = run["rate"] / run["alone"]
            yield Figure(f"{where}, rows a second of the client's alone", rate, more_is_better=True)
            yield Figure(f"{where}, MiB at most", run["peak_mib"])
    for step in scale.steps_of(record):
        label = step.label.replace("`", "")
        yield Figure(f"{step.row}: {label} on {step.database}, CPU by hand", step.times)
    for database, rates in record.get("outbox", {}).get("rates", {}).items():
        for way in ("outbox", "bulk"):
            if way in rates:
                where, cpu = f"{way}: on {database}", rates[f"{way}_cpu"]
                of_hand = rates[f"{way}_of_hand"]
                yield Figure(f"{where}, rows a second by hand", of_hand, more_is_better=True)
                yield Figure(f"{where}, CPU by hand", cpu / rates[f"{way}_by_hand_cpu"])
        if "two_of_one" in rates:
            times = rates["two_of_one"]
            yield Figure("outbox: two workers, times one", times, more_is_better=True)
    for run in record.get("growth", ()):
        yield Figure(f"growth: {run['kind']} on {run['database']}, times", run["times"])


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run beside the committed one.

    Attributes:
        what: What was measured.
        committed: The record of the committed run.
        now: That of this run.
        figures: Yields the figures of a record.
    """

    what: str
    committed: Record
    now: Record
    figures: Callable[[Record], Iterator[Figure]]

    @property
    def is_fair(self) -> bool:
        """Whether both are of the same kind of machine, as far as both say, and of one Python."""
        machines = (record["machine"].split(", ") for record in (self.committed, self.now))
        pythons = (record["python"].split(".")[:2] for record in (self.committed, self.now))
        is_same = all(one == other for one, other in zip(*machines, strict=False))
        one, other = pythons
        return is_same and one == other

    def losses(self) -> Iterator[Loss]:
        """The rows that are behind. A row that one of the runs lacks is not compared."""
        committed = {figure.row: figure for figure in self.figures(self.committed)}
        for now in self.figures(self.now):
            if (then := committed.get(now.row)) is None:
                continue
            worse = (now.value - then.value) / then.value
            if now.more_is_better:
                worse = -worse
            if worse > BEHIND:
                yield Loss(now.row, then.value, now.value, worse)


def markdown(comparisons: Sequence[Comparison]) -> str:
    """The rows that are behind, the worst one first, and what could not be compared."""
    told = [
        f"{each.what}: the committed run is of another kind of machine, or of another Python: "
        f"nothing is compared.\n"
        f"Committed: {_place(each.committed)}. Now: {_place(each.now)}.\n"
        for each in comparisons
        if not each.is_fair
    ]
    fair = [each for each in comparisons if each.is_fair]
    losses = [loss for each in fair for loss in each.losses()]
    if losses:
        rows = [
            f"| {loss.row} | {loss.committed:.3g} | {loss.now:.3g} | {100 * loss.worse:.0f} % |"
            for loss in sorted(losses, key=lambda loss: -loss.worse)
        ]
        head = ["| row | committed | now | worse by |", "|---|---:|---:|---:|"]
        said = f"More than {100 * BEHIND:.0f} % behind the committed results:\n"
        told.append("\n".join([said, *head, *rows, ""]))
    elif fair:
        told.append(f"No row is more than {100 * BEHIND:.0f} % behind the committed results.\n")
    return "\n".join(told)


def _place(record: Record) -> str:
    return f"{record['machine']}, Python {record['python']}"


def committed(path: Path) -> Record:
    """The record at this path, as the last commit has it; without git, as it is."""
    place = path.relative_to(page.ROOT).as_posix()
    shown = subprocess.run(
        ["git", "show", f"HEAD:{place}"],
        capture_output=True, text=True, cwd=page.ROOT, check=False,
    )  # fmt: skip
    record: Record = json.loads(
        path.read_text(encoding="utf-8") if shown.returncode else shown.stdout
    )
    return record
