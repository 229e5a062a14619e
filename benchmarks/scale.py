"""The tables of docs/benchmarks-tables.md about bulk sending and the outbox, made from the recorded
run, and from nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
SCALE = ROOT / "benchmarks/results/scale.json"
Run = dict[str, Any]
ROWS = ("bulk", "reports", "outbox", "growth")
"""What is measured, as `--rows` names it."""
STEPS = {
    "checked_cpu": ("bulk", "checking: `send --dry-run`"),
    "stored_cpu": ("bulk", "until all rows are stored"),
    "sender_cpu": ("bulk", "`send` in all"),
    "status_cpu": ("reports", "`status`"),
    "export_cpu": ("reports", "`export`"),
}
"""The commands of a file whose CPU is counted: the row of `ROWS`, and what the page calls it."""

_FILES = """\
## How fast a file is sent

One run of `victor bulk send` for each row: one process, which uses one core, with 16 threads.

{files}

- *checking* is the time until the last row is checked. Nothing is sent before.
- *rows a second* is measured after that. *CPU a row* is of the command, with start and checking.
- *client alone* is the calls a second of one process with as many threads, without bulk sending.
- The server accepts each request at once. It shares the cores with the sender, and so does PostgreSQL.
- *load* is the number of runnable processes at the end. Where it is greater than 1, other programs used the cores. Then
  *rows a second* is a lower bound.
"""
_STEPS = """\
## CPU a row of each command

{steps}

- Each is the CPU of one process, with its start, divided by the {rows:,} rows of the file. `status` and `export` tell of the rows that were sent.
- *by hand* is the CPU a row of the bulk sender by hand in the same run, which stores a row and sends it. *times* is the quotient.
- *until all rows are stored* is `BulkSender.send`, which is stopped before the first call.
"""
_WAYS = """\
## Rows a second beside code by hand

{ways}

- The same rows go to the same server with 16 calls under way: {rows:,} rows, the median of {rounds} rounds.
- *by hand* is an outbox and a bulk sender with httpx and SQLAlchemy (`benchmarks/by_hand.py`). It stores keys, marks and results.
- Beside that, *bulk* checks each row, compares each response and encrypts what it stores. *outbox* compares each response; its rows are checked when
  they are added, before the time starts, and it has no `storage_key` here.
- *bulk* begins with the state's tables, and what is done once for a file. It weighs more here than in the table above, whose files have more rows.
- *CPU a row* is of the sending process.
"""
_TWO = """\
- On PostgreSQL, with a provider that takes 0.1 s, two workers of an outbox send {two:.2f} times the rows of one.
"""
_GROWTH = """\
## What settled rows cost

{growth}

The work is {new:,} new rows: passes of the outbox, notifications that are received and handled, or a file that is sent.
Each is measured {new_rounds} times, in turn, and the least time counts.
"""
_END = """\
{machine}, Python {python}; {taken}. Load: {before} before and {after} after the run.
"""


def markdown(record: Run) -> str:
    """The last part of the page. What was not measured has no table."""
    before, after = record["load"]
    named = {name: record[name] for name in ("machine", "python", "taken")}
    return "\n".join([*_tables(record), _END.format(before=before, after=after, **named)])


def _tables(record: Run) -> list[str]:
    """What is told of each part that was measured."""
    files = [run for run in record.get("bulk", ()) if "rate" in run]
    told = [_FILES.format(files=_rows_of(_files(files)))] if files else []
    if steps := steps_of(record):
        rows = record["bulk"][0]["rows"]
        told.append(_STEPS.format(steps=_rows_of(_steps(steps)), rows=rows))
    if "outbox" in record:
        ways, rates = record["outbox"], record["outbox"]["rates"]
        sizes = {name: ways[name] for name in ("rows", "rounds")}
        text = _WAYS.format(ways=_rows_of(_ways(rates)), **sizes)
        if "two_of_one" in rates["PostgreSQL"]:
            text += _TWO.format(two=rates["PostgreSQL"]["two_of_one"])
        told.append(text)
    if "growth" in record:
        sizes = {name: record[name] for name in ("new", "new_rounds")}
        told.append(_GROWTH.format(growth=_rows_of(_growth(record["growth"])), **sizes))
    return told


class Step(NamedTuple):
    """The CPU of a command.

    Attributes:
        row: A row of `ROWS`.
        label: What the page calls it.
        database: Where the state is kept.
        cpu: Milliseconds a row.
        by_hand: Those of the bulk sender by hand in the same run.
    """

    row: str
    label: str
    database: str
    cpu: float
    by_hand: float

    @property
    def times(self) -> float:
        """How many times the CPU of the bulk sender by hand."""
        return self.cpu / self.by_hand


def steps_of(record: Run) -> list[Step]:
    """The commands whose CPU was counted; none of a record that is older than their table."""
    runs = record.get("bulk", ())
    if not any({"checked_cpu", "status_cpu"} & run.keys() for run in runs):
        return []
    rates = record["outbox"]["rates"]
    return [
        Step(
            row,
            label,
            run["database"],
            1000 * run[name] / run["rows"],
            rates[run["database"]]["bulk_by_hand_cpu"],
        )
        for name, (row, label) in STEPS.items()
        for run in runs
        if name in run
    ]


Cells = list[dict[str, str]]
"""The rows of a table: each has its cells by heading."""


def _files(runs: Sequence[Run]) -> Cells:
    return [
        {
            "database": run["database"],
            "rows": f"{run['rows']:,}",
            "checking": f"{run['checked']:.1f} s",
            "rows a second": f"{run['rate']:,.0f}",
            "CPU a row": f"{1000 * run['sender_cpu'] / run['rows']:.2f} ms",
            "client alone": f"{run['alone']:,.0f}",
            "peak memory": f"{run['peak_mib']:,.0f} MiB",
            "load": f"{run['load']:.1f}",
        }
        for run in runs
    ]


def _steps(steps: Sequence[Step]) -> Cells:
    return [
        {
            "": step.label,
            "database": step.database,
            "CPU a row": f"{step.cpu:.3f} ms",
            "by hand": f"{step.by_hand:.2f} ms",
            "times": f"{step.times:.3f}",
        }
        for step in steps
    ]


def _ways(rates: Run) -> Cells:
    return [
        {
            "": way,
            "database": database,
            "rows a second": f"{found[way]:,.0f}",
            "by hand": f"{found[f'{way}_by_hand']:,.0f}",
            "ratio": f"{found[f'{way}_of_hand']:.2f}",
            "CPU a row": f"{found[f'{way}_cpu']:.2f} ms",
            "CPU by hand": f"{found[f'{way}_by_hand_cpu']:.2f} ms",
        }
        for way in ("outbox", "bulk")
        for database, found in rates.items()
        if way in found
    ]


def _growth(runs: Sequence[Run]) -> Cells:
    return [
        {
            "": run["kind"],
            "database": run["database"],
            **{
                f"beside {count:,} settled": f"{seconds:.2f} s"
                for count, seconds in zip(run["settled"], run["seconds"], strict=True)
            },
            "times": f"{run['times']:.2f}",
        }
        for run in runs
    ]


def _rows_of(cells: Cells) -> str:
    rule = "|".join("---" if name in ("", "database") else "---:" for name in cells[0])
    lines = [" | ".join(cells[0]), *(" | ".join(row.values()) for row in cells)]
    lines = [f"| {line} |" for line in lines]
    return "\n".join([lines[0], f"|{rule}|", *lines[1:]])


def recorded() -> Run:
    """The run that was kept."""
    run: Run = json.loads(SCALE.read_text(encoding="utf-8"))
    return run
