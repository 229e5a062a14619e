"""Storing a batch: interrupted at any step, in two places at once, a million rows long, and with
nobody listening.
"""

import socket
import sqlite3
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from datetime import time as datetime_time
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from tests.bulk.bulk_runs import (
    Bulk,
    Senders,
    asked_once,
    change_state,
    in_days,
    keys_of,
    nothing_sent,
    row,
    rows,
    today,
    wait_until,
)
from victor_ext import Victor
from victor_ext.bulk import StateLost, store
from victor_ext.bulk.loading import Loading
from victor_ext.bulk.run import status_of
from victor_ext.bulk.source_rows import SourceRows
from victor_ext.bulk.state import State
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.pull_request
BeforeStoring = Callable[[Callable[[], object]], None]
SHORT, LONG = 2000, 20_000
"""Rows of the batches whose memory is compared."""


class Crash(BaseException):
    """Simulates the end of the process within one process."""


@contextmanager
def storing_noted(note: Callable[[str], None]) -> Iterator[None]:
    """Hand over each statement of `Loading.store` before it is executed: its commit is the last."""
    is_storing = False
    store_all = Loading.store

    def store_now(self: Loading, *arguments: Any) -> Any:
        nonlocal is_storing
        is_storing = True
        try:
            return store_all(self, *arguments)
        finally:
            is_storing = False

    def before_statement(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if is_storing:
            note(statement)

    def before_commit(_connection: Any) -> None:
        if is_storing:
            note("COMMIT")

    listeners: dict[str, Callable[..., None]] = {
        "before_cursor_execute": before_statement,
        "commit": before_commit,
    }
    for name, listener in listeners.items():
        event.listen(sa.Engine, name, listener)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Loading, "store", store_now)
        try:
            yield
        finally:
            for name, listener in listeners.items():
                event.remove(sa.Engine, name, listener)


class Pause(NamedTuple):
    """Somebody who is stopped at a place, and when he goes on."""

    reached: threading.Event
    goes_on: threading.Event


