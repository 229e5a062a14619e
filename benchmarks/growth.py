"""Measure what settled rows cost.

An outbox, an inbox and the state of bulk sending get so many settled rows, on SQLite and on
PostgreSQL: each is a copy of one that was settled as usual, under a name of its own. Then the same
work is done: passes of the outbox over new entries, new notifications that are received and
handled, and another file that is sent. What counts is its least time of three rounds, beside that
with the fewest settled rows, in one run. The new rows of a round are settled in the next one.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from benchmarks.outbox import database_engine, invoices, postgresql_state
from benchmarks.server import echo_server
from tests.providers.velo.test_velo_notifications import HEADER, body_of
from victor_ext import Victor, VictorOAuth, idempotency_key_for
from victor_ext.bulk import BulkSender
from victor_ext.bulk._payments import LINES, PAYMENTS
from victor_ext.inbox import Inbox
from victor_ext.outbox import Outbox
from victor_ext.outbox._files import ENTRIES
from victor_ext.providers import velo

Run = dict[str, Any]
NEW = 300
"""Rows of the work that is measured."""
ROUNDS = 3
"""How often each is measured. The least counts: other work of the machine only adds to it."""
_FIRST_NEW = 10_000_000
"""Their first number: none of the settled ones has it."""


def measured(settled: Sequence[int]) -> list[Run]:
    """The seconds of each work beside so many settled rows, and the last of them over the first."""
    runs: list[Run] = []
    with (
        echo_server() as url,
        Victor(VictorOAuth("canned", "not-a-secret"), base_url=url) as victor,
        _databases() as databases,
    ):
        for kind, prepare in _WORK.items():
            for database, urls in databases.items():
                works = [prepare(urls.format(f"{kind}{count}"), victor, count) for count in settled]
                seconds = _least(works)
                times = round(seconds[-1] / seconds[0], 2)
                run = {"kind": kind, "database": database, "settled": [*settled]}
                runs.append({**run, "seconds": seconds, "times": times})
    return runs


@contextmanager
def _databases() -> Iterator[dict[str, str]]:
    """Of each database, what makes URLs of names."""
    with (
        postgresql_state() as state,
        tempfile.TemporaryDirectory(prefix="victor-growth-") as folder,
    ):
        yield {
            "SQLite": f"sqlite:///{folder}/{{}}.sqlite",
            "PostgreSQL": state.replace("/bulk?", "/{}?"),
        }


Work = Callable[[int], float]
"""Does the work of the round with this number, on new rows, and returns its seconds."""
Prepare = Callable[[str, Victor, int], Work]
"""Settles so many rows in the database of a URL, and returns the work that is done beside them."""


def _least(works: Sequence[Work]) -> list[float]:
    """The least seconds of each work, in rounds that have each of them once."""
    rounds = [[work(number) for work in works] for number in range(ROUNDS)]
    return [round(min(of_work), 3) for of_work in zip(*rounds, strict=True)]


def _outbox(url: str, victor: Victor, settled: int) -> Work:
    engine = database_engine(url)
    outbox = Outbox(engine)
    outbox.create_table()
    _store(outbox, engine, 0, 1)
    outbox.send(victor)
    names = ("key", "reference", "request_id")
    _copy(engine, outbox.table, settled, names, values={"ended": sa.true()})

    def work(number: int) -> float:
        table = outbox.table
        ended = sa.update(table).where(sa.not_(table.c.ended)).values(ended=sa.true())
        with engine.begin() as connection:  # those of the round before are refreshed no more
            connection.execute(ended)
        _store(outbox, engine, _FIRST_NEW + number * NEW, NEW)
        began = time.perf_counter()
        outbox.send(victor)
        outbox.refresh(victor)
        return time.perf_counter() - began

    return work


def _store(outbox: Outbox, engine: sa.Engine, first: int, count: int) -> None:
    with engine.begin() as connection:
        for row in invoices(count, first):
            number = row.pop("invoice_no")
            outbox.add(connection, **row, idempotency_key=idempotency_key_for("invoice", number))


def _inbox(url: str, _: Victor, settled: int) -> Work:
    engine = database_engine(url)
    inbox = Inbox(engine, velo.Webhook(HEADER))
    inbox.create_table()
    inbox.on()(lambda _session, _event: None)
    _receive(inbox, engine, 1, 1)
    inbox.handle()
    _copy(engine, inbox.events, settled, ("subject", "once"))
    _copy(engine, inbox.table, settled, ("id",))

    def work(number: int) -> float:
        began = time.perf_counter()
        _receive(inbox, engine, 2 + number * NEW, NEW)  # a gap would be another measurement
        inbox.handle()
        return time.perf_counter() - began

    return work


def _receive(inbox: Inbox, engine: sa.Engine, first: int, count: int) -> None:
    for number in range(first, first + count):
        with Session(engine) as session, session.begin():
            body = body_of(number, f"event-{number}")
            inbox.receive(session, body, {"Authorization": HEADER}, source="payor-1")


def _bulk(url: str, victor: Victor, settled: int) -> Work:
    def sender(batch: str) -> BulkSender:
        return BulkSender(
            victor,
            state=url,
            batch=batch,
            key_column="invoice_no",
            storage_key="only good for a benchmark",
        )

    sender("january").send(invoices(1))
    engine = database_engine(url)
    batches = {"batch": 10_000}
    _copy(engine, ENTRIES, settled, ("key", "reference", "request_id"), groups=batches)
    digests = ("values_digest", "bare_digest", "skeleton_digest", "reference_digest")
    unique = ("key", *digests, "party_digest")
    _copy(engine, PAYMENTS, settled, ("entry", *unique), groups=batches)
    _copy(engine, LINES, settled, unique, numbers=("number",))

    def work(number: int) -> float:
        began = time.perf_counter()
        sender(f"file-{number}").send(invoices(NEW, _FIRST_NEW + number * NEW))
        return time.perf_counter() - began

    return work


_WORK: Mapping[str, Prepare] = {"outbox": _outbox, "inbox": _inbox, "bulk": _bulk}


def _copy(
    engine: sa.Engine,
    table: sa.Table,
    count: int,
    names: Collection[str],
    *,
    groups: Mapping[str, int] | None = None,
    numbers: Collection[str] = (),
    values: Mapping[str, Any] | None = None,
) -> None:
    """Copy the only row of a table, so that it has `count` rows.

    Args:
        names: Columns whose text has the number of the copy at its end.
        groups: Columns whose text is the same in so many copies.
        numbers: Columns to which the number of the copy is added.
        values: Columns with a value of their own.
    """
    counted = sa.select(sa.literal(1).label("i")).cte("counted", recursive=True)
    counted = counted.union_all(sa.select(counted.c.i + 1).where(counted.c.i < count - 1))
    columns: dict[str, Any] = {}
    sizes = {**dict.fromkeys(names, 1), **(groups or {})}
    for column in table.c:
        if column.name == "id" and isinstance(column.type, sa.Integer):
            continue  # the database counts it
        columns[column.name] = column
        if column.name in sizes:
            group = counted.c.i // sizes[column.name]
            columns[column.name] = column + "-" + sa.cast(group, sa.Text)
        elif column.name in numbers:
            columns[column.name] = column + counted.c.i
    columns |= values or {}
    select = sa.select(*columns.values()).select_from(table.join(counted, sa.true()))
    with engine.begin() as connection:
        connection.execute(sa.insert(table).from_select([*columns], select))
    # What a database does by itself at times, or a team: it then plans for settled rows.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE"))
