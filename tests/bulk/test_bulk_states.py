"""A state that cannot be used now, or is deleted: it is named, and the status says whether to run it again."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.bulk.bulk_runs import KEY, PATIENCE, Bulk, asked_once, change_state, keys_of, rows, store_only, wait_until
from tests.bulk.postgres import Postgres
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow
Senders = Callable[..., Any]


def test_a_server_that_restarts_while_rows_are_stored(
    bulk: Bulk, victor_sandbox: Sandbox, postgres_server: Postgres, postgres: str, sender: Senders
) -> None:
    file = bulk.write(rows(30))
    postgres = postgres.replace("postgres@", "postgres:pass-word@")
    store_only(sender(state=postgres, batch="another"), rows(1))
    with psycopg.connect(postgres) as other, bulk.started("send", file.name, *KEY, "--state", postgres) as sending:
        other.execute("LOCK TABLE dbos.workflow_status IN EXCLUSIVE MODE")
        is_waiting = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"
        wait_until(lambda: other.execute(is_waiting).fetchall() == [(True,)], sending)
        postgres_server.kill()
        _, err = sending.communicate(timeout=PATIENCE)
        other.close()
    down = [bulk(*words, "--state", postgres) for words in (("status",), ("send", file.name, *KEY), ("worker",))]
    postgres_server.start()
    assert (sending.returncode, "cannot be used now" in err, "Traceback" in err) == (75, True, False), err
    assert [(ran.status, "cannot be used now" in ran.err, "pass-word" in ran.err) for ran in down] == (
        [(75, True, False)] * 3
    )
    assert bulk("send", file.name, *KEY, "--state", postgres).status == 0
    asked_once(victor_sandbox, keys_of(file.name, rows(30)))


def replace_file(path: Path) -> None:
    path.with_name("other.sqlite").touch()
    path.with_name("other.sqlite").replace(path)


def overwrite_file(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"another" * (path.stat().st_size // 7))
    for name in ("-wal", "-shm"):
        path.with_name(path.name + name).unlink(missing_ok=True)


DELETED_FILES: dict[str, Callable[[Path], object]] = {
    "its file is deleted": Path.unlink,
    "its file is replaced": replace_file,
    "its file is emptied": lambda path: path.write_bytes(b""),
    "its file is overwritten": overwrite_file,
    "its records are deleted": lambda path: change_state(path, "DELETE FROM workflow_status"),
    "its load is deleted": lambda path: change_state(
        path, "DELETE FROM workflow_status WHERE name = 'victor_bulk_load'"
    ),
}
DELETED_ON_SERVERS = {
    "its tables are dropped": ("send", "DROP SCHEMA dbos CASCADE"),
    "its table is truncated": ("send", "TRUNCATE dbos.workflow_status CASCADE"),
    "its table is truncated while a worker sends": ("worker", "TRUNCATE dbos.workflow_status CASCADE"),
    "its database is dropped while a worker sends": ("worker", "DROP DATABASE {name} WITH (FORCE)"),
}


def execute_on_server(state: str, statement: str) -> None:
    name = state.partition("?")[0].rpartition("/")[2]
    place = state.replace(f"/{name}?", "/postgres?") if "{name}" in statement else state
    with psycopg.connect(place, autocommit=True) as connection:
        connection.execute(statement.format(name=name))


@pytest.mark.parametrize("what", [*DELETED_FILES, *DELETED_ON_SERVERS])
def test_a_state_that_is_deleted_while_rows_are_sent(
    bulk: Bulk, victor_sandbox: Sandbox, sender: Senders, request: pytest.FixtureRequest, what: str
) -> None:
    command, statement = DELETED_ON_SERVERS.get(what, ("send", ""))
    state = request.getfixturevalue("postgres") if statement else "sqlite:///victor-bulk.sqlite"
    file = bulk.write(rows(200))
    words = ("send", file.name, *KEY, "--rate", "10") if command == "send" else ("worker",)
    if command == "worker":
        store_only(sender(state=state, batch=file.name, rate=10), rows(200))
    with bulk.started(*words, "--state", state) as process:
        wait_until(lambda: len(victor_sandbox.work_done_by_key()) >= 3, process)
        if statement:
            execute_on_server(state, statement)
        else:
            DELETED_FILES[what](bulk.folder / "victor-bulk.sqlite")
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, "Traceback" in err) == (3, "", False), err
    assert "was deleted while rows were sent" in err.splitlines()[-1]
    assert len(victor_sandbox.work_done_by_key()) < 200


def test_a_batch_of_which_chunks_are_gone_is_not_read_as_if_they_waited(
    bulk: Bulk, victor_sandbox: Sandbox, sender: Senders
) -> None:
    file = bulk.write(rows(200))
    assert sender(state=f"sqlite:///{bulk.folder}/victor-bulk.sqlite", batch=file.name).send(file).exit_status == 0
    path = bulk.folder / "victor-bulk.sqlite"
    change_state(path, "DELETE FROM workflow_status WHERE workflow_uuid LIKE '%/00000002'")
    for words in (("send", file.name, *KEY), ("resume",), ("status",), ("export",)):
        ran = bulk(*words)
        assert (ran.status, "was deleted" in ran.err) == (3, True), ran
    asked_once(victor_sandbox, keys_of(file.name, rows(200)))


def test_nothing_is_promised_of_a_state_that_cannot_be_read(
    bulk: Bulk, victor_sandbox: Sandbox, postgres_server: Postgres, postgres: str
) -> None:
    file = bulk.write(rows(200))
    with bulk.started("send", file.name, *KEY, "--rate", "10", "--state", postgres) as process:
        wait_until(lambda: len(victor_sandbox.work_done_by_key()) >= 3, process)
        postgres_server.kill()
        ran = bulk.stopped(process, signal.SIGINT)
    postgres_server.start()
    assert (ran.status, "Nothing is lost" in ran.err, "victor bulk resume" in ran.err) == (130, False, True), ran
