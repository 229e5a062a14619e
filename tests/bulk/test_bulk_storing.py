"""Storing a batch: interrupted at any step, in two places at once, a million rows long, and with nobody listening."""

import socket
import threading
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import sqlalchemy as sa
from dbos import DBOSClient

from tests.bulk.bulk_runs import Bulk, Senders, asked_once, keys_of, row, rows, store_only, today, wait_until, write_csv
from tests.cases import cases_beside
from victor_ext import ConfigurationError, Victor
from victor_ext.bulk import RowOutcome, batch_store
from victor_ext.bulk.layout import CHUNK, COPY, LOAD, PLAN
from victor_ext.bulk.run import StatusReader
from victor_ext.bulk.state import State
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow
Steps = Callable[..., None]
SHORT, LONG = 2000, 20_000
"""Rows of the batches whose memory is compared; `python -m benchmarks.bulk` does it with a million, and sends them."""


class Crash(BaseException):
    """Simulates the end of the process within one process."""


@pytest.fixture
def at_step(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """Let something happen before the next insert of this kind, once; of the chunks before the third.

    A plan and its copy mark are one transaction, a load and its chunks (of 100 rows each) another one.
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


def interrupt(at_step: Steps, sender: Any, records: Any, step: str = LOAD) -> None:
    """Send, and let the process end at this step."""
    at_step(step, Mock(side_effect=Crash))
    with pytest.raises(Crash):
        sender.send(records)


@pytest.mark.parametrize("before", [0, 120])
@pytest.mark.parametrize(("step", "rate"), [(LOAD, None), (CHUNK, None), (CHUNK, 2)])
def test_only_the_source_whose_storing_was_interrupted_completes_it(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path, at_step: Steps, before: int, step: str, rate: float | None
) -> None:
    records = rows(530 if rate is None else 190)
    file = write_csv(tmp_path / "invoices.csv", records)
    if before:
        assert sender().send(rows(before)).exit_status == 0
    interrupt(at_step, sender(rate=rate), file, step)
    asked = victor_sandbox.attempts_by_key()
    status = sender().status()
    assert (status.rows, status.counts[RowOutcome.WAITING]) == (len(records), len(records) - before)
    assert not status.complete and not status.over
    assert (status.exit_status, len(list(sender().export()))) == (75, before)

    # The next file of this name, a shorter one, one whose rows ask the same under other keys, and the rows of before.
    renamed = [{**record, "invoice_no": f"new {record['invoice_no']}"} for record in records]
    for others in (rows(300, start=2000), records[:-1], renamed, rows(max(before, 1))):
        write_csv(file, others)
        acts = [sender(rate=10_000).resume, partial(sender().send, file), partial(sender().check, iter(others))]
        for act in acts:
            with pytest.raises(
                ConfigurationError,
                match=rf"march is being stored, or that was interrupted: {len(records) - before} rows "
                rf"from {file}, and none of them was sent\. .* give them up with .*\.drop\(\)",
            ):
                act()
    file.unlink()
    with pytest.raises(ConfigurationError, match=r"They cannot be read from .*invoices\.csv again: .*drop\(\)"):
        sender().resume()
    assert victor_sandbox.attempts_by_key() == asked

    # The order and the other columns are of no matter.
    write_csv(file, [{**record, "region": "south"} for record in reversed(records)])
    assert sender(rate=rate and 10_000, key_column=None).resume().exit_status == 0
    asked_once(victor_sandbox, {result.key for result in sender().export()})
    assert set(victor_sandbox.attempts_by_key()) == keys_of("march", records)


def test_what_was_never_sent_is_dropped(sender: Senders, victor_sandbox: Sandbox, at_step: Steps) -> None:
    interrupt(at_step, sender(), rows(5), COPY)
    with pytest.raises(ConfigurationError, match="nothing was sent"):
        sender().resume()
    assert sender().batches() == []

    interrupt(at_step, sender(), iter(rows(530)))
    with pytest.raises(ConfigurationError, match="They cannot be read from Python again"):
        sender().resume()
    with pytest.raises(ConfigurationError, match=r"same rows as the batch march, .*batch='march'.*resume\(\) goes on"):
        sender(batch="april").send(rows(530))
    assert (sender().drop(), sender().drop()) == (530, 0)
    assert (sender().status().rows, sender().resume().exit_status) == (0, 0)
    # What comes then is new, also under another column.
    others = [row(number, client_reference_id=f"ref {number}") for number in range(900, 903)]
    assert sender(key_column="client_reference_id").send(others).exit_status == 0
    assert set(victor_sandbox.attempts_by_key()) == keys_of("march", others, "client_reference_id")


def test_refused_rows_are_replaced_or_dropped(
    sender: Senders, victor_sandbox: Sandbox, client: Victor, monkeypatch: pytest.MonkeyPatch, at_step: Steps
) -> None:
    tomorrow = today() + timedelta(days=1)
    records = [row(number, due_date=today() if number in (4, 5) else tomorrow) for number in range(1, 251)]
    records[1]["amount"], records[2]["amount"] = "-1", "0"
    store_only(sender(skip_invalid=True), records)
    clock, late = client._config.clock, datetime(tomorrow.year, tomorrow.month, tomorrow.day, 23, tzinfo=UTC)
    with monkeypatch.context() as patched:
        # The fourth and fifth are refused only when their turn comes.
        patched.setattr(type(clock), "moment", lambda _self: late)
        status = sender().resume()
    assert (dict(status.counts), status.exit_status) == ({RowOutcome.CREATED: 246, RowOutcome.REFUSED: 4}, 1)
    assert "due_date" in ([*sender().export()][3].error or "")
    # The third comes corrected, and the fourth as it was; storing another one is interrupted then.
    records[2]["amount"] = "3.00"
    assert sender(skip_invalid=True).send(records[:4]).check.replaced == 2
    interrupt(at_step, sender(skip_invalid=True), [*records[:4], *records[5:], row(251)])
    assert sender().drop() == 3
    assert (sender().status().exit_status, dict(sender().status().counts)) == (0, {RowOutcome.CREATED: 248})
    assert [result.row for result in sender().export()] == [1, 3, 4, *range(6, 251)]
    assert sender().drop() == 0
    again = sender(skip_invalid=True).send(records)
    assert (again.check.new, again.check.set_aside, again.check.replaced, again.rows) == (1, 1, 0, 250)
    assert sender().drop() == 1
    good = keys_of("march", [*records[:1], *records[2:]])
    asked_once(victor_sandbox, good)
    assert {result.key for result in sender().export()} == good


@pytest.mark.parametrize(("what", "step", "message", "whose"), cases_beside(__file__)["comes"])
def test_what_comes_while_a_batch_is_stored(
    sender: Senders, victor_sandbox: Sandbox, at_step: Steps, what: str, step: str, message: str, whose: str
) -> None:
    """It comes from another process, before this one stores its plan, or its rows."""
    batch, others = "april" if "copy" in what else "march", rows(120, start=1000) if what == "others" else rows(250)
    options, refused = {"ask_again": what == "a copy on purpose"}, list[str]()

    def attempt(act: Callable[[], object]) -> None:
        try:
            act()
        except ConfigurationError as error:
            refused.append(str(error))

    another = sender(batch=batch, **options)
    at_step(step, partial(attempt, another.drop if what == "a drop" else partial(another.send, others)))
    attempt(partial(sender(**options).send, rows(250)))
    ours, theirs = keys_of("march", rows(250)), keys_of(batch, others)
    keys = {"ours": ours, "theirs": theirs, "both": ours | theirs, "": set[str]()}[whose]
    assert len(refused) == bool(message) and message in "".join(refused)
    asked_once(victor_sandbox, keys)
    assert set(victor_sandbox.attempts_by_key()) == keys
    # Nothing is left of the one that lost: what is there is whole.
    assert {sender(batch=name).status().complete for name in sender().batches()} == {True}


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
@pytest.mark.parametrize("batch", ["march", "april"])
def test_two_that_store_the_same_rows_at_the_same_moment(
    sender: Senders, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, database: str, batch: str
) -> None:
    """Both have looked, and neither has stored: the database decides."""
    options = {} if database == "sqlite" else {"state": request.getfixturevalue("postgres")}
    insert, both = DBOSClient.enqueue_in_transaction, threading.Barrier(2)

    def inserting(self: Any, connection: Any, chosen: Any, *arguments: Any) -> Any:
        if chosen["workflow_name"] == PLAN:
            both.wait(60)
        return insert(self, connection, chosen, *arguments)

    State(sender(**options)._state.connection_string.replace("+psycopg", "")).prepare()
    monkeypatch.setattr(DBOSClient, "enqueue_in_transaction", inserting)
    with ThreadPoolExecutor() as pool:
        done = [pool.submit(store_only, sender(batch=name, **options), rows(250)) for name in ("march", batch)]
    errors = [str(error) for each in done if (error := each.exception()) is not None]
    stored = [sender(batch=name, **options).status().rows for name in sender(**options).batches()]
    assert stored == [250]
    assert [("same rows as the batch" in error) for error in errors] == [True] * (batch == "april")


def test_a_killed_command_whose_file_was_replaced_asks_for_the_first_one_or_a_drop(
    bulk: Bulk, victor_sandbox: Sandbox, postgres: str
) -> None:
    """Killed in the transaction that stores the rows, where a lock of ours holds it."""
    options = ("--state", postgres)
    send = ("send", "march.csv", "--key-column", "invoice_no", *options)
    file = bulk.write(rows(230), "march.csv")
    State(postgres).prepare()
    with State(postgres).engine() as engine, engine.connect() as holder, engine.connect() as seen:
        held = "INSERT INTO dbos.workflow_status (workflow_uuid, status, name) VALUES ('march.csv/load/1', '', '')"
        holder.execute(sa.text(held))
        with bulk.started(*send) as process:
            waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            wait_until(lambda: bool(seen.scalar(waiting)), process)
            assert process.poll() is None
        holder.rollback()
    status = bulk("status", *options)
    assert (status.status, status.out) == (75, "march.csv: 230 rows: 230 waiting (being stored, or interrupted)\n")
    write_csv(file, rows(40))
    for ended in (bulk("resume", *options), bulk(*send), bulk(*send, "--dry-run")):
        assert (ended.status, f"interrupted: 230 rows from {file}" in ended.err) == (2, True)
        assert "send that file again as it was, or give its rows up with the command 'drop'." in ended.err
    # Its rows are a copy only until they are dropped.
    bulk.write(rows(230), "other.csv")
    copy = bulk(send[0], "other.csv", *send[2:], "--dry-run")
    assert (copy.status, "same rows as the batch march.csv" in copy.err) == (2, True)
    assert "'resume' goes on with it; to send all of them again on purpose, pass --ask-again." in copy.err
    for said in ("230 rows dropped. None of them was ever sent.", "0 rows dropped. It has no rows."):
        dropped = bulk("drop", *options)
        assert (dropped.status, dropped.out) == (0, f"march.csv: {said}\n")
    assert bulk(send[0], "other.csv", *send[2:]).status == 0
    assert victor_sandbox.work_done_by_key() == dict.fromkeys(keys_of("other.csv", rows(230)), 1)
    assert bulk(send[0], "other.csv", "--batch", "again", *send[2:], "--ask-again").status == 0


def test_nobody_waits_for_long_for_one_who_was_stopped_while_it_stored(
    sender: Senders, postgres: str, monkeypatch: pytest.MonkeyPatch, at_step: Steps
) -> None:
    monkeypatch.setattr(batch_store, "_IDLE_SECONDS", 1)
    stopped, goes_on = threading.Event(), threading.Event()

    def stop() -> None:
        stopped.set()
        goes_on.wait(60)

    at_step(CHUNK, stop)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(store_only, sender(state=postgres), rows(250))
        assert stopped.wait(60)
        assert sender(state=postgres).send(rows(250)).exit_status == 0
        goes_on.set()
        assert "cannot be used" in str(first.exception())


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
def test_memory_does_not_grow_with_the_number_of_rows(sender: Senders, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it but the sending: that takes as long as the provider does, and its rows are gone when they are sent."""
    read = lambda _context, store, loads, _progress: StatusReader(store, loads).read()  # noqa: E731 - as it is patched in
    monkeypatch.setattr("victor_ext.bulk.sender.run_batch", read)
    peaks: list[int] = []
    for count in (SHORT, SHORT, LONG):  # the first time, modules are loaded
        tracemalloc.start()
        status = sender(batch=f"{count} {len(peaks)}", ask_again=True).send(map(row, range(count)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert (status.rows, status.complete) == (count, True)
    assert peaks[2] - peaks[1] < 36 * (LONG - SHORT), "a key alone has 36 characters"


def test_a_database_that_another_process_creates_meanwhile_is_no_failure(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when `send` and `worker` begin together: between the first look and the question to the server."""
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
