"""Make docs/benchmarks.md, docs/benchmarks-tables.md and the chart from the recorded runs, and from
nothing else: `python -m benchmarks.page`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import scale
from benchmarks.chart import svg
from benchmarks.figures import TIMES, Line, lines_of
from benchmarks.measures import CONTENDERS, MEASURES

ROOT = Path(__file__).parent.parent
RECORD = ROOT / "benchmarks/results/peers.json"
PAGE = ROOT / "docs/benchmarks.md"
TABLES = ROOT / "docs/benchmarks-tables.md"
CHART = ROOT / "docs/pictures/benchmarks.svg"
Record = dict[str, Any]
Tell = Callable[[str], None]

_PAGE = """\
# Benchmarks

<!-- Made by `make bench` from benchmarks/results/peers.json. Edit benchmarks/page.py, never this page. -->

The time of victor_ext and of other payment clients, as a multiple of **raw httpx**, which asks for the same bytes with `json()` and nothing
more. Less is better.

![Times of clients as multiples of raw httpx](pictures/benchmarks.svg)

{table}

- **The row of raw httpx is raw httpx beside itself.** How far its brackets in the [tables](benchmarks-tables.md) reach from 1.00 is noise.
- *As it comes* is with default settings. *Stock* is generated without this project's recipe. A client without an awaited client has an empty cell.
- Another client is ahead in these: {ahead}.
- victor_ext signs one token for all calls of a second. *A lone call* signs a token of its own.
- Where victor_ext is below 1.00, its own sockets, connections and parser save the time, and msgspec, which reads the JSON. 
- With 50 awaited calls, httpx's pool looks at each of its connections for each call. That is most of its time there.
- Of the megabytes installed, 15 are `cryptography`, which signs.
- Each client talks to a local server in the shape of its own API, with {least} to {most} bytes an item.

Run of {taken}: {machine}, Python {python}. [All tables, versions and the method](benchmarks-tables.md).
"""
_TABLES = """\
# Benchmarks: all tables

<!-- Made by `make bench` from benchmarks/results/peers.json. Edit benchmarks/page.py, never this page. -->

These are the tables behind [Benchmarks](benchmarks.md), from one recorded run.

- `{times} raw httpx` is the client's time divided by that of raw httpx in the same round. So it is not the quotient of two rows. *of its CPU* is the
  same for the time on the processor, which other work on the machine disturbs less.
- Raw httpx ran {raw}. Its own row is raw httpx beside itself: how far its brackets reach from 1.00 is noise.
- *µs a call* is the time of a round divided by its calls, also where many are made at a time.
- A figure is the median of the rounds. The lowest and the highest stand in brackets. Each round begins with another client, and ends early where
  a client is slow.
- *As it comes* is with default settings. *Stock* is the client that openapi-python-client generates without this project's recipe. *Untyped* is a
  client whose records are not typed.
- Each client runs in a process of its own, with the settings that its documentation recommends: kept connections, no telemetry, no second
  attempts.
- victor_ext signs a token for each second, and the others have a fixed secret. *Token reused* is `VictorJwt(reuse=200)`: a token is used for 200
  seconds.
- A GET asks for one of a thousand payments in turn. Only the rows that say so use TLS. The garbage collector is on.
- The server is a raw socket in a process of its own. The row of the bare socket shows what it costs.
- The document's examples have `OUTBOUND` where its schema has `outbound`, and times as numbers. The stock client cannot read them, and gets what the
  schema says.
- {machine}; Python {python}; {taken}; {seconds} seconds. Load: {before} before and {after} after the run{loaded}.
- Versions: {versions}.

