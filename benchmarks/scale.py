"""Make docs/scale.md from the recorded runs, and from nothing else: `python -m benchmarks.scale`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RECORD = ROOT / "benchmarks/results/bulk.json"
PAGE = ROOT / "docs/scale.md"
Run = dict[str, Any]

_TEXT = """\
# Scale

<!-- Made from benchmarks/results/bulk.json by benchmarks/scale.py. Edit that file, never this page. -->

What many rows take of the workers of [`victor bulk`](bulk.md), by what was measured. `python -m benchmarks.bulk --write`
measures it again. A test makes this page from the record and compares.

## One file, sent

`victor bulk send`, from the start of the command to its end. *CPU* is that of all sending processes together, with
checking, storing and the start; the server (and the one of PostgreSQL) uses the same cores, so where these are fewer
than processes and servers, the rate is that of the machine and only the CPU a row is that of the sender. *sandbox*
is `victor sandbox`, *echo* a server that takes each request at once.

{table}

- *checking*: seconds until the last row was checked; nothing is sent before. *rows a second*: after that, while they
  are stored and sent.
- *client alone*: calls a second of the same client with as many threads in one process, without bulk sending.
- *load*: runnable processes of the machine at the end of the run. {machines}. Other programs used these cores,
  too, wherever it is more than the processes of the line: there a rate is a lower bound, and the CPU a row says more.
- A process uses one core: more rows a second take more cores, and more machines
  ([several machines](bulk.md#several-processes-on-one-machine)).
"""
_TEXT_COLUMNS = ("database", "server")
_NUMBER_COLUMNS = (
    "processes",
    "threads each",
    "rows",
    "checking",
    "rows a second",
    "CPU a row",
    "CPU a row of the server",
    "client alone",
    "peak memory",
    "load",
    "taken",
)


def markdown(runs: Sequence[Run]) -> str:
    """The page."""
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
        f"{1000 * run['server_cpu'] / rows:.2f} ms",
        f"{run['alone']:,.0f}",
        f"{run['peak_mib']:,.0f} MiB",
        f"{run['load']:.1f}",
        run["taken"],
    )


def keep(runs: Sequence[Run]) -> None:
    """Keep files that were sent, in place of the earlier ones of their kind, and write the page."""
    kinds = {_kind(run): run for run in [*recorded(), *runs]}
    in_order = sorted(kinds.values(), key=_place)
    RECORD.write_text(json.dumps(in_order, indent=1) + "\n", encoding="utf-8")
    write()


def recorded() -> list[Run]:
    """The runs that were kept, in the order of the page."""
    if not RECORD.exists():
        return []
    runs: list[Run] = json.loads(RECORD.read_text(encoding="utf-8"))
    return runs


def write() -> None:
    """Write the page from what is recorded."""
    PAGE.write_text(markdown(recorded()), encoding="utf-8")


def _place(run: Run) -> tuple[Any, ...]:
    is_later = run["database"] == "PostgreSQL"
    return (is_later, *_kind(run))


def _kind(run: Run) -> tuple[Any, ...]:
    return run["database"], run["server"], run["workers"], run["processes"]


if __name__ == "__main__":
    write()
