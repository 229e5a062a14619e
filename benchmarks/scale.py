"""The tables of docs/benchmarks-tables.md about bulk sending, the outbox and `victor reconcile`, made
from the recorded runs, and from nothing else. `benchmarks.scale_run` makes them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RECORD = ROOT / "benchmarks/results/bulk.json"
SCALE = ROOT / "benchmarks/results/scale.json"
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
- With *echo*, a second process gains nothing here: the senders share two cores with the server and the database.
- Machine: {machines}.

`make bench` measures again.
"""
_SCALE = """\
## Rows a second beside code by hand

{ways}

- The same rows go to the same server (*echo*) with 16 calls under way: {rows:,} rows, the median of {rounds} rounds.
- *by hand* is an outbox and a bulk sender with httpx and SQLAlchemy (`benchmarks/by_hand.py`). It stores keys, marks and results.
- Beside that, *bulk* checks each row, compares each response and encrypts what it stores. *outbox* compares each response; its rows are checked when
  they are added, before the time starts, and it has no `storage_key` here.
- *bulk* begins with the state's tables, and what is done once for a file. It weighs more here than in the table above, whose files have more rows.
- *CPU a row* is of the sending process.
- On PostgreSQL, with a provider that takes 0.1 s, two workers of an outbox send {two:.2f} times the rows of one.

## What settled rows cost

{growth}

The work is {new:,} new rows: passes of the outbox, notifications that are received and handled, or a file that is sent.
Each is measured {new_rounds} times, in turn, and the least time counts.

## How long `victor reconcile` takes

{reconcile}

*exact* is whether all that was planted was found, and nothing else. The sandbox runs on the same machine. For
each page, it reads all requests of the time asked for: most of the seconds are its own.

{machine}, Python {python}; {taken}; {seconds:,} seconds. Load: {before} before and {after} after the run. `make bench` measures again.
"""
_RECORDED = ("new", "new_rounds", "machine", "python", "taken", "seconds")
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


def scale_markdown(record: Run | None) -> str:
    """The parts after it; empty as long as no run was recorded."""
    if record is None:
        return ""
    outbox, (before, after) = record["outbox"], record["load"]
    text = _SCALE.format(
        ways=_rows_of(_ways(outbox["rates"])),
        growth=_rows_of(_growth(record["growth"])),
        reconcile=_rows_of(_reconcile(record["reconcile"])),
        two=outbox["rates"]["PostgreSQL"]["two_of_one"],
        before=before,
        after=after,
        **{name: outbox[name] for name in ("rows", "rounds")},
        **{name: record[name] for name in _RECORDED},
    )
    return f"\n{text}"


Cells = list[dict[str, str]]
"""The rows of a table: each has its cells by heading."""


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


def _reconcile(runs: Sequence[Run]) -> Cells:
    return [
        {
            "rows": f"{run['rows']:,}",
            "seconds": f"{run['seconds']:,.1f}",
            "CPU a row": f"{1000 * run['cpu'] / run['rows']:.2f} ms",
            "peak memory": f"{run['peak_mib']:,.0f} MiB",
            "exact": "yes" if run["exact"] else "no",
        }
        for run in runs
    ]


def _rows_of(cells: Cells) -> str:
    rule = "|".join("---" if name in ("", "database") else "---:" for name in cells[0])
    lines = [" | ".join(cells[0]), *(" | ".join(row.values()) for row in cells)]
    lines = [f"| {line} |" for line in lines]
    return "\n".join([lines[0], f"|{rule}|", *lines[1:]])


def scale_recorded() -> Run | None:
    """The run that was kept; None: there is none yet."""
    if not SCALE.exists():
        return None
    run: Run = json.loads(SCALE.read_text(encoding="utf-8"))
    return run


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
