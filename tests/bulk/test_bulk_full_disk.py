"""A disk that is full: it is said, nothing is sent twice over it, and all goes on when there is room again."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from tests.bulk.bulk_runs import Bulk, Senders, asked_once, keys_of, rows, write_csv
from tests.cli.victor_command import SCRIPT
from victor_ext import ConfigurationError
from victor_ext.bulk import StateUnavailable, spool, takeover
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow
LOTS = 1 << 30


class Disk:
    """The disk of the test's state. When it is full, SQLite itself finds no room for one page more."""

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
            database.executemany("INSERT INTO filler VALUES (zeroblob(?))", ((300,) for _ in range(100_000)))
        database.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path / "state.sqlite")
    event.listen(sa.pool.Pool, "checkout", disk.look)
    yield disk
    event.remove(sa.pool.Pool, "checkout", disk.look)


@pytest.fixture
def logged_notices(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What people are shown beside the progress."""
    caplog.set_level(logging.INFO, "victor_ext.bulk")
    return lambda: [record.getMessage() for record in caplog.records if getattr(record, "notice", False)]


def test_a_disk_that_is_full_while_rows_are_sent_is_said_and_nothing_is_sent_again(
    sender: Senders,
    victor_sandbox: Sandbox,
    disk: Disk,
    logged_notices: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[int] = []

    def progress(status: Any) -> None:
        assert len(seen) < 200, "nothing is said, or nothing goes on"
        if not seen:
            disk.fill()
        seen.append(len(logged_notices()))
        if logged_notices() and len(seen) - seen.index(next(filter(None, seen))) > 5:
            disk.full = False

    monkeypatch.setattr(takeover, "_ROUND", 0.2)
    status = sender().send(rows(250), on_progress=progress)
    assert dict(status.counts) == {"created": 250}
    asked_once(victor_sandbox, keys_of("march", rows(250)))
    assert set(victor_sandbox.attempts_by_key().values()) == {1}
    notices = logged_notices()
    assert 1 <= len(notices) <= 3
    assert all("database or disk is full" in notice and "are sent then" in notice for notice in notices)
    assert all(result.outcome == "created" for result in sender().export())


def test_a_disk_that_is_full_while_rows_are_stored_ends_the_command(
    sender: Senders, victor_sandbox: Sandbox, disk: Disk
) -> None:
    sender(batch="before").send(rows(1))
    disk.fill()
    with pytest.raises(StateUnavailable, match="full"):
        sender().send(rows(250, start=2))
    assert len(victor_sandbox.work_done_by_key()) == 1
    disk.full = False
    assert sender().send(rows(250, start=2)).exit_status == 0


def test_what_dbos_says_of_a_full_disk_is_told(logged_notices: Callable[[], list[str]], sender: Senders) -> None:
    sender()
    log = logging.getLogger("dbos")
    for text in ("database or disk is full", "could not extend file: No space left on device"):
        log.warning("Exception encountered in queue thread for a queue: (OperationalError) %s", text)
        try:
            raise OSError(text)
        except OSError as error:
            log.error("Exception encountered in background workflow:", exc_info=error)
    log.warning("Exception encountered in queue thread for a queue: connection refused")
    notices = [("disk is full" in notice, "No space left" in notice) for notice in logged_notices()]
    assert notices == [(True, False), (False, True)]


def test_a_folder_for_temporary_files_that_is_full_is_said_in_a_sentence(
    sender: Senders, victor_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = spool.Spool.__init__

    def small(self: Any) -> None:
        begin(self)
        self._db.execute("PRAGMA max_page_count=8")

    monkeypatch.setattr(spool.Spool, "__init__", small)
    for act in (sender().check, sender().send):
        with pytest.raises(ConfigurationError, match=r"temporary files, .*full.*TMPDIR"):
            act(rows(600))
    assert victor_sandbox.attempts_by_key() == {}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
@pytest.mark.parametrize(("to", "lost", "status"), [("/dev/full", None, 0), ("&-", "lose_answer", 3)])
def test_what_became_of_a_batch_is_said_by_the_status_also_where_no_line_can_be_written(
    bulk: Bulk, victor_sandbox: Sandbox, to: str, lost: str | None, status: int
) -> None:
    write_csv(bulk.folder / "invoices.csv", rows(3))
    if lost is not None:
        victor_sandbox.inject(lost, operation="create", times=None)
    words = "bulk send invoices.csv --key-column invoice_no --patience 0 --deadline 1"
    ended = subprocess.run(
        ["/bin/sh", "-c", f"exec {SCRIPT} {words} >{to}"],
        cwd=bulk.folder, env=bulk.environment, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == status
    assert "could not be written" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(victor_sandbox.work_done_by_key()) == 3
