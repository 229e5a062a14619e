"""Batches in an SQLite file, where the system's SQLite is older than what DBOS expects of it."""

from __future__ import annotations

import itertools
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dbos._migration
import dbos._sys_db
import dbos._sys_db_sqlite
import pytest
import sqlalchemy as sa

from tests.bulk.bulk_runs import Senders, asked_once, keys_of, rows
from victor_ext import ConfigurationError
from victor_ext.bulk.state import State
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow


@pytest.fixture
def old_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    """An SQLite 3.40, and a DBOS that uses it as it does on Python 3.12 and newer, on any Python and SQLite."""
    connect = sqlite3.dbapi2.connect

    def connect_to_older(*words: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*words, **options)
        connection.create_function("unixepoch", 1, lambda modifier: None)
        return connection

    monkeypatch.setattr(sqlite3.dbapi2, "connect", connect_to_older)
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    # DBOS has read its Python's version when it was imported.
    older = "(strftime('%s','now') * 1000)"
    newer = "(unixepoch('subsec') * 1000)"
    migrations = [text.replace(older, newer) for text in dbos._sys_db_sqlite.sqlite_migrations]
    assert any(newer in text for text in migrations)
    monkeypatch.setattr(dbos._sys_db_sqlite, "sqlite_migrations", migrations)
    newer_python = SimpleNamespace(**{**vars(sys), "version_info": max(sys.version_info, (3, 12))})
    monkeypatch.setattr(dbos._sys_db, "sys", newer_python)


@pytest.mark.usefixtures("old_sqlite")
def test_a_batch_is_sent_and_its_times_are_whole_milliseconds_of_now(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    # Without the function that we add, the batch cannot be stored, and this ends with the time limit.
    assert sender().send(rows(3)).exit_status == 0
    asked_once(victor_sandbox, keys_of("march", rows(3)))
    with closing(sqlite3.connect(tmp_path / "state.sqlite")) as database:
        columns = "created_at, updated_at, completed_at"
        times = database.execute(f"SELECT {columns} FROM workflow_status WHERE status = 'SUCCESS'").fetchall()
    assert times
    for moment in itertools.chain(*times):
        assert isinstance(moment, int)
        assert abs(moment / 1000 - time.time()) < 60
    with State(f"sqlite:///{tmp_path}/state.sqlite").engine() as engine, engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT unixepoch('auto')")) is None
    # The engines of the program that sends are its own.
    with sa.create_engine("sqlite://").connect() as connection:
        assert connection.scalar(sa.text("SELECT unixepoch('subsec')")) is None


def test_an_sqlite_that_is_too_old_for_dbos_is_refused_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.34.1")
    with pytest.raises(ConfigurationError, match=r"is 3\.34\.1: 3\.35 is the oldest .* postgresql://") as refused:
        State(f"sqlite:///{tmp_path}/state.sqlite")
    assert [(problem.field, problem.code) for problem in refused.value.problems] == [("state", "sqlite_version")]
    assert not State("postgresql://user@host/database").is_sqlite
