"""Storing a batch: interrupted at any step, in two places at once, a million rows long, and with
nobody listening.
"""

import socket
import sqlite3
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from datetime import time as datetime_time
from functools import partial
from itertools import count
from types import SimpleNamespace

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from tests.bulk.bulk_runs import (
    asked_once,
    change_state,
    in_days,
    keys_of,
    nothing_sent,
    row,
    rows,
    today,
)
from victor_ext.bulk import StateLost, _store
from victor_ext.bulk._loading import Loading
from victor_ext.bulk._state import State

pytestmark = pytest.mark.pull_request
SHORT, LONG = 5000, 20_000
"""Rows of the batches whose memory is compared."""


class Crash(BaseException):
    """Simulates the end of the process within one process."""


@contextmanager
def crash_before(number):
    """Let the process end before this statement of `Loading.store`. The list has those that were
    begun; the commit is the last one.
    """
    begun, store_all = [], Loading.store

    def note(statement):
        begun.append(statement)
        if len(begun) > number:
            raise Crash

    listeners = {
        "before_cursor_execute": lambda _c, _cursor, statement, *_rest: note(statement),
        "commit": lambda _connection: note("COMMIT"),
    }

    def store_now(self, *arguments):
        for name, listener in listeners.items():
            event.listen(sa.Engine, name, listener)
        try:
            return store_all(self, *arguments)
        finally:
            for name, listener in listeners.items():
                event.remove(sa.Engine, name, listener)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Loading, "store", store_now)
        yield begun


def paused_at(monkeypatch, owner, name):
    """Stop whoever comes to this method first: that it is reached, and that it goes on."""
    method = getattr(owner, name)
    pause = SimpleNamespace(reached=threading.Event(), goes_on=threading.Event())

    def pausing(self, *arguments):
        monkeypatch.setattr(owner, name, method)
        pause.reached.set()
        assert pause.goes_on.wait(60)
        return method(self, *arguments)

    monkeypatch.setattr(owner, name, pausing)
    return pause


def dump_of(path):
    with closing(sqlite3.connect(path)) as database:
        return list(database.iterdump())


def test_a_source_whose_storing_was_interrupted_is_not_stored(sender, victor_sandbox, tmp_path):
    """At any statement of the one transaction, and at its commit."""
    path = tmp_path / "state.sqlite"
    sender.finish(rows(20))
    dump, numbers, is_stored = dump_of(path), count(), False
    while not is_stored:
        crashing = crash_before(next(numbers))
        with nothing_sent(victor_sandbox), crashing as statements, suppress(Crash):
            sender.store(rows(40))
            is_stored = True
        assert is_stored or dump_of(path) == dump
    # The last one let all of it be stored.
    assert statements[-1] == "COMMIT"
    for table in (
        "victor_bulk",
        "victor_bulk_payments",
        "victor_bulk_lines",
        "victor_bulk_batches",
    ):
        assert any(f" {table} " in each for each in statements if not each.startswith("SELECT"))
    sender.finish()
    asked_once(victor_sandbox, rows(40))


def test_refused_rows_are_replaced_or_dropped(sender, victor_sandbox, client, monkeypatch):
    """One of them was refused only when its turn came: its day had passed."""
    sender = sender.of(skip_invalid=True)
    records = [row(1, amount="-1"), row(2, amount="0"), row(3, due_date=in_days(0))]
    sender.store(records)
    late = datetime.combine(today() + timedelta(days=1), datetime_time(23), UTC)
    with monkeypatch.context() as patched:
        patched.setattr(type(client._config.clock), "moment", lambda _self: late)
        assert sender().resume().counts == {"refused": 3}
    records[1]["amount"] = "3.00"
    check = sender().send(records).check
    assert (check.new, check.replaced, check.set_aside) == (2, 0, 1)
    assert [sender().drop() for _ in range(2)] == [1, 0]
    status = sender().status()
    assert (status.counts, status.exit_status) == ({"created": 2}, 0)
    # It is new if it comes again, and can be dropped again.
    assert sender().send(records).check.set_aside == 1
    assert sender().drop() == 1
    asked_once(victor_sandbox, records[1:])