`make bench` measures again (about ten minutes), and ends with the rows that are behind the committed results.
`make bench BENCH="--rows get,create"` measures these rows, and `make bench BENCH=--quick` a tenth of everything: both only print.
"""
_CHARTED = {"get": "GET", "create": "POST"}
"""What the chart shows: a measure and its short name."""
_SUMMARY = {
    "items_100": "items, 100 a page",
    "awaited": "50 awaited",
    "threads": "16 threads",
    "first": "fresh process",
    "memory": "MB of memory",
    "size": "MB installed",
}
"""The columns of the table below it."""
_AS_IT_COMES = ("victor", "victor_tls")
"""The rows of ours that are compared with other clients."""
_NOT_ALONE = ("bare", "victor_reused", "victor_oauth")
"""Settings and sockets that this table leaves to the others."""


def markdown(record: Record) -> str:
    """The page: the chart, and one table."""
    sizes = [each for _, each in record["bytes"].values()]
    short = _CHARTED | _SUMMARY
    ahead = [short.get(name, MEASURES[name].title) for name in behind(record)]
    return _PAGE.format(
        table=_summary(record),
        least=min(sizes),
        most=max(sizes),
        ahead=", ".join(ahead) or "no table of this run",
        **{name: record[name] for name in ("machine", "python", "taken")},
    )


def tables(record: Record) -> str:
    """How it was measured, and a table for each measure."""
    before, after = record["load"]
    told = _TABLES.format(
        times=TIMES,
        before=before,
        after=after,
        loaded=": it was busy with other work, which the spread shows" if before > 1 else "",
        versions=", ".join(f"{name} {number}" for name, number in record["versions"].items()),
        **{name: record[name] for name in ("machine", "python", "taken", "seconds", "raw")},
    )
    return f"{told}\n{tables_alone(record)}"


def tables_alone(record: Record) -> str:
    """A table for each measure that the record has."""
    parts: list[str] = []
    for name in record["measures"]:
        measure = MEASURES[name]
        parts += [f"## {measure.title}\n", *_extent(name, record), _table(lines_of(name, record))]
        if measure.note:
            parts.append(measure.note + "\n")
    return "\n".join(parts)


def _extent(name: str, record: Record) -> list[str]:
    """How much was measured of each row, as a paragraph; none where nothing was timed."""
    measure = MEASURES[name]
    if measure.kind == "size":
        return []
    share, budget = record["extents"][name]
    units = f"{share:,} {measure.what}s or {budget:g} s"
    if measure.kind == "memory":
        return [f"One process, to {units}.\n"]
    rounds = len(next(iter(record["measures"][name].values())))
    if measure.kind == "first":
        return [f"{rounds} rounds of one process.\n"]
    return [f"{rounds} rounds, each to {units}.\n"]


def tables_page(record: Record) -> str:
    """The page behind it: every table of this run, and of that of bulk and outbox."""
    return f"{tables(record)}\n{scale.markdown(scale.recorded())}"


def _summary(record: Record) -> str:
    """A row for each client, a column for each measure of `_SUMMARY`."""
    found = {
        name: {line.name: f"{line.judged:{line.form}}" for line in lines_of(name, record)}
        for name in _SUMMARY
    }
    rows = [
        f"| {each.label} | {' | '.join(column.get(client, '') for column in found.values())} |"
        for client, each in CONTENDERS.items()
        if client not in _NOT_ALONE and any(client in column for column in found.values())
    ]
    return "\n".join(
        [
            f"| client | {' | '.join(_SUMMARY.values())} |",
            f"|---|{'---:|' * len(_SUMMARY)}",
            *rows,
        ]
    )


def behind(record: Record) -> list[str]:
    """The measures in which another client is ahead of ours."""
    found = []
    for name in MEASURES:
        lines = lines_of(name, record)
        ours = next((line for line in lines if line.name in _AS_IT_COMES), None)
        if ours is None:
            continue
        peers = (line for line in lines if CONTENDERS[line.name].peer)
        if any(line.judged < ours.judged for line in peers):
            found.append(name)
    return found


def _table(lines: list[Line]) -> str:
    headings = lines[0].headings
    rows = [f"| {line.label} | {' | '.join(line.cells)} |" for line in lines]
    return "\n".join(
        [f"| client | {' | '.join(headings)} |", f"|---|{'---:|' * len(headings)}", *rows, ""]
    )


def write(record: Record) -> None:
    """Write both pages and the chart."""
    PAGE.write_text(markdown(record), encoding="utf-8")
    TABLES.write_text(tables_page(record), encoding="utf-8")
    CHART.write_text(svg(record), encoding="utf-8")


def recorded() -> Record:
    """The run that was kept."""
    record: Record = json.loads(RECORD.read_text(encoding="utf-8"))
    return record


if __name__ == "__main__":
    write(recorded())
