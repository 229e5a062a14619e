"""Storing a batch: interrupted at any step, in two places at once, a million rows long, and with
nobody listening.
"""

import socket
import sqlite3
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from dbos import DBOSClient
from sqlalchemy import event

from tests.bulk.bulk_runs import (
    PATIENCE,
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
from tests.tiers import borders
from victor_ext import Victor
from victor_ext.bulk import RowOutcome, StateLost, store
from victor_ext.bulk.deciding import Code
from victor_ext.bulk.loading import Loading
from victor_ext.bulk.run import status_of
from victor_ext.bulk.source_rows import SourceRows
from victor_ext.bulk.state import State
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.pull_request
SHORT, LONG = 2000, 20_000
"""Rows of the batches whose memory is compared; `python -m benchmarks.bulk` does it with a million,
and sends them.
"""


class Crash(BaseException):
    """Simulates the end of the process within one process."""


@contextmanager
def crash_at(number: int) -> Iterator[list[str]]:
    """Let the process end before the statement of this number of `Loading.store`: its commit is the
    last one. Yields the statements so far.
    """
    statements: list[str] = []
    storing: list[bool] = []
    store_all = Loading.store

    def storing_now(self: Loading, *arguments: Any) -> Any:
        storing.append(True)
        try:
            return store_all(self, *arguments)
        finally:
            storing.clear()

    def note(statement: str) -> None:
        if storing:
            statements.append(statement)
            if len(statements) == number:
                raise Crash

    def before_statement(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        note(statement)

    def before_commit(_connection: Any) -> None:
        note("COMMIT")

    event.listen(sa.Engine, "before_cursor_execute", before_statement)
    event.listen(sa.Engine, "commit", before_commit)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Loading, "store", storing_now)
        try:
            yield statements
        finally:
            event.remove(sa.Engine, "before_cursor_execute", before_statement)
            event.remove(sa.Engine, "commit", before_commit)


def dump_of(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        return list(database.iterdump())


@pytest.mark.parametrize("before", [0, 120])
def test_a_source_whose_storing_was_interrupted_is_not_stored(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path, before: int
) -> None:
    """At any statement of the one transaction, and at its commit."""
    path = tmp_path / "state.sqlite"
    records = rows(230)
    State(f"sqlite:///{path}").prepare()
    if before:
        assert sender().send(rows(before)).exit_status == 0
    asked, dump = victor_sandbox.attempts_by_key(), dump_of(path)
    number, statements = 0, [""]
    while statements:
        number += 1
        with crash_at(number) as statements:
            try:
                store_only(sender(), records)
            except Crash:
                assert dump_of(path) == dump
                assert (len(sender().batches()), victor_sandbox.attempts_by_key()) == (
                    bool(before),
                    asked,
                )
                continue
        break
    # It was the last one, which let all of it be stored.
    assert (statements[-1], number) == ("COMMIT", len(statements) + 1)
    changed = ["payments", "lines", "batches", "workflow_status"]
    assert [name for name in changed if not any(name in text for text in statements)] == []
    assert sender().status().rows == 230
    assert sender().resume().exit_status == 0
    asked_once(victor_sandbox, keys_of(records))


def test_refused_rows_are_replaced_or_dropped(
    sender: Senders, victor_sandbox: Sandbox, client: Victor, monkeypatch: pytest.MonkeyPatch
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
    # The third comes corrected, and the fourth and fifth as they were.
    records[2]["amount"] = "3.00"
    check = sender(skip_invalid=True).send(records).check
    assert (check.new, check.replaced, check.set_aside, check.unchanged) == (3, 1, 1, 246)
    counts = {RowOutcome.CREATED: 249, RowOutcome.REFUSED: 1}
    assert (sender().status().exit_status, dict(sender().status().counts)) == (1, counts)
    assert [result.row for result in sender().export()] == [*range(1, 251)]
    # A row without a key is refused, too, until the file has none.
    without_key = [*records, row(251, invoice_no="", amount="-1"), row(252)]
    assert sender(skip_invalid=True).send(without_key).rows == 252
    with_key = [*records, row(251), row(252)]
    assert sender(skip_invalid=True).send(with_key).counts[RowOutcome.REFUSED] == 1
    assert sender(skip_invalid=True).send(without_key).counts[RowOutcome.REFUSED] == 2
    assert (sender().drop(), sender().drop()) == (2, 0)
    counts = {RowOutcome.CREATED: 250}
    assert (sender().status().exit_status, dict(sender().status().counts)) == (0, counts)
    good = keys_of([records[0], *records[2:], row(252)])
    assert {result.key for result in sender().export()} == good
    # It is new if it comes again, and can be dropped again.
    again = sender(skip_invalid=True).send(records)
    assert (again.check.new, again.check.set_aside, again.rows) == (0, 1, 250)
    assert (sender().drop(), sender().status().rows) == (1, 249)
    asked_once(victor_sandbox, good | keys_of([row(251)]))


@pytest.fixture
def before_storing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Let something happen once, when rows were compared, and before they are stored."""

    def arrange(happen: Callable[[], object]) -> None:
        store_all = Loading.store

        def storing(self: Loading, *arguments: Any) -> Any:
            monkeypatch.setattr(Loading, "store", store_all)
            happen()
            return store_all(self, *arguments)

        monkeypatch.setattr(Loading, "store", storing)

    return arrange


OTHER_AMOUNTS = [row(number, amount="7.77") for number in range(1, 121)]
OTHER_KEYS = [row(number, invoice_no=f"copy-{number}") for number in range(1, 121)]
COMES = {
    "the same": ("march", rows(120), Code.CREATED_BEFORE, "theirs"),
    "other rows": ("march", rows(120, start=300), None, "both"),
    "other amounts": ("march", OTHER_AMOUNTS, Code.OTHER_VALUES, "theirs"),
    "a copy": ("april", rows(120), Code.CREATED_BEFORE, "theirs"),
    "a copy with other keys": ("april", OTHER_KEYS, Code.LOOKS_LIKE, "theirs"),
    "a copy with other amounts": ("april", OTHER_AMOUNTS, Code.OTHER_VALUES, "theirs"),
}


@pytest.mark.parametrize("what", COMES)
def test_what_comes_while_a_batch_is_stored(
    sender: Senders,
    victor_sandbox: Sandbox,
    before_storing: Callable[[Callable[[], object]], None],
    what: str,
) -> None:
    """It comes from another process, when this one has compared its rows, and before it stores
    them. What is stored then decides.
    """
    batch, others, code, whose = COMES[what]
    before_storing(lambda: sender(batch=batch).send(others))
    status = sender(batch="march").send(rows(120))
    assert dict(status.noticed) == ({} if code is None else {code: 120})
    assert status.check.noticed == status.noticed
    keys = keys_of(others) | (keys_of(rows(120)) if whose == "both" else set[str]())
    asked_once(victor_sandbox, keys)
    assert set(victor_sandbox.attempts_by_key()) == keys
    asked = {request["amount"] for request in victor_sandbox.requests()}
    assert asked == {
        record["amount"] for record in (others if whose == "theirs" else rows(120))
    } | {record["amount"] for record in others}


def test_what_was_stored_meanwhile_and_has_not_left_is_replaced(
    sender: Senders,
    victor_sandbox: Sandbox,
    before_storing: Callable[[Callable[[], object]], None],
) -> None:
    before_storing(lambda: store_only(sender(batch="april"), OTHER_AMOUNTS))
    status = sender(batch="march").send(rows(120))
    assert (dict(status.noticed), status.exit_status) == ({Code.REPLACED: 120}, 0)
    assert sender(batch="april").resume().exit_status == 0
    asked_once(victor_sandbox, keys_of(rows(120)))
    assert "7.77" not in {request["amount"] for request in victor_sandbox.requests()}


@pytest.mark.parametrize("database", borders(["sqlite", "postgres"], "sqlite"))
@pytest.mark.parametrize("what", ["the same", "a copy", "a copy with other keys", "other rows"])
def test_two_that_store_at_the_same_moment(
    sender: Senders,
    victor_sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    database: str,
    what: str,
) -> None:
    """Both have looked, and neither has stored: the second one sees what the first one stored."""
    batch, others, *_ = COMES[what]
    options = {} if database == "sqlite" else {"state": request.getfixturevalue("postgres")}
    store_all, both = Loading.store, threading.Barrier(2)

    def storing(self: Loading, *arguments: Any) -> Any:
        both.wait(60)
        return store_all(self, *arguments)

    first = [row(5000, invoice_no="first")]
    store_only(sender(batch="before", **options), first)  # so that the state has its key
    noticed: list[dict[str, int]] = []

    def store_and_stop(name: str, records: list[dict[str, str]]) -> None:
        def stop(status: Any) -> None:
            noticed.append(dict(status.noticed))
            raise InterruptedError

        with suppress(InterruptedError):
            sender(batch=name, **options).send(records, on_progress=stop)

    monkeypatch.setattr(Loading, "store", storing)
    with ThreadPoolExecutor() as pool:
        for done in [
            pool.submit(store_and_stop, "march", rows(120)),
            pool.submit(store_and_stop, batch, others),
        ]:
            done.result()
    names = sender(**options).batches()
    assert sorted(names) == sorted({"before", "march", batch})
    for name in names:
        sender(batch=name, **options).resume()
    ours, theirs = keys_of(rows(120)), keys_of(others)
    asked = set(victor_sandbox.work_done_by_key()) - keys_of(first)
    if what == "other rows":
        # They are of one batch, whose latest file counts: what the other one has is left out.
        assert asked in (ours, theirs)
    elif what == "a copy with other keys":
        assert asked in (ours, theirs)
        assert {Code.LOOKS_LIKE: 120} in noticed
    else:
        assert asked == ours
        if what == "a copy":
            assert {Code.REPLACED: 120} in noticed
    asked_once(victor_sandbox, asked)


def test_what_a_file_leaves_out_is_not_sent_while_the_file_is_stored(
    sender: Senders, victor_sandbox: Sandbox, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that wants to begin it waits, and finds that it was left out: else it would be asked
    for beside the corrected row.
    """
    written = row(1, invoice_no="1042")
    saved = row(1, invoice_no="1042.0")
    store_only(sender(state=postgres), [written])
    assign = SourceRows.assign_chunks
    stopped, goes_on = threading.Event(), threading.Event()

    def assigning(self: SourceRows, first: int, size: int) -> int:
        stopped.set()  # it is decided, and nothing is stored yet
        assert goes_on.wait(60)
        return assign(self, first, size)

    monkeypatch.setattr(SourceRows, "assign_chunks", assigning)
    waits = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with (
        ThreadPoolExecutor() as pool,
        State(postgres).engine() as engine,
        engine.connect() as seen,
    ):
        storing = pool.submit(store_only, sender(state=postgres), [saved])
        assert stopped.wait(60)
        sending = pool.submit(sender(state=postgres).resume)
        ends = time.monotonic() + PATIENCE
        while not seen.scalar(waits) and not victor_sandbox.work_done_by_key():
            assert time.monotonic() < ends
            seen.rollback()
            time.sleep(0.01)
        goes_on.set()
        storing.result()
        sending.result()
    assert sender(state=postgres).resume().exit_status == 0
    assert victor_sandbox.work_done_by_key() == dict.fromkeys(keys_of([saved]), 1)


def test_a_command_that_is_killed_while_it_stores_has_stored_nothing(
    bulk: Bulk, victor_sandbox: Sandbox, postgres: str
) -> None:
    """Killed in the transaction that stores the rows, where a lock of ours holds it."""
    options = ("--state", postgres)
    send = ("send", "march.csv", "--key-column", "invoice_no", *options)
    bulk.write(rows(230), "march.csv")
    State(postgres).prepare()
    with State(postgres).engine() as engine, engine.connect() as holder, engine.connect() as seen:
        # Its chunks are the last that is stored.
        holder.execute(sa.text("LOCK TABLE dbos.workflow_status IN EXCLUSIVE MODE"))
        with bulk.started(*send) as process:
            waiting = sa.text(
                "SELECT count(*) FROM pg_locks WHERE NOT granted"
                " AND relation = 'dbos.workflow_status'::regclass"
            )
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


@pytest.mark.parametrize("batch", ["march", "april"])
def test_nobody_waits_for_long_for_one_who_was_stopped_while_it_stored(
    sender: Senders,
    victor_sandbox: Sandbox,
    postgres: str,
    monkeypatch: pytest.MonkeyPatch,
    batch: str,
) -> None:
    """The server ends the transaction of one who is stopped in the middle of it."""
    monkeypatch.setattr(store, "_IDLE_SECONDS", 1)
    stopped, goes_on = threading.Event(), threading.Event()
    enqueue = DBOSClient.enqueue_in_transaction

    def enqueuing(self: Any, *arguments: Any) -> Any:
        monkeypatch.setattr(DBOSClient, "enqueue_in_transaction", enqueue)
        stopped.set()
        goes_on.wait(60)
        return enqueue(self, *arguments)

    monkeypatch.setattr(DBOSClient, "enqueue_in_transaction", enqueuing)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(store_only, sender(state=postgres), rows(250))
        assert stopped.wait(60)
        assert sender(batch=batch, state=postgres).send(rows(250)).exit_status == 0
        goes_on.set()
        assert "cannot be used" in str(first.exception())
    asked_once(victor_sandbox, keys_of(rows(250)))


def test_a_batch_of_which_a_part_was_deleted_is_named(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    assert sender().send(rows(2)).exit_status == 0
    with closing(sqlite3.connect(sender()._state.path)) as state, state:
        state.execute("DELETE FROM victor_bulk_payments WHERE place = 0")
    for act in (
        lambda: sender().send(rows(2)),
        lambda: sender().check(rows(2)),
        lambda: sender().status(),
        lambda: list(sender().export()),
        lambda: sender().resume(),
    ):
        with pytest.raises(StateLost, match="march"):
            act()
    assert set(victor_sandbox.attempts_by_key().values()) == {1}


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
    sender: Senders, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """All of it but the sending: that takes as long as the provider does, and its rows are gone
    when they are sent.
    """

    def read(_context: object, stored: Any, *_rest: object) -> Any:
        return status_of(stored)

    monkeypatch.setattr("victor_ext.bulk.sender.run_batch", read)
    peaks: list[int] = []
    for count in (SHORT, SHORT, LONG):  # the first time, modules are loaded
        tracemalloc.start()
        state = f"sqlite:///{tmp_path}/{len(peaks)}.sqlite"
        status = sender(state=state).send(map(row, range(count)))
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
