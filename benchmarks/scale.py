"""Make docs/scale.md from the recorded run, and from nothing else: `python -m benchmarks.scale`."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RECORD = ROOT / "benchmarks/results/queue.json"
BULK_RECORD = ROOT / "benchmarks/results/bulk.json"
PAGE = ROOT / "docs/scale.md"
Record = dict[str, Any]

DAY_ROWS = 100_000_000
_DAY = 24 * 3600
_MIB = 1024 * 1024
_GIB = 1024 * _MIB
_SERVER_CONNECTIONS = 100
"""`max_connections` of PostgreSQL, by default."""

_TEXT = """\
# Scale: {rows:,} rows a day

<!-- Made from benchmarks/results/queue.json and bulk.json by benchmarks/scale.py. Edit that file, never this page. -->

What many rows a day take of the database and of the workers of [`victor bulk`](bulk.md), by what was measured.
{rows:,} rows a day are {rate:,.0f} rows a second, day and night. `python -m benchmarks.queue --write` measures
the queue again, `python -m benchmarks.bulk --write` the sending. A test makes this page from the records and compares.

## One file, sent

`victor bulk send`, from the start of the command to its end. *CPU* is that of all sending processes together, with
checking, storing and the start; the server (and the one of PostgreSQL) uses the same cores, so where these are fewer
than processes and servers, the rate is that of the machine and only the CPU a row is that of the sender. *sandbox*
is `victor sandbox`, *echo* a server that takes each request at once.

{bulk_table}

- *checking*: seconds until the last row was checked; nothing is sent before. *rows a second*: after that, while they
  are stored and sent.
- *client alone*: calls a second of the same client with as many threads in one process, without bulk sending.
- *load*: runnable processes of the machine at the end of the run. {bulk_machine}. Other programs used these cores,
  too, wherever it is more than the processes of the line: there a rate is a lower bound, and the CPU a row says more.

## The queue alone

These workers call no provider, so that only the queue is measured. One PostgreSQL server ({connections:,}
connections at most in place of {server}), a chunk of {chunk_rows} rows, {machine}, Python {python}, {taken}.
**The server, all workers and other work shared these cores**: the seconds are those of this machine under the
load that is shown (runnable processes), and only a lower bound. Counts and bytes do not depend on load, except
the transactions: every idle worker polls. {ratios}

{table}

- *writes*: rows inserted, updated or deleted in tables (`pg_stat_user_tables`), storing and sending together. Five
  are of each row: its line and its payment are stored; then the payment is claimed with its chunk, marked before it is
  sent, and gets its result. A statement changes all of a chunk or of a group, and two of the three changes mostly
  stay out of the indexes.
- *WAL*, *tables*: growth of the write-ahead log and of tables with their indexes, first for storing, then for
  sending.
- Each row is compressed and encrypted by itself: longer ones take more bytes.
- *waiting for locks*: the most database sessions that were seen waiting for one, four times a second.

## What a day takes

By the run with {most} {workers_word} (bytes and writes a row times {rows:,}):

| what | a row | a day |
|---|---:|---:|
| rows written | {writes:.3f} | {day_writes:,.1f} million, {second_writes:,.0f} a second |
| WAL | {wal:,.0f} bytes | {day_wal:,.0f} GiB, {second_wal:.2f} MiB a second |
| tables and indexes | {tables:,.0f} bytes | {day_tables:,.0f} GiB |

## Where the walls stand

1. **The provider.** {rate:,.0f} calls a second are {under_way:,.0f} under way if a call takes 0.1 s:
   {processes:,.0f} processes with `--workers 16` for the waiting alone. Whether the provider takes that many is
   not documented: ask. `--rate` sends one chunk at a time, so a rate is a limit that you have set, and more workers
   change nothing.
2. **Connections**, the first wall of the database. {connections_each:.1f} connections a worker were seen
   ({connections_all} with {most}).
   PostgreSQL's default of {server} ends at about {default_workers:.0f} workers. What moves it:
   `max_connections`, fewer processes with more `--workers` each. A transaction pooler does not: workers show by
   advisory locks of a session that they are alive.
3. **The processor of the workers.** A process uses one core, and {cpu:.2f} ms of it a row (the first line above
   with PostgreSQL): {cpu_days:,.1f} days of one core for a day's rows. What moves it: more cores, more machines.
4. **The queue.** The fastest run, with {best} workers, took and finished {best_rate:,.0f} rows a second; that with
   {most}: {queue_rate:,.0f}, {queue_ratio:.1f} times the rate of the day, on a machine that was asked for too many
   processes (its load was {most_load}); {waiting} sessions at most
   waited for a lock. Workers take chunks one
   transaction at a time for each queue; when two collide, DBOS doubles the pause between looks. What moves it: several
   batches (each has a queue of its own), larger chunks.
5. **Room.** {day_tables:,.0f} GiB a day stay. `victor bulk forget` empties what settled rows asked for; their
   keys and outcomes stay, because they keep a later file from asking again. A database for each day can be dropped
   after its export, and protects within that day alone.
