"""A state that is locked, old, full, deleted or out of reach: it is named, and the status says
whether to go on.
"""

import logging
import shutil
import sqlite3
import time
from dataclasses import replace
from itertools import count
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import event

from tests.bulk.bulk_runs import (
    asked_once,
    change_state,
    made_in,
    refused,
    row,
    rows,
    wait_for_rows,
    wait_until,
)
from tests.cli.victor_command import Ran
from victor_ext.bulk._state import State

pytestmark = pytest.mark.pull_request
SECOND_SECRET = "another-secret-for-tests"


@pytest.fixture
def user(bulk, tmp_path):
    """The command of a person who has named no state."""
    environment = {**bulk.environment, "XDG_STATE_HOME": str(tmp_path / "of the user")}
    del environment["VICTOR_BULK_STATE"]
    return replace(bulk, environment=environment)


def test_the_default_state_is_one_file_of_the_user_from_every_folder(
    user, victor_sandbox, tmp_path
):
    file = tmp_path / "of the user" / "victor" / "bulk.sqlite"
    assert user.send(rows(2), "--dry-run").status == 0
    assert not file.exists()
    sent = user.send(rows(2))
    elsewhere = replace(user, folder=tmp_path)
    again = elsewhere.send([*rows(2), row(3)], "--batch", "another list")
    assert again.out == "another list: 3 rows: 3 created\n"
    asked_once(victor_sandbox, rows(3))
    for ended in (sent, elsewhere("status", "--batch", "invoices.csv")):
        assert f"The state is sqlite:///{file}.\n" in ended.err
    assert (
        elsewhere("status", "--batch", "invoices.csv", "--json").json["state"]
        == f"sqlite:///{file}"
    )
    assert [path.stat().st_mode & 0o777 for path in (file, file.parent)] == [0o600, 0o700]


def test_another_state_is_named_by_the_whole_path_of_its_file_or_by_a_url(user, tmp_path):
    named = str(tmp_path / "named.sqlite")
    assert user.send(rows(2), VICTOR_BULK_STATE=named).status == 0
    for words, variables in (((), {"VICTOR_BULK_STATE": named}), (("--state", named), {})):
        assert "2 created" in user("status", *words, **variables).out
    assert "There is no batch of this system" in user("status").err


def test_environments_and_accounts_stand_beside_each_other_in_a_state(
    sender, clients, other_account, victor_sandbox
):
    """Each knows its own rows, also of the same numbers, and has secrets of its own."""
    others = [clients(environment="production"), other_account]
    own = [sender, *(sender.of(victor=each, storage_key=SECOND_SECRET) for each in others)]
    for each in own:
        each.finish(rows(2))
    assert made_in(victor_sandbox) == 4  # two of each account
    for each in own:
        assert [*each.results()] == ["INV-1", "INV-2"]
        assert each().batches() == ["march"]


def test_new_credentials_in_production_ask_for_nothing_that_the_old_ones_have_asked(
    sender, clients, victor_sandbox
):
    old, new = (
        sender.of(victor=clients(*victor_sandbox.add_oauth_client(), environment="production"))
        for _ in range(2)
    )
    old.finish(rows(2))
    with refused("has batches of other credentials, and none of these"):
        new.finish(rows(2))
    assert made_in(victor_sandbox) == 2
    new.of(new_state=True).finish(rows(2))
    assert made_in(victor_sandbox) == 4


def test_a_server_that_is_away_ends_the_command_with_75_and_loses_nothing(
    bulk, victor_sandbox, postgres_server, postgres
):
    bulk.write(rows(30))
    postgres = postgres.replace("postgres@", "postgres:pass-word@")
    state = ("--state", postgres)
    State(postgres).prepare()
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
        assert "pass-word" not in ended.err
    assert bulk(*send, *state).status == 0
    asked_once(victor_sandbox, rows(30))


def test_a_state_that_is_deleted_while_rows_are_sent_ends_the_command_with_3(bulk, victor_sandbox):
    bulk.write(rows(200))
    words = ("send", "invoices.csv", *bulk.sends, "--rate", "10")
    with bulk.started(*words, "--state", bulk.state) as process:
        wait_for_rows(victor_sandbox, 3, process)
        (bulk.folder / "victor-bulk.sqlite").unlink()
        out, err = process.communicate(timeout=bulk.patience)
    assert process.returncode == 3
    assert out == ""
    assert "Traceback" not in err
    assert "was deleted while rows were sent" in err.splitlines()[-1]
    assert made_in(victor_sandbox) < 200


class Disk:
    """The disk of the test's state.

    When it is full, SQLite itself finds no room for one page more.
    """

    full = False

    def __init__(self, state):
        self._state = state

    def look(self, connection, _record, _proxy):
        """Each connection, whenever it is used, sees how large the file may become."""
        pages = connection.execute("PRAGMA page_count").fetchone()[0] if self.full else 1 << 30
        connection.execute(f"PRAGMA max_page_count={pages}")

    def fill(self):
        """Let it be full, and use up what room there is within the file."""
        database = sqlite3.connect(self._state, isolation_level=None, timeout=30)
        database.execute("CREATE TABLE IF NOT EXISTS filler (x)")
        self.full = True
        self.look(database, None, None)
        with pytest.raises(sqlite3.OperationalError, match="full"):
            database.executemany(
                "INSERT INTO filler VALUES (zeroblob(?))", ((300,) for _ in range(100_000))
            )
        database.close()


@pytest.fixture
def disk(tmp_path):
    disk = Disk(tmp_path / "state.sqlite")
    event.listen(sa.pool.Pool, "checkout", disk.look)
    yield disk
    event.remove(sa.pool.Pool, "checkout", disk.look)


def test_a_disk_that_is_full_while_rows_are_sent_is_reported_and_no_row_is_asked_twice(
    sender, clients, victor_sandbox, disk, caplog
):
    """What could not be stored is sent once more under its key."""
    caplog.set_level(logging.INFO, "victor_ext.bulk")
    looks = count()

    def notices():
        """What people are shown beside the progress."""
        return [each.getMessage() for each in caplog.records if getattr(each, "notice", False)]

    def progress(_status):
        number = next(looks)
        assert number < 200, "nothing is said, or nothing goes on"
        if number == 0:
            disk.fill()
        elif notices():
            disk.full = False

    sending = sender(victor=clients(deadline=2.0), patience=20)
    assert sending.send(rows(250), on_progress=progress).counts == {"created": 250}
    asked_once(victor_sandbox, rows(250))
    full = [notice for notice in notices() if "database or disk is full" in notice]
    assert 1 <= len(full) <= 3
    for notice in full:
        assert "are sent then" in notice


def put_content_back(backup, state):
    state.write_bytes(backup.read_bytes())


@pytest.mark.parametrize("put_back", [Path.replace, put_content_back])
def test_a_state_that_was_put_back_notices_it_and_holds_itself(
    sender, victor_sandbox, tmp_path, put_back
):
    """Its copy knows nothing of the second payment, which is not asked for again. Nobody waits for
    the end of patience.
    """
    state = tmp_path / "state.sqlite"
    sender().send(rows(1))
    later = "UPDATE victor_bulk_control SET moment = moment - 3600 WHERE name = 'life'"
    change_state(state, later)
    backup = tmp_path / "backup"
    shutil.copy2(state, backup)
    sender().send(rows(2))
    put_back(backup, state)
    begun = time.monotonic()
    result = sender(patience=60).send(rows(2))
    assert result.held_since is not None
    assert time.monotonic() - begun < 30
    assert len(victor_sandbox.attempts_by_key()) == 2
