"""Storing a batch: interrupted at any step, in two places at once, a million rows long, and with
nobody listening.
"""

import socket
import sqlite3
import threading
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from unittest.mock import Mock

import pytest
import sqlalchemy as sa
from dbos import DBOSClient

from tests.bulk.bulk_runs import (
    Bulk,
    Senders,
    asked_once,
    keys_of,
    row,
    rows,
    store_only,
    today,
    wait_until,
)
from tests.cases import cases_beside
from victor_ext import ConfigurationError, Victor
from victor_ext.bulk import RowOutcome, batch_store
from victor_ext.bulk.layout import CHUNK, LOAD, MARK
from victor_ext.bulk.run import StatusReader
from victor_ext.bulk.state import State, StateLost
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow
Steps = Callable[..., None]
SHORT, LONG = 2000, 20_000
"""Rows of the batches whose memory is compared; `python -m benchmarks.bulk` does it with a million,
and sends them.
"""


class Crash(BaseException):
    """Simulates the end of the process within one process."""


@pytest.fixture
def at_step(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """Let something happen before the next insert of this kind, once; of the chunks before the
    third.

    A load, its mark and its chunks (of 100 rows each) are one transaction.
    """
    insert = DBOSClient.enqueue_in_transaction

    def arrange(step: str, happen: Callable[[], object]) -> None:
        left = iter(range(2 * (step == CHUNK)))

        def inserting(self: Any, connection: Any, options: Any, *arguments: Any) -> Any:
            if options["workflow_name"] == step and next(left, None) is None:
                monkeypatch.setattr(DBOSClient, "enqueue_in_transaction", insert)
                happen()
            return insert(self, connection, options, *arguments)

        monkeypatch.setattr(DBOSClient, "enqueue_in_transaction", inserting)

    return arrange


@pytest.mark.parametrize("before", [0, 120])
@pytest.mark.parametrize("step", [LOAD, MARK, CHUNK])
def test_a_source_whose_storing_was_interrupted_is_not_stored(
    sender: Senders, victor_sandbox: Sandbox, at_step: Steps, before: int, step: str
) -> None:
    records = rows(530)
    if before:
        assert sender().send(rows(before)).exit_status == 0
    asked = victor_sandbox.attempts_by_key()
    at_step(step, Mock(side_effect=Crash))
    with pytest.raises(Crash):
        sender().send(records)
    if before:
        assert dict(sender().resume().counts) == {RowOutcome.CREATED: before}
    else:
        with pytest.raises(ConfigurationError, match="nothing was sent"):
            sender().resume()
    assert (len(sender().batches()), victor_sandbox.attempts_by_key()) == (bool(before), asked)
    # Its rows are no copy of what is not there, and a part of them may come first.
    assert sender(batch="april").check(records).new == 530
    assert sender().send(records[:200]).exit_status == sender().send(records).exit_status == 0
    asked_once(victor_sandbox, keys_of(records))


def test_refused_rows_are_replaced_or_dropped(
    sender: Senders,
    victor_sandbox: Sandbox,
    client: Victor,
    monkeypatch: pytest.MonkeyPatch,
    at_step: Steps,
) -> None:
    tomorrow = today() + timedelta(days=1)
    records = [
        row(number, due_date=today() if number in (4, 5) else tomorrow) for number in range(1, 251)
    ]
    records[1]["amount"], records[2]["amount"] = "-1", "0"
    store_only(sender(skip_invalid=True), records)
    clock, late = (
        client._config.clock,
        datetime(tomorrow.year, tomorrow.month, tomorrow.day, 23, tzinfo=UTC),
    )
    with monkeypatch.context() as patched:
        # The fourth and fifth are refused only when their turn comes.
        patched.setattr(type(clock), "moment", lambda _self: late)
        status = sender().resume()
    assert (dict(status.counts), status.exit_status) == (
        {RowOutcome.CREATED: 246, RowOutcome.REFUSED: 4},
        1,
    )
    assert "due_date" in ([*sender().export()][3].error or "")
    # The third comes corrected, and the fourth as it was.
    records[2]["amount"] = "3.00"
    assert sender(skip_invalid=True).send(records[:4]).check.replaced == 2
    counts = {RowOutcome.CREATED: 248, RowOutcome.REFUSED: 2}
    assert (sender().status().exit_status, dict(sender().status().counts)) == (1, counts)
    again = sender(skip_invalid=True).send(records)
    assert (again.check.new, again.check.set_aside, again.check.replaced, again.rows) == (
        1,
        0,
        1,
        250,
    )
    assert [result.row for result in sender().export()] == [*range(1, 251)]
    # A row that had no key comes with one: what was refused is another row, and is dropped.
    assert (
        sender(skip_invalid=True).send([row(251, invoice_no="", amount="-1"), row(252)]).rows == 252
    )
    assert sender().send([row(251), row(252)]).exit_status == 1
    assert (sender().drop(), sender().drop()) == (2, 0)
    assert (sender().status().exit_status, dict(sender().status().counts)) == (
        0,
        {RowOutcome.CREATED: 251},
    )
    good = keys_of([records[0], *records[2:], row(251), row(252)])
    assert {result.key for result in sender().export()} == good
    # It is new if it comes again, and can be dropped again; not while something else is stored.
    again = sender(skip_invalid=True).send(records)
    assert (again.check.new, again.check.set_aside, again.check.replaced, again.rows) == (
        0,
        1,
        0,
        252,
    )
    at_step(LOAD, partial(sender().send, [row(253)]))
    with pytest.raises(ConfigurationError, match="stored other rows of the batch march meanwhile"):
        sender().drop()
    good |= keys_of([row(253)])
    assert (sender().drop(), sender().status().rows) == (1, 252)
    asked_once(victor_sandbox, good)


@pytest.mark.parametrize(("what", "message", "whose"), cases_beside(__file__)["comes"])
def test_what_comes_while_a_batch_is_stored(
    sender: Senders, victor_sandbox: Sandbox, at_step: Steps, what: str, message: str, whose: str
) -> None:
    """It comes from another process, when this one has compared its rows, and before it stores
    them.
    """
    batch, others = (
        "april" if "copy" in what else "march",
        rows(120, start=1000) if what == "others" else rows(250),
    )
    options, refused = {"ask_again": what == "a copy on purpose"}, list[str]()

    def attempt(act: Callable[[], object]) -> None:
        try:
            act()
        except ConfigurationError as error:
            refused.append(str(error))

    another = sender(batch=batch, **options)
    at_step(LOAD, partial(attempt, partial(another.send, others)))
    attempt(partial(sender(**options).send, rows(250)))
    ours, theirs = keys_of(rows(250)), keys_of(others)
    keys = {"ours": ours, "theirs": theirs, "both": ours | theirs, "": set[str]()}[whose]
    assert len(refused) == bool(message) and message in "".join(refused)
    asked_once(victor_sandbox, keys)
    assert set(victor_sandbox.attempts_by_key()) == keys


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
@pytest.mark.parametrize("batch", ["march", "april"])
def test_two_that_store_the_same_rows_at_the_same_moment(
    sender: Senders,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    database: str,
    batch: str,
) -> None:
    """Both have looked, and neither has stored: the database decides."""
    options = {} if database == "sqlite" else {"state": request.getfixturevalue("postgres")}
    insert, both = DBOSClient.enqueue_in_transaction, threading.Barrier(2)

    def inserting(self: Any, connection: Any, chosen: Any, *arguments: Any) -> Any:
        if chosen["workflow_name"] == LOAD:
            both.wait(60)
        return insert(self, connection, chosen, *arguments)

    State(sender(**options)._state.connection_string.replace("+psycopg", "")).prepare()
    monkeypatch.setattr(DBOSClient, "enqueue_in_transaction", inserting)
    with ThreadPoolExecutor() as pool:
        done = [
            pool.submit(store_only, sender(batch=name, **options), rows(250))
            for name in ("march", batch)
        ]
    errors = [str(error) for each in done if (error := each.exception()) is not None]
    stored = [sender(batch=name, **options).status().rows for name in sender(**options).batches()]
    assert stored == [250]
    assert [("same rows as the batch" in error) for error in errors] == [True] * (batch == "april")


def test_a_command_that_is_killed_while_it_stores_has_stored_nothing(
    bulk: Bulk, victor_sandbox: Sandbox, postgres: str
) -> None:
    """Killed in the transaction that stores the rows, where a lock of ours holds it."""
    options = ("--state", postgres)
    send = ("send", "march.csv", "--key-column", "invoice_no", *options)
    bulk.write(rows(230), "march.csv")
    State(postgres).prepare()
    with State(postgres).engine() as engine, engine.connect() as holder, engine.connect() as seen:
        held = (
            "INSERT INTO dbos.workflow_status (workflow_uuid, status, name) VALUES "
            "('march.csv/00000001', '', '')"
        )
        holder.execute(sa.text(held))
        with bulk.started(*send) as process:
            waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            wait_until(lambda: bool(seen.scalar(waiting)), process)
            assert process.poll() is None
        holder.rollback()
    for ended in (bulk("status", *options), bulk("resume", *options)):
        assert (ended.status, "nothing was stored there, and nothing was sent" in ended.err) == (
            2,
            True,
        )
    bulk.write(rows(40), "march.csv")
    assert bulk(*send).status == 0
    assert victor_sandbox.work_done_by_key() == dict.fromkeys(keys_of(rows(40)), 1)


@pytest.mark.parametrize(
    ("batch", "seconds", "told"),
    [("march", 1, "cannot be used"), ("april", 60, "same rows as the batch april")],
)
def test_nobody_waits_for_long_for_one_who_was_stopped_while_it_stored(
    sender: Senders,
    postgres: str,
    monkeypatch: pytest.MonkeyPatch,
    at_step: Steps,
    batch: str,
    seconds: int,
    told: str,
) -> None:
    """The server ends the transaction of the same batch; another batch does not wait at all."""
    monkeypatch.setattr(batch_store, "_IDLE_SECONDS", seconds)
    stopped, goes_on = threading.Event(), threading.Event()

    def stop() -> None:
        stopped.set()
        goes_on.wait(60)

    at_step(CHUNK, stop)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(store_only, sender(state=postgres), rows(250))
        assert stopped.wait(60)
        assert sender(batch=batch, state=postgres).send(rows(250)).exit_status == 0
        goes_on.set()
        assert told in str(first.exception())


def test_a_batch_of_which_a_part_was_deleted_is_named(sender: Senders) -> None:
    assert sender().send(rows(1)).exit_status == 0
    with closing(sqlite3.connect(sender()._state.path)) as state, state:
        state.execute("DELETE FROM workflow_status WHERE workflow_uuid LIKE '%/load/1'")
    with pytest.raises(StateLost, match="march"):
        sender().send(rows(1))


def test_nobody_but_the_provider_is_called(
    sender: Senders, victor_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: set[Any] = set()
    connect = socket.socket.connect

    def noted(self: socket.socket, address: Any) -> None:
        called.add(address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", noted)
    assert sender().send(rows(5)).exit_status == 0
    assert called == {("127.0.0.1", int(victor_sandbox.url.rpartition(":")[2]))}


@pytest.mark.nightly
def test_memory_does_not_grow_with_the_number_of_rows(
    sender: Senders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it but the sending: that takes as long as the provider does, and its rows are gone
    when they are sent.
    """
    read = lambda _context, store, loads, _progress: StatusReader(store, loads).read()  # noqa: E731 - as it is patched in
    monkeypatch.setattr("victor_ext.bulk.sender.run_batch", read)
    peaks: list[int] = []
    for count in (SHORT, SHORT, LONG):  # the first time, modules are loaded
        tracemalloc.start()
        status = sender(batch=f"{count} {len(peaks)}", ask_again=True).send(map(row, range(count)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert status.rows == count
    assert peaks[2] - peaks[1] < 36 * (LONG - SHORT), "a key alone has 36 characters"


def test_a_database_that_another_process_creates_meanwhile_is_no_failure(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when `send` and `worker` begin together: between the first look and the question to the
    server.
    """
    state, engine_of = State(postgres), State.engine

    def engine(self: State, database: str | None = None) -> AbstractContextManager[sa.Engine]:
        if database == "postgres":
            with (
                engine_of(self, database) as server,
                server.execution_options(isolation_level="AUTOCOMMIT").connect() as connection,
            ):
                connection.exec_driver_sql(f'CREATE DATABASE "{self.url.database}"')
        return engine_of(self, database)

    monkeypatch.setattr(State, "engine", engine)
    assert state.exists() is False  # it has no tables yet
