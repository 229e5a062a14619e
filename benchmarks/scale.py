"""The table of docs/benchmarks-tables.md about bulk sending, made from the recorded runs, and from
nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RECORD = ROOT / "benchmarks/results/bulk.json"
Run = dict[str, Any]

_TEXT = """\
## How fast a file is sent

One run of `victor bulk send` for each row. A process uses one core.

{table}

- *checking* is the time until the last row is checked. Nothing is sent before.
- *rows a second* is measured after that. *CPU a row* counts all sending processes, with start and checking.
- *client alone* is the calls a second of one process with as many threads, without bulk sending.
- *echo* is a server that accepts each request at once. It shares the cores with the senders, and so does PostgreSQL.
- *load* is the number of runnable processes at the end. Where it is greater than the processes of the row, other programs used the cores. Then
  *rows a second* is a lower bound.
- Machine: {machines}.

`python -m benchmarks.bulk --write` measures again.
"""
_TEXT_COLUMNS = ("database", "server")
_NUMBER_COLUMNS = (
    "processes",
    "threads each",
    "rows",
    "checking",
    "rows a second",
    "CPU a row",
    "client alone",
    "peak memory",
    "load",
    "taken",
)


def markdown(runs: Sequence[Run]) -> str:
    """The last part of the page."""
    machines = {f"{run['machine']}, Python {run['python']}" for run in runs}
    return _TEXT.format(table=_table(runs), machines="; ".join(sorted(machines)))


def _table(runs: Sequence[Run]) -> str:
    """What each file took."""
    headings = (*_TEXT_COLUMNS, *_NUMBER_COLUMNS)
    rule = "|" + "---|" * len(_TEXT_COLUMNS) + "---:|" * len(_NUMBER_COLUMNS)
    lines = [f"| {' | '.join(headings)} |", rule]
    lines += [f"| {' | '.join(_cells(run))} |" for run in runs]
    return "\n".join(lines)


def _cells(run: Run) -> Sequence[str]:
    rows = run["rows"]
    return (
        run["database"],
        run["server"],
        f"{run['processes']}",
        f"{run['workers']}",
        f"{rows:,}",
        f"{run['checked']:.1f} s",
        f"{run['rate']:,.0f}",
        f"{1000 * run['sender_cpu'] / rows:.2f} ms",
        f"{run['alone']:,.0f}",
        f"{run['peak_mib']:,.0f} MiB",
        f"{run['load']:.1f}",
        run["taken"],
    )


def keep(runs: Sequence[Run]) -> None:
    """Keep files that were sent, in place of the earlier ones of their kind."""
    kinds = {_kind(run): run for run in [*recorded(), *runs]}
    in_order = sorted(kinds.values(), key=_place)
    RECORD.write_text(json.dumps(in_order, indent=1) + "\n", encoding="utf-8")


def recorded() -> list[Run]:
    """The runs that were kept, in the order of the page."""
    if not RECORD.exists():
        return []
    runs: list[Run] = json.loads(RECORD.read_text(encoding="utf-8"))
    return runs


def _place(run: Run) -> tuple[Any, ...]:
    is_later = run["database"] == "PostgreSQL"
    return (is_later, *_kind(run))


def _kind(run: Run) -> tuple[Any, ...]:
    return run["database"], run["server"], run["workers"], run["processes"]