def paused_at(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> Pause:
    """Stop whoever comes to this method first."""
    method = getattr(owner, name)
    pause = Pause(threading.Event(), threading.Event())

    def pausing(self: Any, *arguments: Any) -> Any:
        monkeypatch.setattr(owner, name, method)
        pause.reached.set()
        assert pause.goes_on.wait(60)
        return method(self, *arguments)

    monkeypatch.setattr(owner, name, pausing)
    return pause


@contextmanager
def waiting_locks(database: str) -> Iterator[Callable[[str], int]]:
    """Yield what counts those that wait for a lock of a table."""
    query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '{}'::regclass"
    with State(database).engine() as engine, engine.connect() as connection:

        def count_waiting(table: str) -> int:
            connection.rollback()
            return int(connection.scalar(sa.text(query.format(table))))

        yield count_waiting


def dump_of(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        return list(database.iterdump())


@pytest.mark.parametrize("before", [0, 120])
def test_a_source_whose_storing_was_interrupted_is_not_stored(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path, before: int
) -> None:
    """At any statement of the one transaction, and at its commit."""
    path = tmp_path / "state.sqlite"
    State(f"sqlite:///{path}").prepare()
    if before:
        sender.finish(rows(before))
    dump = dump_of(path)
    is_stored = False
    for number in count(1):
        statements = list[str]()

        def note(statement: str, number: int = number, noted: list[str] = statements) -> None:
            noted.append(statement)
            if len(noted) == number:
                raise Crash

        with nothing_sent(victor_sandbox), storing_noted(note):
            try:
                sender.store(rows(230))
                is_stored = True
            except Crash:
                assert dump_of(path) == dump
        if is_stored:
            break
    # The last one let all of it be stored.
    assert statements[-1] == "COMMIT"
    assert number == len(statements) + 1
    written = [statement for statement in statements if not statement.startswith("SELECT")]
    for table in ("victor_bulk", "victor_bulk_asked", "victor_bulk_lines", "victor_bulk_batches"):
        assert any(f" {table} " in statement for statement in written)
    assert sender().status().rows == 230
    sender.finish()
    asked_once(victor_sandbox, rows(230))


def test_refused_rows_are_replaced_or_dropped(
    sender: Senders, victor_sandbox: Sandbox, client: Victor, monkeypatch: pytest.MonkeyPatch
) -> None:
    skipping = sender(skip_invalid=True)
    records = [row(number, due_date=in_days(1)) for number in range(1, 251)]
    for record in records[3:5]:
        record["due_date"] = in_days(0)
    records[1]["amount"], records[2]["amount"] = "-1", "0"
    sender.store(records, skip_invalid=True)
    late = datetime.combine(today() + timedelta(days=1), datetime_time(23), UTC)
    with monkeypatch.context() as patched:
        # The fourth and fifth are refused only when their turn comes.
        patched.setattr(type(client._config.clock), "moment", lambda _self: late)
        status = sender().resume()
    assert status.counts == {"created": 246, "refused": 4}
    assert status.exit_status == 1
    assert "due_date" in sender.results()["INV-4"].error
    # The third comes corrected, and the fourth and fifth as they were.
    records[2]["amount"] = "3.00"
    check = skipping.send(records).check
    assert check.new == 3
    assert check.replaced == 1
    assert check.set_aside == 1
    assert check.unchanged == 246
    status = sender().status()
    assert status.counts == {"created": 249, "refused": 1}
    assert status.exit_status == 1
    assert [result.row for result in sender().export()] == [*range(1, 251)]
    # A row without a key is refused, too, until the file has none.
    without_key = [*records, row(251, invoice_no="", amount="-1"), row(252)]
    with_key = [*records, row(251), row(252)]
    for file, refused in ((without_key, 2), (with_key, 1), (without_key, 2)):
        status = skipping.send(file)
        assert status.rows == 252
        assert status.counts["refused"] == refused
    assert sender().drop() == 2
    assert sender().drop() == 0
    status = sender().status()
    assert status.counts == {"created": 250}
    assert status.exit_status == 0
    good = [records[0], *records[2:], row(252)]
    assert {result.key for result in sender().export()} == keys_of(good)
    # It is new if it comes again, and can be dropped again.
    again = skipping.send(records)
    assert again.check.new == 0
    assert again.check.set_aside == 1
    assert again.rows == 250
    assert sender().drop() == 1
    assert sender().status().rows == 249
    asked_once(victor_sandbox, [*good, row(251)])


@pytest.fixture
def before_storing(monkeypatch: pytest.MonkeyPatch) -> BeforeStoring:
    """Let something happen once, when rows were compared, and before they are stored."""

    def arrange(happen: Callable[[], object]) -> None:
        store_all = Loading.store

        def storing(self: Loading, *arguments: Any) -> Any:
            monkeypatch.setattr(Loading, "store", store_all)
            happen()
            return store_all(self, *arguments)

        monkeypatch.setattr(Loading, "store", storing)

    return arrange


OURS = rows(120)
OTHERS = rows(120, start=300)
OTHER_AMOUNTS = [row(number, amount="7.77") for number in range(1, 121)]
OTHER_KEYS = [row(number, invoice_no=f"copy-{number}") for number in range(1, 121)]


@pytest.mark.parametrize(
    ("batch", "theirs", "code"),
    [
        ("march", OURS, "created_before"),
        ("march", OTHERS, None),
        ("march", OTHER_AMOUNTS, "other_values"),
        ("april", OURS, "created_before"),
        ("april", OTHER_KEYS, "looks_like"),
        ("april", OTHER_AMOUNTS, "other_values"),
    ],
)
def test_what_comes_while_a_batch_is_stored(
    sender: Senders,
    victor_sandbox: Sandbox,
    before_storing: BeforeStoring,
    batch: str,
    theirs: list[dict[str, str]],
    code: str | None,
) -> None:
    """It comes from another process, when this one has compared its rows, and before it stores
    them. What is stored then decides.
    """
    before_storing(lambda: sender(batch=batch).send(theirs))
    status = sender().send(OURS)
    assert status.noticed == ({} if code is None else {code: 120})
    assert status.check.noticed == status.noticed
    made = [*theirs, *OURS] if code is None else theirs
    asked_once(victor_sandbox, made)
    asked = {request["amount"] for request in victor_sandbox.requests()}
    assert asked == {record["amount"] for record in made}


def test_what_was_stored_meanwhile_and_has_not_left_is_replaced(
    sender: Senders, victor_sandbox: Sandbox, before_storing: BeforeStoring
) -> None:
    before_storing(lambda: sender.store(OTHER_AMOUNTS, batch="april"))
    assert sender.finish(OURS).noticed == {"replaced": 120}
    sender.finish(batch="april")
    asked_once(victor_sandbox, OURS)
    assert "7.77" not in {request["amount"] for request in victor_sandbox.requests()}


@pytest.mark.parametrize(
    ("batch", "theirs", "code"),
    [
        ("march", OURS, None),
        ("march", OTHERS, None),
        ("april", OURS, "replaced"),
        ("april", OTHER_KEYS, "looks_like"),
    ],
)
def test_two_that_store_at_the_same_moment(
    sender: Senders,
    victor_sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    any_state: str,
    batch: str,
    theirs: list[dict[str, str]],
    code: str | None,
) -> None:
    """Both have looked, and neither has stored: the second one sees what the first one stored.

    Files of one batch are no copies: its latest file counts, and what the other one has is left
    out.
    """
    store_all, both = Loading.store, threading.Barrier(2)

    def storing(self: Loading, *arguments: Any) -> Any:
        both.wait(60)
        return store_all(self, *arguments)

    first = row(5000, invoice_no="first")
    sender.store([first], batch="before", state=any_state)  # so that the state has its key
    noticed = list[dict[str, int]]()

    def store_and_stop(name: str, records: list[dict[str, str]]) -> None:
        def stop(status: Any) -> None:
            noticed.append(status.noticed)
            raise InterruptedError

        with suppress(InterruptedError):
            sender(batch=name, state=any_state).send(records, on_progress=stop)

    monkeypatch.setattr(Loading, "store", storing)
    with ThreadPoolExecutor() as pool:
        ours = pool.submit(store_and_stop, "march", OURS)
        pool.submit(store_and_stop, batch, theirs).result()
        ours.result()
    names = {"before", "march", batch}
    assert {*sender(state=any_state).batches()} == names
    for name in names:
        sender(batch=name, state=any_state).resume()
    assert code is None or {code: 120} in noticed
    is_ours = keys_of(OURS) <= {*victor_sandbox.work_done_by_key()}
    asked_once(victor_sandbox, [first, *(OURS if is_ours else theirs)])


def test_what_a_file_leaves_out_is_not_sent_while_the_file_is_stored(
    sender: Senders, victor_sandbox: Sandbox, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker does not begin it: else it would be asked for beside the corrected row."""
    saved = row(1, invoice_no="1042.0")
    sender.store([row(1, invoice_no="1042")], state=postgres)
    # It is decided then, and nothing is stored yet.
    pause = paused_at(monkeypatch, SourceRows, "to_store")
    with ThreadPoolExecutor() as pool:
        storing = pool.submit(sender.store, [saved], state=postgres)
        assert pause.reached.wait(60)
        with nothing_sent(victor_sandbox):
            assert sender(state=postgres).resume().counts == {"waiting": 1}
        pause.goes_on.set()
        storing.result()
    sender.finish(state=postgres)
    asked_once(victor_sandbox, [saved])


def test_a_command_that_is_killed_while_it_stores_has_stored_nothing(
    bulk: Bulk, victor_sandbox: Sandbox, postgres: str
) -> None:
    """Killed in the transaction that stores the rows, where a lock of ours holds it."""
    state = ("--state", postgres)
    bulk.write(rows(230))
    State(postgres).prepare()
    with (
        State(postgres).engine() as engine,
        engine.connect() as holder,
        waiting_locks(postgres) as count_waiting,
    ):
        # Its record is the last that is stored.
        holder.execute(sa.text("LOCK TABLE victor_bulk_batches IN EXCLUSIVE MODE"))
        with bulk.sending("invoices.csv", *state) as process:
            wait_until(lambda: count_waiting("victor_bulk_batches") > 0, process)
            assert process.poll() is None
        holder.rollback()
    for word in ("status", "resume"):
        ended = bulk(word, *state)
        assert ended.status == 2
        assert "nothing was stored there, and nothing was sent" in ended.err
    assert bulk.send(rows(40), *state).status == 0
    asked_once(victor_sandbox, rows(40))


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
    pause = paused_at(monkeypatch, store.Store, "save_record")
    with ThreadPoolExecutor() as pool:
        first = pool.submit(sender.store, rows(250), state=postgres)
        assert pause.reached.wait(60)
        sender.finish(rows(250), batch=batch, state=postgres)
        pause.goes_on.set()
        assert "cannot be used" in str(first.exception())
    asked_once(victor_sandbox, rows(250))


@pytest.mark.parametrize("part", ["victor_bulk", "victor_bulk_asked"])
def test_a_batch_of_which_a_part_was_deleted_is_named(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path, part: str
) -> None:
    sender.finish(rows(2))
    (first,) = keys_of(rows(1))
    change_state(tmp_path / "state.sqlite", f"DELETE FROM {part} WHERE key = '{first}'")
    own = sender()
    sends = (partial(own.send, rows(2)), partial(own.check, rows(2)))
    with nothing_sent(victor_sandbox):
        for act in (*sends, own.status, sender.results, own.resume):
            with pytest.raises(StateLost, match="march"):
                act()


def test_nobody_but_the_provider_is_called(
    sender: Senders, victor_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = set[Any]()
    connect = socket.socket.connect

    def noted(self: socket.socket, address: Any) -> None:
        called.add(address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", noted)
    sender.finish(rows(5))
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
    peaks = list[int]()
    for number in (SHORT, SHORT, LONG, LONG):  # the first time, modules are loaded
        tracemalloc.start()
        state = f"sqlite:///{tmp_path}/{len(peaks)}.sqlite"
        assert sender(state=state).send(map(row, range(number))).rows == number
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # What other threads of this process allocate meanwhile is in one of the two peaks alone.
    assert min(peaks[2:]) - peaks[1] < 36 * (LONG - SHORT), "a key alone has 36 characters"


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


def test_a_transaction_that_has_collided_with_a_worker_is_made_again(sender: Senders) -> None:
    """As a deadlock shows with PostgreSQL: nothing of the transaction was stored."""
    sender.store([row(1)])
    tries = count(1)
    deadlock = sqlite3.OperationalError("deadlock detected")
    deadlock.sqlstate = "40P01"  # type: ignore[attr-defined] # as psycopg has it

    def work(connection: sa.Connection) -> int:
        number = next(tries)
        if number < 3:
            raise OperationalError("UPDATE", None, deadlock) from deadlock
        return number

    with sender()._stored_batch() as (_, stored, _record):
        assert stored.transact(work) == 3