6. **Storing.** One process checks and stores a file: {store_rate:,.0f} rows a second in the run with one
   worker, so a day's rows are {store_hours:,.0f} hours of one process under that load. What moves it: several
   files, so several batches. They are checked side by side, and stored one after the other.

A `kill -9` leaves at most {unknown:,} rows of a process unknown; another worker sends them again with the same
keys.
"""


def table(record: Record) -> str:
    """What each run took."""
    headings = (
        "workers",
        "took part",
        "rows",
        "seconds",
        "rows a second",
        "transactions a row",
        "writes a row",
        "WAL, bytes a row",
        "tables, bytes a row",
        "connections",
        "waiting for locks",
        "load",
    )
    lines = [f"| {' | '.join(headings)} |", "|" + "---:|" * len(headings)]
    for run in record["runs"]:
        rows = run["rows"]
        cells = (
            run["workers"],
            run["took_part"],
            f"{rows:,}",
            run["seconds"],
            f"{rows / run['seconds']:,.0f}",
            f"{run['transactions'] / rows:.3f}",
            f"{run['writes'] / rows:.3f}",
            _two(run["wal_bytes"], rows),
            _two(run["table_bytes"], rows),
            run["connections"],
            run["waiting_for_locks"],
            run["load"],
        )
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def bulk_table(runs: list[Record]) -> str:
    """What each batch took that was sent."""
    headings = (
        "database",
        "server",
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
    lines = [f"| {' | '.join(headings)} |", "|---|---|" + "---:|" * (len(headings) - 2)]
    for run in runs:
        rows = run["rows"]
        cells = (
            run["database"],
            run["server"],
            run["processes"],
            run["workers"],
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
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def markdown(record: Record, bulk: list[Record]) -> str:
    """The page."""
    on_server = min(
        (run for run in bulk if run["database"] == "PostgreSQL"), key=lambda run: run["processes"]
    )
    cpu = on_server["sender_cpu"] / on_server["rows"]
    machines = sorted({f"{run['machine']}, Python {run['python']}" for run in bulk})
    most = max(record["runs"], key=lambda run: run["workers"])
    alone = min(record["runs"], key=lambda run: run["workers"])
    best = max(record["runs"], key=lambda run: run["rows"] / run["seconds"])
    rows, rate = most["rows"], DAY_ROWS / _DAY
    writes, wal, tables = (
        most["writes"] / rows,
        sum(most["wal_bytes"]) / rows,
        sum(most["table_bytes"]) / rows,
    )
    each = most["connections"] / most["workers"]
    store_rate = alone["rows"] / alone["store_seconds"]
    return _TEXT.format(
        **{name: record[name] for name in ("machine", "python", "taken", "chunk_rows")},
        rows=DAY_ROWS,
        bulk_table=bulk_table(bulk),
        bulk_machine="; ".join(machines),
        cpu=1000 * cpu,
        cpu_days=cpu * DAY_ROWS / _DAY,
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
        processes=math.ceil(rate * 0.1 / 16),
        connections_each=each,
        connections_all=most["connections"],
        default_workers=math.floor(_SERVER_CONNECTIONS / each),
        best=best["workers"],
        best_rate=best["rows"] / best["seconds"],
        most_load=most["load"],
        waiting=max(run["waiting_for_locks"] for run in record["runs"]),
        ratios=_ratios(record["runs"]),
        queue_rate=rows / most["seconds"],
        queue_ratio=rows / most["seconds"] / rate,
        store_rate=store_rate,
        store_hours=DAY_ROWS / store_rate / 3600,
        unknown=2 * record["chunk_rows"],
    )


def _ratios(runs: list[Record]) -> str:
    """How many times the rows a second of the first run the others took, in a sentence."""
    first, *others = runs
    rate = first["rows"] / first["seconds"]
    times = (f"{run['workers']}: {run['rows'] / run['seconds'] / rate:.1f} times" for run in others)
    return f"Rows a second, over those of {first['workers']} worker: {', '.join(times)}."


def _two(values: list[int], rows: int) -> str:
    return " + ".join(f"{value / rows:,.0f}" for value in values)


def keep_queue(record: Record) -> None:
    """Keep a run of the queue, and write the page."""
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    write()


def keep_bulk(runs: list[Record]) -> None:
    """Keep batches that were sent, in place of the earlier ones of their kind, and write the
    page.
    """
    kinds = {
        _kind(run): run for run in [*(_read(BULK_RECORD) if BULK_RECORD.exists() else []), *runs]
    }
    ordered = sorted(kinds.values(), key=lambda run: (run["database"] == "PostgreSQL", *_kind(run)))
    BULK_RECORD.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")
    write()


def write() -> None:
    """Write the page from what is recorded."""
    PAGE.write_text(markdown(_read(RECORD), _read(BULK_RECORD)), encoding="utf-8")


def _kind(run: Record) -> tuple[Any, ...]:
    return run["database"], run["server"], run["workers"], run["processes"]


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    write()