def test_a_row_without_a_key_is_refused_until_the_file_has_none(sender):
    without_key = [row(1), row(2, invoice_no="", amount="-1")]
    for file, refused in ((without_key, 1), (rows(2), 0), (without_key, 1)):
        assert sender(skip_invalid=True).send(file).counts.get("refused", 0) == refused
    assert sender().drop() == 1


OURS = rows(12)
OTHERS = rows(12, start=300)
OTHER_KEYS = [row(number, invoice_no=f"copy-{number}") for number in range(1, 13)]


@pytest.mark.parametrize(
    ("batch", "theirs", "code"),
    [
        ("march", [*OTHERS, OURS[0]], None),
        ("april", OURS, "replaced"),
    ],
)
def test_the_second_of_two_senders_that_store_at_once_sees_the_rows_of_the_first(
    sender, victor_sandbox, monkeypatch, any_state, batch, theirs, code
):
    """Both have looked, and neither has stored: the second one sees what the first one stored.

    Files of one batch are no copies: its latest file counts, and what the other one has is left
    out.
    """
    store_all, both = Loading.store, threading.Barrier(2)

    def storing(self, *arguments):
        both.wait(60)
        return store_all(self, *arguments)

    own = sender.of(state=any_state)
    first = row(5000, invoice_no="first")
    own.store([first], batch="before")  # so that the state has its key
    monkeypatch.setattr(Loading, "store", storing)
    with ThreadPoolExecutor() as pool:
        ours = pool.submit(own.store, OURS, batch="march")
        pool.submit(own.store, theirs, batch=batch).result()
        ours.result()
    noticed = [own(batch=name).status().noticed for name in ("march", batch)]
    assert code is None or {code: len(OURS)} in noticed
    for name in {"before", "march", batch}:
        own(batch=name).resume()
    is_ours = keys_of(OURS) <= {*victor_sandbox.work_done_by_key()}
    asked_once(victor_sandbox, [first, *(OURS if is_ours else theirs)])


class StopAfterLooks:
    """A worker stops after it was asked so often whether it has to."""

    def __init__(self, looks):
        self.looks = looks

    def is_set(self):
        self.looks -= 1
        return self.looks < 0


def test_a_row_that_a_file_leaves_out_is_not_sent_while_the_file_is_stored(
    sender, victor_sandbox, postgres, monkeypatch
):
    """A worker does not begin it: else it would be asked for beside the corrected row."""
    saved = [row(1, invoice_no="1042.0"), row(2)]
    sender.store([row(1, invoice_no="1042"), row(2)], state=postgres)
    pause = paused_at(monkeypatch, _store.Store, "save_record")
    with ThreadPoolExecutor() as pool:
        storing = pool.submit(sender.store, saved, state=postgres)
        assert pause.reached.wait(60)
        with nothing_sent(victor_sandbox):
            sender(state=postgres, batch=None).work(stop=StopAfterLooks(8))
        pause.goes_on.set()
        storing.result()
    sender.finish(state=postgres)
    asked_once(victor_sandbox, saved)


def test_a_sender_that_was_stopped_while_storing_does_not_block_other_senders_for_long(
    sender, victor_sandbox, postgres, monkeypatch
):
    """The server ends the transaction of one who is stopped in the middle of it."""
    monkeypatch.setattr(_store, "_IDLE_SECONDS", 1)
    pause = paused_at(monkeypatch, _store.Store, "save_record")
    with ThreadPoolExecutor() as pool:
        first = pool.submit(sender.store, rows(50), state=postgres)
        assert pause.reached.wait(60)
        sender.finish(rows(50), batch="april", state=postgres)
        pause.goes_on.set()
        assert "cannot be used" in str(first.exception())
    asked_once(victor_sandbox, rows(50))


def waiting_locks(url):
    """How many sessions of a database wait for a lock that another one has."""
    with psycopg.connect(url) as connection:
        query = """
            SELECT count(*) FROM pg_stat_activity
             WHERE wait_event_type = 'Lock' AND datname = current_database()
        """
        (number,) = connection.execute(query).fetchone()
    return number


