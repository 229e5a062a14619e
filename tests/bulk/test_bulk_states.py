"""A state that is locked, old, full, deleted or out of reach: it is named, and the status says
whether to go on.
"""

import logging
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import event

from tests.bulk.bulk_runs import (
    Bulk,
    Senders,
    asked_once,
    change_state,
    made_in,
    refused,
    rows,
    wait_for_rows,
    wait_until,
)
from tests.bulk.postgres import Postgres
from tests.cli.victor_command import Ran
from tests.programs import python
from tests.tiers import borders
from victor_ext.bulk import StateUnavailable, source_rows, worker
from victor_ext.bulk.state import State
from victor_ext.event_queue.presence import FilePresence
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.pull_request
Notices = Callable[[], list[str]]


def test_a_server_that_restarts_while_rows_are_stored(
    bulk: Bulk, victor_sandbox: Sandbox, postgres_server: Postgres, postgres: str, sender: Senders
) -> None:
    bulk.write(rows(30))
    postgres = postgres.replace("postgres@", "postgres:pass-word@")
    state = ("--state", postgres)
    sender.store(rows(1), state=postgres, batch="another")
    is_waiting = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"
    with psycopg.connect(postgres) as other, bulk.sending("invoices.csv", *state) as sending:
        other.execute("LOCK TABLE victor_bulk IN EXCLUSIVE MODE")
        wait_until(lambda: other.execute(is_waiting).fetchall() == [(True,)], sending)
        postgres_server.kill()
        out, err = sending.communicate(timeout=bulk.patience)
        other.close()
    send = ("send", "invoices.csv", *bulk.sends)
    down = [bulk(*words, *state) for words in (("status",), send, ("worker",))]
    postgres_server.start()
    for ended in (Ran(sending.returncode, out, err), *down):
        assert ended.status == 75, ended
        assert "cannot be used now" in ended.err
        assert "Traceback" not in ended.err
        assert "pass-word" not in ended.err
    assert bulk(*send, *state).status == 0
    asked_once(victor_sandbox, rows(30))


def replace_file(path: Path) -> None:
    path.with_name("other.sqlite").touch()
    path.with_name("other.sqlite").replace(path)


