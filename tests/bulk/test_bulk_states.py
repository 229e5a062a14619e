"""A state that cannot be used now, or is deleted: it is named, and the status says whether to run it again."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg
import pytest

from tests.bulk.bulk_runs import PATIENCE, Bulk, asked_once, keys_of, rows, store_only, wait_until, write_csv
from tests.bulk.postgres import Postgres
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow
KEY = ("--key-column", "invoice_no")
Senders = Callable[..., Any]


def test_a_server_that_restarts_while_rows_are_stored(
    bulk: Bulk, victor_sandbox: Sandbox, postgres_server: Postgres, postgres: str, sender: Senders
) -> None:
    file = write_csv(bulk.folder / "invoices.csv", rows(30))
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


def delete_file(bulk: Bulk, _state: str) -> None:
    (bulk.folder / "victor-bulk.sqlite").unlink()


def replace_file(bulk: Bulk, _state: str) -> None:
    (bulk.folder / "other.sqlite").touch()
    (bulk.folder / "other.sqlite").replace(bulk.folder / "victor-bulk.sqlite")


def empty_file(bulk: Bulk, _state: str) -> None:
    (bulk.folder / "victor-bulk.sqlite").write_bytes(b"")


def overwrite_file(bulk: Bulk, _state: str) -> None:
    path = bulk.folder / "victor-bulk.sqlite"
    with path.open("r+b") as file:
        file.write(b"another" * (path.stat().st_size // 7))
    for name in ("-wal", "-shm"):
        path.with_name(path.name + name).unlink(missing_ok=True)


def delete_records(bulk: Bulk, _state: str, which: str = "true") -> None:
    with closing(sqlite3.connect(bulk.folder / "victor-bulk.sqlite", timeout=30)) as database, database:
        database.execute(f"DELETE FROM workflow_status WHERE {which}")


def delete_load(bulk: Bulk, state: str) -> None:
    delete_records(bulk, state, "name = 'victor_bulk_load'")


def truncate_table(_bulk: Bulk, state: str) -> None:
    with psycopg.connect(state) as connection:
        connection.execute("TRUNCATE dbos.workflow_status CASCADE")


def drop_tables(_bulk: Bulk, state: str) -> None:
    with psycopg.connect(state) as connection:
        connection.execute("DROP SCHEMA dbos CASCADE")


def drop_database(_bulk: Bulk, state: str) -> None:
    name = state.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(state.replace(f"/{name}?", "/postgres?"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize(
    ("command", "delete"),
    [
        ("send", delete_file),
        ("send", replace_file),
        ("send", empty_file),
        ("send", overwrite_file),
        ("send", delete_records),
        ("send", delete_load),
        ("send", drop_tables),
        ("send", truncate_table),
        ("worker", drop_database),
        ("worker", truncate_table),
    ],
)
def test_a_state_that_is_deleted_while_rows_are_sent(
    bulk: Bulk,
    victor_sandbox: Sandbox,
    sender: Senders,
    request: pytest.FixtureRequest,
    command: str,
    delete: Callable[[Bulk, str], None],
) -> None:
    state = "sqlite:///victor-bulk.sqlite"
    if delete in (drop_tables, drop_database, truncate_table):
        state = request.getfixturevalue("postgres")
    file = write_csv(bulk.folder / "invoices.csv", rows(200))
    words = ("send", file.name, *KEY, "--rate", "10") if command == "send" else ("worker",)
    if command == "worker":
        store_only(sender(state=state, batch=file.name, rate=10), rows(200))
    with bulk.started(*words, "--state", state) as process:
        wait_until(lambda: len(victor_sandbox.work_done_by_key()) >= 3, process)
        delete(bulk, state)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, "Traceback" in err) == (3, "", False), err
    assert "was deleted while rows were sent" in err.splitlines()[-1]
    assert len(victor_sandbox.work_done_by_key()) < 200


def test_a_batch_of_which_chunks_are_gone_is_not_read_as_if_they_waited(
    bulk: Bulk, victor_sandbox: Sandbox, sender: Senders
) -> None:
    file = write_csv(bulk.folder / "invoices.csv", rows(200))
    assert sender(state=f"sqlite:///{bulk.folder}/victor-bulk.sqlite", batch=file.name).send(file).exit_status == 0
    delete_records(bulk, "", "workflow_uuid LIKE '%/00000002'")
    for words in (("send", file.name, *KEY), ("resume",), ("status",), ("export",)):
        ran = bulk(*words)
        assert (ran.status, "was deleted" in ran.err) == (3, True), ran
    asked_once(victor_sandbox, keys_of(file.name, rows(200)))


def test_nothing_is_promised_of_a_state_that_cannot_be_read(
    bulk: Bulk, victor_sandbox: Sandbox, postgres_server: Postgres, postgres: str
) -> None:
    file = write_csv(bulk.folder / "invoices.csv", rows(200))
    with bulk.started("send", file.name, *KEY, "--rate", "10", "--state", postgres) as process:
        wait_until(lambda: len(victor_sandbox.work_done_by_key()) >= 3, process)
        postgres_server.kill()
        ran = bulk.stopped(process, signal.SIGINT)
    postgres_server.start()
    assert (ran.status, "Nothing is lost" in ran.err, "victor bulk resume" in ran.err) == (130, False, True), ran
