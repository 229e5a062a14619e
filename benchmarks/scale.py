"""Make docs/scale.md from the recorded run, and from nothing else: `python -m benchmarks.scale`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RECORD = ROOT / "benchmarks/results/queue.json"
PAGE = ROOT / "docs/scale.md"
Record = dict[str, Any]

DAY_ROWS = 100_000_000
_DAY = 24 * 3600
_MIB = 1024 * 1024
_GIB = 1024 * _MIB
_SERVER_CONNECTIONS = 100
"""`max_connections` of PostgreSQL, by default."""

_TEXT = """\
# A day of {rows:,} rows

<!-- Made from benchmarks/results/queue.json by benchmarks/scale.py. Edit that file, never this page. -->

What many rows a day take of the database and of the workers of [`victor bulk`](bulk.md), by what was measured.
{rows:,} rows a day are {rate:,.0f} rows a second, day and night. `python -m benchmarks.queue --write` measures
it again. A test makes this page from the record and compares.

## The queue alone

Workers send to nobody: what is left is the queue. One PostgreSQL server ({connections:,}
connections at most in place of {server}), a chunk of {chunk_rows} rows, {machine}, Python {python}, {taken}.
**The server, all workers and other work shared these cores**: the seconds are those of this machine under the
load that is shown (runnable processes), and only a lower bound. Counts and bytes do not depend on load, except
the transactions: every idle worker polls.

{table}

- *writes*: rows inserted, updated or deleted in tables (`pg_stat_user_tables`), storing and sending together.
- *WAL*, *tables*: growth of the write-ahead log and of tables with their indexes, first for storing, then for
  sending.
- Rows are stored compressed, and the rows of this run are much alike: yours take more bytes.
- *waiting for locks*: the most database sessions that were seen waiting for one, four times a second.

## What a day takes

By the run with {most} {workers_word} (bytes and writes a row times {rows:,}):

| what | a row | a day |
|---|---:|---:|
| rows written | {writes:.3f} | {day_writes:,.0f} million, {second_writes:,.0f} a second |
| WAL | {wal:,.0f} bytes | {day_wal:,.0f} GiB, {second_wal:.2f} MiB a second |
| tables and indexes | {tables:,.0f} bytes | {day_tables:,.0f} GiB |

## Where the walls stand

1. **The provider.** {rate:,.0f} calls a second are {under_way:,.0f} under way if a call takes 0.1 s:
   {processes:,.0f} processes with `--workers 16` for the waiting alone. Whether the provider takes that many is
   not documented: ask. `--rate` sends one chunk at a time, so a rate is the bound by intent, and more workers
   change nothing.
2. **Connections**, the first wall of the database. {connections_each:.1f} connections a worker were seen
   ({connections_all} with {most}).
   PostgreSQL's default of {server} ends at about {default_workers:.0f} workers. What moves it:
   `max_connections`, fewer processes with more `--workers` each. A transaction pooler does not: workers show by
   advisory locks of a session that they are alive.
3. **The processor of the workers.** A process uses one core. `docs/bulk.md` has the CPU a row; the days of
   processor time are that, times the rows. What moves it: more machines, a faster transport.
4. **The queue.** The fastest run, with {best} workers, took and finished {best_rate:,.0f} rows a second; that with
   {most}: {queue_rate:,.0f}, {queue_ratio:.1f} times the rate of the day, on a machine that was asked for too many
   processes (its load was {most_load}); {waiting} sessions at most
   waited for a lock. Workers take chunks one
   transaction at a time for each queue; when two collide, DBOS doubles the pause between looks. What moves it: several
   batches (each has a queue of its own), larger chunks, a database for each part of the day.
5. **Room.** {day_tables:,.0f} GiB a day stay until they are deleted: `victor bulk` deletes nothing. What moves
   it: a database for each day, dropped after its export.
6. **Storing.** One process checks and stores a file: {store_rate:,.0f} rows a second in the run with one
   worker, so a day's rows are {store_hours:,.0f} hours of one process under that load. What moves it: several
   files, so several batches.

A `kill -9` leaves at most {unknown:,} rows of a process unknown; another worker sends them again with the same
keys.
"""


def table(record: Record) -> str:
    """What each run took."""
    headings = (
        "workers", "took part", "rows", "seconds", "rows a second", "transactions a row", "writes a row",
        "WAL, bytes a row", "tables, bytes a row", "connections", "waiting for locks", "load",
    )  # fmt: skip
    lines = [f"| {' | '.join(headings)} |", "|" + "---:|" * len(headings)]
    for run in record["runs"]:
        rows = run["rows"]
        cells = (
            run["workers"], run["took_part"], f"{rows:,}", run["seconds"], f"{rows / run['seconds']:,.0f}",
            f"{run['transactions'] / rows:.3f}", f"{run['writes'] / rows:.3f}", _two(run["wal_bytes"], rows),
            _two(run["table_bytes"], rows), run["connections"], run["waiting_for_locks"], run["load"],
        )  # fmt: skip
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def markdown(record: Record) -> str:
    """The page."""
    most = max(record["runs"], key=lambda run: run["workers"])
    alone = min(record["runs"], key=lambda run: run["workers"])
    best = max(record["runs"], key=lambda run: run["rows"] / run["seconds"])
    rows, rate = most["rows"], DAY_ROWS / _DAY
    writes, wal, tables = most["writes"] / rows, sum(most["wal_bytes"]) / rows, sum(most["table_bytes"]) / rows
    each = most["connections"] / most["workers"]
    store_rate = alone["rows"] / alone["store_seconds"]
    return _TEXT.format(
        **{name: record[name] for name in ("machine", "python", "taken", "chunk_rows")},
        rows=DAY_ROWS,
        rate=rate,
        table=table(record),
        server=_SERVER_CONNECTIONS,
        connections=record["max_connections"],
        most=most["workers"],
        workers_word="worker" if most["workers"] == 1 else "workers",
        writes=writes,
        day_writes=writes * DAY_ROWS / 1e6,
        second_writes=writes * rate,
        wal=wal,
        day_wal=wal * DAY_ROWS / _GIB,
        second_wal=wal * rate / _MIB,
        tables=tables,
        day_tables=tables * DAY_ROWS / _GIB,
        under_way=rate * 0.1,
        processes=rate * 0.1 / 16,
        connections_each=each,
        connections_all=most["connections"],
        default_workers=_SERVER_CONNECTIONS / each,
        best=best["workers"],
        best_rate=best["rows"] / best["seconds"],
        most_load=most["load"],
        waiting=max(run["waiting_for_locks"] for run in record["runs"]),
        queue_rate=rows / most["seconds"],
        queue_ratio=rows / most["seconds"] / rate,
        store_rate=store_rate,
        store_hours=DAY_ROWS / store_rate / 3600,
        unknown=2 * record["chunk_rows"],
    )


def _two(values: list[int], rows: int) -> str:
    return " + ".join(f"{value / rows:,.0f}" for value in values)


def write(record: Record) -> None:
    """Keep the record, and write the page."""
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(markdown(record), encoding="utf-8")


if __name__ == "__main__":
    write(json.loads(RECORD.read_text(encoding="utf-8")))