def overwrite_file(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"another" * (path.stat().st_size // 7))
    for name in ("-wal", "-shm"):
        path.with_name(path.name + name).unlink(missing_ok=True)


def delete_journal(path: Path) -> None:
    path.with_name(path.name + "-wal").unlink()


DELETED_FILES: dict[str, Callable[[Path], object]] = {
    "its file is deleted": Path.unlink,
    "its file is replaced": replace_file,
    "its file is emptied": lambda path: path.write_bytes(b""),
    "its file is overwritten": overwrite_file,
    "its write-ahead log is deleted": delete_journal,
    "its payments are deleted": lambda path: change_state(path, "DELETE FROM victor_bulk_asked"),
    "its entries are deleted": lambda path: change_state(path, "DELETE FROM victor_bulk"),
    "its batch is deleted": lambda path: change_state(path, "DELETE FROM victor_bulk_batches"),
}
TABLES = "victor_bulk, victor_bulk_asked, victor_bulk_lines, victor_bulk_batches"
DELETED_ON_SERVERS = {
    "its tables are dropped": ("send", f"DROP TABLE {TABLES}"),
    "its tables are truncated": ("send", f"TRUNCATE {TABLES}"),
    "its tables are dropped while a worker sends": ("worker", f"DROP TABLE {TABLES}"),
    "its tables are truncated while a worker sends": ("worker", f"TRUNCATE {TABLES}"),
    "its entries are truncated while a worker sends": ("worker", "TRUNCATE victor_bulk"),
    "its database is dropped while a worker sends": ("worker", "DROP DATABASE {name} WITH (FORCE)"),
}


def execute_on_server(state: str, statement: str) -> None:
    """Execute a statement as an operator would: again, where the server ended it for a deadlock
    with the sender.
    """
    name = state.partition("?")[0].rpartition("/")[2]
    place = state.replace(f"/{name}?", "/postgres?") if "{name}" in statement else state
    with psycopg.connect(place, autocommit=True) as connection:
        for _ in range(5):
            with suppress(psycopg.errors.DeadlockDetected):
                connection.execute(statement.format(name=name))
                return
    pytest.fail("each of five tries ended in a deadlock")


@pytest.mark.parametrize(
    "what",
    borders(
        [*DELETED_FILES, *DELETED_ON_SERVERS], "its file is deleted", "its payments are deleted"
    ),
)
def test_a_state_that_is_deleted_while_rows_are_sent(
    bulk: Bulk, victor_sandbox: Sandbox, sender: Senders, request: pytest.FixtureRequest, what: str
) -> None:
    command, statement = DELETED_ON_SERVERS.get(what, ("send", ""))
    state = request.getfixturevalue("postgres") if statement else bulk.state
    bulk.write(rows(200))
    words = ("send", "invoices.csv", *bulk.sends, "--rate", "10")
    if command == "worker":
        words = ("worker",)
        sender.store(rows(200), state=state, rate=10)
    with bulk.started(*words, "--state", state) as process:
        wait_for_rows(victor_sandbox, 3, process)
        if statement:
            execute_on_server(state, statement)
        else:
            DELETED_FILES[what](bulk.folder / "victor-bulk.sqlite")
        out, err = process.communicate(timeout=bulk.patience)
    assert process.returncode == 3
    assert out == ""
    assert "Traceback" not in err
    assert "was deleted while rows were sent" in err.splitlines()[-1]
    assert made_in(victor_sandbox) < 200


def test_nothing_is_promised_of_a_state_that_cannot_be_read(
    bulk: Bulk, victor_sandbox: Sandbox, postgres_server: Postgres, postgres: str
) -> None:
    bulk.write(rows(200))
    with bulk.sending("invoices.csv", "--rate", "10", "--state", postgres) as process:
        wait_for_rows(victor_sandbox, 3, process)
        postgres_server.kill()
        ran = bulk.stopped(process, signal.SIGINT)
    postgres_server.start()
    assert ran.status == 130
    assert "Nothing is lost" not in ran.err
    assert "victor bulk resume" in ran.err


def test_two_senders_on_one_file_wait_for_each_other(
    bulk: Bulk, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    """A link to the state is no way around the lock."""
    bulk.write(rows(12), "one.csv")
    bulk.write(rows(3, start=101), "two.csv")
    link = tmp_path / "link"
    link.symlink_to(bulk.folder / "victor-bulk.sqlite")
    with bulk.sending("one.csv", "--rate", "1") as first:
        wait_for_rows(victor_sandbox, 2, first)
        second = bulk.send("two.csv", "--state", f"sqlite:///{link}")
        assert second.status == 0
        assert "Another process works on" in second.err
        assert first.wait(60) == 0
    asked_once(victor_sandbox, [*rows(12), *rows(3, start=101)])
    files = {"one.csv", "two.csv", "victor-bulk.sqlite", "victor-bulk.sqlite-lock"}
    assert set(os.listdir(bulk.folder)) == files


def test_the_lock_is_its_owners_and_goes_with_its_holder(tmp_path: Path) -> None:
    here = FilePresence(tmp_path / "state.sqlite")
    again = FilePresence(tmp_path / ".." / tmp_path.name / "state.sqlite")
    assert here.acquire()
    (lock,) = tmp_path.iterdir()
    assert lock.name == "state.sqlite-lock"
    assert lock.stat().st_mode & 0o777 == 0o600
    assert not again.acquire()
    here.close()
    code = f"""
import os, pathlib, signal
from victor_ext.event_queue.presence import FilePresence
assert FilePresence(pathlib.Path("{tmp_path}/state.sqlite")).acquire()
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert python("-c", code).returncode == -9
    assert again.acquire()
    again.close()


@pytest.mark.parametrize("kind", ["a link", "a link to nothing", "a folder"])
def test_what_lies_in_the_place_of_the_lock_is_refused_and_left_alone(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path, kind: str
) -> None:
    lock, victim, nothing = (tmp_path / name for name in ("state.sqlite-lock", "victim", "nothing"))
    victim.write_text("of somebody else", "utf-8")
    is_folder = kind == "a folder"
    if is_folder:
        lock.mkdir()
    else:
        lock.symlink_to(victim if kind == "a link" else nothing)
    with refused(r"state\.sqlite-lock"):
        sender().send(rows(1))
    assert victim.read_text("utf-8") == "of somebody else"
    assert not nothing.exists()
    assert victor_sandbox.attempts_by_key() == {}
    lock.rmdir() if is_folder else lock.unlink()
    sender.finish()


def test_an_sqlite_that_is_too_old_is_refused_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.34.1")
    with refused(r"is 3\.34\.1: 3\.35 is the oldest .* postgresql://") as caught:
        State(f"sqlite:///{tmp_path}/state.sqlite")
    (problem,) = caught.value.problems
    assert problem.field == "state"
    assert problem.code == "sqlite_version"
    assert not State("postgresql://user@host/database").is_sqlite


LOTS = 1 << 30


class Disk:
    """The disk of the test's state.

    When it is full, SQLite itself finds no room for one page more.
    """

    def __init__(self, state: Path) -> None:
        self._state = state
        self.full = False

    def look(self, connection: Any, _record: object, _proxy: object) -> None:
        """Each connection, whenever it is used, sees how large the file may become."""
        pages = connection.execute("PRAGMA page_count").fetchone()[0] if self.full else LOTS
        connection.execute(f"PRAGMA max_page_count={pages}")

    def fill(self) -> None:
        """Let it be full, and use up what room there is within the file."""
        database = sqlite3.connect(self._state, isolation_level=None, timeout=30)
        database.execute("CREATE TABLE IF NOT EXISTS filler (x)")
        self.look(database, None, None)
        self.full = True
        self.look(database, None, None)
        with pytest.raises(sqlite3.OperationalError, match="full"):
            database.executemany(
                "INSERT INTO filler VALUES (zeroblob(?))", ((300,) for _ in range(100_000))
            )
        database.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path / "state.sqlite")
    event.listen(sa.pool.Pool, "checkout", disk.look)
    yield disk
    event.remove(sa.pool.Pool, "checkout", disk.look)


@pytest.fixture
def logged_notices(caplog: pytest.LogCaptureFixture) -> Notices:
    """What people are shown beside the progress."""
    caplog.set_level(logging.INFO, "victor_ext.bulk")
    return lambda: [
        record.getMessage() for record in caplog.records if getattr(record, "notice", False)
    ]


def test_a_disk_that_is_full_while_rows_are_sent_is_said_and_nothing_is_sent_again(
    sender: Senders,
    victor_sandbox: Sandbox,
    disk: Disk,
    logged_notices: Notices,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "_ROUND", 0.2)
    looks, told = 0, 0

    def progress(_status: object) -> None:
        nonlocal looks, told
        assert looks < 200, "nothing is said, or nothing goes on"
        if looks == 0:
            disk.fill()
        looks += 1
        told += bool(logged_notices())
        if told > 6:
            disk.full = False

    assert sender().send(rows(250), on_progress=progress).counts == {"created": 250}
    asked_once(victor_sandbox, rows(250))
    assert set(victor_sandbox.attempts_by_key().values()) == {1}
    notices = logged_notices()
    assert 1 <= len(notices) <= 3
    for notice in notices:
        assert "database or disk is full" in notice
        assert "are sent then" in notice
    assert all(result.outcome == "created" for result in sender().export())


def test_a_disk_that_is_full_while_rows_are_stored_ends_the_command(
    sender: Senders, victor_sandbox: Sandbox, disk: Disk
) -> None:
    sender(batch="before").send(rows(1))
    disk.fill()
    with pytest.raises(StateUnavailable, match="full"):
        sender().send(rows(250, start=2))
    assert made_in(victor_sandbox) == 1
    disk.full = False
    sender.finish(rows(250, start=2))


def test_a_folder_for_temporary_files_that_is_full_is_said_in_a_sentence(
    sender: Senders, victor_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = f"PRAGMA max_page_count=8; {source_rows._SCHEMA}"
    monkeypatch.setattr(source_rows, "_SCHEMA", schema)
    for act in (sender().check, sender().send):
        with refused(r"temporary files, .*full.*TMPDIR"):
            act(rows(600))
    assert victor_sandbox.attempts_by_key() == {}
