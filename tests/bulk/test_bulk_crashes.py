"""Kill -9 at any moment, on SQLite and on PostgreSQL: every row is asked for once, and the export knows of all.

`VICTOR_BULK_KILLS=20` runs as many moments as the documentation speaks of; by default there are few.
"""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from bulk_runs import Bulk, Ran, asked_once, keys_of, rows, write_csv
from conftest import Postgres

from victor_ext.sandbox import Sandbox

KILLS = int(os.environ.get("VICTOR_BULK_KILLS", "2"))
ROWS = 600
LONGEST = float(os.environ.get("VICTOR_BULK_SECONDS", "3"))
"""Seconds that a batch takes, about: the moments are spread over them."""


def moments(seed: int) -> list[float]:
    """When to kill, in seconds after the start."""
    draw = random.Random(seed)
    return [draw.uniform(0.2, LONGEST) for _ in range(KILLS)]


def go_on(bulk: Bulk, file: Path, *options: str) -> Ran:
    """Resume; when nothing had been stored yet, which it says, send."""
    resumed = bulk("resume", "--batch", file.name, *options)
    if resumed.status == 2:
        assert "nothing was sent" in resumed.err
        return bulk("send", file.name, "--key-column", "invoice_no", *options)
    return resumed


def all_accounted_for(bulk: Bulk, file: Path, count: int, *options: str) -> None:
    exported = bulk("export", "--batch", file.name, *options).table
    assert [int(line["row"]) for line in exported] == list(range(1, count + 1))
    assert {line["outcome"] for line in exported} == {"created"}
    assert len({line["id"] for line in exported}) == count


@pytest.mark.parametrize("after", moments(1))
def test_a_killed_batch_is_resumed_on_sqlite(bulk: Bulk, victor_sandbox: Sandbox, after: float) -> None:
    records = rows(ROWS)
    file = write_csv(bulk.folder / "invoices.csv", records)
    bulk.killed(after, "send", file.name, "--key-column", "invoice_no")

    assert go_on(bulk, file).status == 0
    asked_once(victor_sandbox, keys_of(file.name, records))
    all_accounted_for(bulk, file, ROWS)
    assert set(victor_sandbox.work_done_by_key()) == keys_of(file.name, records)


@pytest.mark.parametrize("after", moments(2))
def test_a_killed_sender_on_postgresql_beside_a_second_worker(
    bulk: Bulk, victor_sandbox: Sandbox, postgres: str, after: float
) -> None:
    records = rows(ROWS)
    file = write_csv(bulk.folder / "invoices.csv", records)
    state = ("--state", postgres)
    with bulk.started("worker", *state):
        bulk.killed(after, "send", file.name, "--key-column", "invoice_no", *state)
        assert go_on(bulk, file, *state).status == 0
    asked_once(victor_sandbox, keys_of(file.name, records))
    all_accounted_for(bulk, file, ROWS, *state)


@pytest.fixture
def mortal() -> Iterator[Postgres]:
    server = Postgres()
    yield server
    server.stop()


@pytest.mark.parametrize("after", moments(3)[: max(1, KILLS // 2)])
def test_a_killed_database_server(bulk: Bulk, victor_sandbox: Sandbox, mortal: Postgres, after: float) -> None:
    records = rows(ROWS)
    file = write_csv(bulk.folder / "invoices.csv", records)
    state = ("--state", mortal.url("bulk"))
    assert (
        bulk(
            "send", write_csv(bulk.folder / "first.csv", records[:1]).name, "--key-column", "invoice_no", *state
        ).status
        == 0
    )
    with (
        bulk.started("worker", *state),
        bulk.started("send", file.name, "--key-column", "invoice_no", *state) as sending,
    ):
        with suppress(subprocess.TimeoutExpired):
            sending.wait(after)
        mortal.kill()
        mortal.start()
        out, err = sending.communicate(timeout=120)
        assert "Traceback" not in err
        assert sending.returncode in (0, 1, 2), (out, err)
    assert go_on(bulk, file, *state).status == 0
    asked_once(victor_sandbox, keys_of(file.name, records))
    all_accounted_for(bulk, file, ROWS, *state)
