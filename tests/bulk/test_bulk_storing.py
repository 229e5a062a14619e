"""Storing a batch: interrupted at any step, in two places at once, a million rows long, and with
nobody listening.
"""

import socket
import sqlite3
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
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
    asked_once,
    change_state,
    in_days,
    keys_of,
    nothing_sent,
    row,
    rows,
    today,
)
from victor_ext.bulk import StateLost, store
from victor_ext.bulk.loading import Loading
from victor_ext.bulk.run import status_of
from victor_ext.bulk.source_rows import SourceRows
from victor_ext.bulk.state import State

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


def dump_of(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        return list(database.iterdump())


def test_a_source_whose_storing_was_interrupted_is_not_stored(sender, victor_sandbox, tmp_path):
    """At any statement of the one transaction, and at its commit."""
    path = tmp_path / "state.sqlite"
    sender.finish(rows(20))
    dump = dump_of(path)
    is_stored, statements = False, list[str]()
    while not is_stored:
        number, statements = len(statements), list[str]()

        def note(statement, number=number, noted=statements):
            noted.append(statement)
            if len(noted) > number:
                raise Crash

        with nothing_sent(victor_sandbox), storing_noted(note):
            try:
                sender.store(rows(40))
                is_stored = True
            except Crash:
                assert dump_of(path) == dump
    # The last one let all of it be stored.
    assert statements[-1] == "COMMIT"
    for table in ("victor_bulk", "victor_bulk_asked", "victor_bulk_lines", "victor_bulk_batches"):
        assert any(f" {table} " in each for each in statements if not each.startswith("SELECT"))
    sender.finish()
    asked_once(victor_sandbox, rows(40))


def test_refused_rows_are_replaced_or_dropped(sender, victor_sandbox, client, monkeypatch):
    sender = sender.of(skip_invalid=True)
    records = [row(number, due_date=in_days(1)) for number in range(1, 5)]
    records[1]["amount"], records[2]["amount"], records[3]["due_date"] = "-1", "0", in_days(0)
    sender.store(records)
    late = datetime.combine(today() + timedelta(days=1), datetime_time(23), UTC)
    with monkeypatch.context() as patched:
        # The fourth is refused only when its turn comes.
        patched.setattr(type(client._config.clock), "moment", lambda _self: late)
        assert sender().resume().counts == {"created": 1, "refused": 3}
    # The third comes corrected, and the fourth as it was.
    records[2]["amount"] = "3.00"
    check = sender().send(records).check
    assert (check.new, check.replaced, check.set_aside, check.unchanged) == (2, 1, 1, 1)
    # A row without a key is refused, too, until the file has none.
    without_key = [*records, row(5, invoice_no="", amount="-1")]
    for file, refused in ((without_key, 2), ([*records, row(5)], 1), (without_key, 2)):
        assert sender().send(file).counts["refused"] == refused
    assert [sender().drop() for _ in range(2)] == [2, 0]
    assert sender().status().counts == {"created": 3}
    # It is new if it comes again, and can be dropped again.
    assert sender().send(records).check.set_aside == 1
    assert sender().drop() == 1
    asked_once(victor_sandbox, [records[0], *records[2:], row(5)])


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


OURS = rows(12)
OTHERS = rows(12, start=300)
OTHER_AMOUNTS = [row(number, amount="7.77") for number in range(1, 13)]
OTHER_KEYS = [row(number, invoice_no=f"copy-{number}") for number in range(1, 13)]


@pytest.mark.parametrize(
    ("batch", "theirs", "code"),
    [
        ("march", OURS, "created_before"),
        ("march", OTHERS, None),
        ("april", OTHER_KEYS, "looks_like"),
        ("april", OTHER_AMOUNTS, "other_values"),
    ],
)
def test_what_comes_while_a_batch_is_stored(
    sender,
    victor_sandbox,
    before_storing,
    batch,
    theirs,
    code,
):
    """It comes from another process, when this one has compared its rows, and before it stores
    them. What is stored then decides.
    """
    before_storing(lambda: sender(batch=batch).send(theirs))
    status = sender().send(OURS)
    assert status.noticed == ({} if code is None else {code: len(OURS)})
    asked_once(victor_sandbox, [*theirs, *OURS] if code is None else theirs)
    asked = {request["amount"] for request in victor_sandbox.requests()}
    assert {record["amount"] for record in theirs} <= asked


@pytest.mark.parametrize(
    ("batch", "theirs", "code"),
    [("march", OTHERS, None), ("april", OURS, "replaced"), ("april", OTHER_KEYS, "looks_like")],
)
def test_two_that_store_at_the_same_moment(
    sender,
    victor_sandbox,
    monkeypatch,
    any_state,
    batch,
    theirs,
    code,
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
    noticed = list[dict[str, int]]()

    def store_and_stop(name, records):
        def stop(status):
            noticed.append(status.noticed)
            raise InterruptedError

        with suppress(InterruptedError):
            own(batch=name).send(records, on_progress=stop)

    monkeypatch.setattr(Loading, "store", storing)
    with ThreadPoolExecutor() as pool:
        ours = pool.submit(store_and_stop, "march", OURS)
        pool.submit(store_and_stop, batch, theirs).result()
        ours.result()
    for name in {"before", "march", batch}:
        own(batch=name).resume()
    assert code is None or {code: len(OURS)} in noticed
    is_ours = keys_of(OURS) <= {*victor_sandbox.work_done_by_key()}
    asked_once(victor_sandbox, [first, *(OURS if is_ours else theirs)])


def test_what_a_file_leaves_out_is_not_sent_while_the_file_is_stored(
    sender, victor_sandbox, postgres, monkeypatch
):
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


def test_nobody_waits_for_long_for_one_who_was_stopped_while_it_stored(
    sender, victor_sandbox, postgres, monkeypatch
):
    """The server ends the transaction of one who is stopped in the middle of it."""
    monkeypatch.setattr(store, "_IDLE_SECONDS", 1)
    pause = paused_at(monkeypatch, store.Store, "save_record")
    with ThreadPoolExecutor() as pool:
        first = pool.submit(sender.store, rows(50), state=postgres)
        assert pause.reached.wait(60)
        sender.finish(rows(50), batch="april", state=postgres)
        pause.goes_on.set()
        assert "cannot be used" in str(first.exception())
    asked_once(victor_sandbox, rows(50))


@pytest.mark.parametrize("part", ["victor_bulk", "victor_bulk_asked"])
def test_a_batch_of_which_a_part_was_deleted_is_named(sender, victor_sandbox, tmp_path, part):
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
    called = set[Any]()
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

    def read(_context, stored, *_rest):
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

    with sender()._stored_batch() as (_, stored, _record):
        assert stored.transact(work) == 3
