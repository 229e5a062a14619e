"""Make the table of docs/evidence.md about bulk sending from the recorded runs, and from nothing
else: `python -m benchmarks.scale`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RECORD = ROOT / "benchmarks/results/bulk.json"
PAGE = ROOT / "docs/evidence.md"
Run = dict[str, Any]

_BEGIN, _END = "<!-- scale -->\n", "<!-- /scale -->\n"
_TEXT = """\
<!-- Made from benchmarks/results/bulk.json by benchmarks/scale.py. Edit that file, never this part. -->

One run of `victor bulk send` for each row, from the start of the command to its end:

{table}

- *checking* is the time until the last row is checked. Nothing is sent before.
- *rows a second* is measured after that, while rows are stored and sent. *CPU a row* counts all sending processes, with start and checking.
- *client alone* is the calls a second of one process with as many threads, without bulk sending.
- *echo* is a server that accepts each request at once. It shares the cores with the senders, and so does PostgreSQL.
- *load* is the number of runnable processes at the end. Machine: {machines}. Where the load is greater than the processes of the row,
  other programs used the cores. Then the rate is a lower bound, and *CPU a row* says more.
- A process uses one core. For more rows a second, use more cores or
  [more machines](bulk.md#several-processes-on-one-machine).

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
    """The part of the page between its two comments."""
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
    """Write the part of the page from what is recorded."""
    before, rest = PAGE.read_text(encoding="utf-8").split(_BEGIN)
    after = rest.partition(_END)[2]
    PAGE.write_text(f"{before}{_BEGIN}{markdown(recorded())}{_END}{after}", encoding="utf-8")


def written() -> str:
    """The part that the page has now."""
    return PAGE.read_text(encoding="utf-8").partition(_BEGIN)[2].partition(_END)[0]


def _place(run: Run) -> tuple[Any, ...]:
    is_later = run["database"] == "PostgreSQL"
    return (is_later, *_kind(run))


def _kind(run: Run) -> tuple[Any, ...]:
    return run["database"], run["server"], run["workers"], run["processes"]


if __name__ == "__main__":
    write()