def test_a_worker_that_begins_while_the_first_file_is_stored_keeps_the_key_of_the_file(
    sender, victor_sandbox, postgres, monkeypatch
):
    """Else nobody could read the file."""
    pause = paused_at(monkeypatch, _store.Store, "save_record")
    with ThreadPoolExecutor() as pool:
        storing = pool.submit(sender.store, rows(2), state=postgres)
        assert pause.reached.wait(60)
        worker = sender(state=postgres, batch=None)
        working = pool.submit(worker.work, stop=StopAfterLooks(3))
        while not waiting_locks(postgres) and not working.done():
            threading.Event().wait(0.01)
        pause.goes_on.set()
        storing.result()
        working.result()
    sender.finish(state=postgres)
    asked_once(victor_sandbox, rows(2))


@pytest.mark.parametrize("part", ["victor_bulk", "victor_bulk_payments"])
def test_a_batch_of_which_a_part_was_deleted_is_refused_with_its_name(
    sender, victor_sandbox, tmp_path, part
):
    sender.finish(rows(2))
    (first,) = keys_of(rows(1))
    change_state(tmp_path / "state.sqlite", f"DELETE FROM {part} WHERE key = '{first}'")
    own = sender()
    sends = (partial(own.send, rows(2)), partial(own.check, rows(2)))
    with nothing_sent(victor_sandbox):
        for act in (*sends, own.status, sender.results, own.resume):
            with pytest.raises(StateLost, match="march"):
                act()


def test_nobody_but_the_provider_is_called(sender, victor_sandbox, monkeypatch):
    called = set()
    connect = socket.socket.connect

    def noted(self, address):
        called.add(address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", noted)
    sender.finish(rows(5))
    assert called == {("127.0.0.1", int(victor_sandbox.url.rpartition(":")[2]))}


@pytest.mark.nightly
def test_memory_does_not_grow_with_the_number_of_rows(sender, monkeypatch, tmp_path):
    """All of it but the sending: that takes as long as the provider does, and its rows are gone
    when they are sent.
    """

    def read(_stored, _record, _on_progress, status):
        return status()

    monkeypatch.setattr("victor_ext.bulk._sender.run_batch", read)
    peaks = []
    for number in (SHORT, SHORT, LONG, LONG):  # the first time, modules are loaded
        tracemalloc.start()
        state = f"sqlite:///{tmp_path}/{len(peaks)}.sqlite"
        assert sender(state=state).send(map(row, range(number))).rows == number
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # What other threads of this process allocate meanwhile is in one of the two peaks alone.
    assert min(peaks[2:]) - peaks[1] < 36 * (LONG - SHORT), "a key alone has 36 characters"


def test_a_database_that_another_process_creates_meanwhile_is_no_failure(postgres, monkeypatch):
    """As when `send` and `worker` begin together: between the first look and the question to the
    server.
    """
    state, engine_of = State(postgres), State.engine

    def engine(self, database=None):
        if database == "postgres":
            with (
                engine_of(self, database) as server,
                server.execution_options(isolation_level="AUTOCOMMIT").connect() as connection,
            ):
                connection.exec_driver_sql(f'CREATE DATABASE "{self.url.database}"')
        return engine_of(self, database)

    monkeypatch.setattr(State, "engine", engine)
    assert state.exists() is False  # it has no tables yet


def test_a_transaction_that_has_collided_with_a_worker_is_made_again(sender):
    """As a deadlock shows with PostgreSQL: nothing of the transaction was stored."""
    sender.store([row(1)])
    tries = count(1)
    deadlock = sqlite3.OperationalError("deadlock detected")
    deadlock.sqlstate = "40P01"  # type: ignore[attr-defined] # as psycopg has it

    def work(connection):
        number = next(tries)
        if number < 3:
            raise OperationalError("UPDATE", None, deadlock) from deadlock
        return number

    with sender()._stored_batch() as (stored, _record):
        assert stored.transact(work) == 3
