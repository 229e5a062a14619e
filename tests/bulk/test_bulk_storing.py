"""Storing a batch: interrupted at any chunk, in two places at once, a million rows long, and with nobody listening."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.bulk.bulk_runs import Bulk, asked_once, keys_of, row, rows, write_csv
from victor_ext import AsyncVictor, ConfigurationError, VictorOAuth
from victor_ext.bulk import RowOutcome, batch_store
from victor_ext.bulk.state import State
from victor_ext.cli import bulk_output
from victor_ext.sandbox import Sandbox

Senders = Callable[..., Any]
SHORT, LONG = 2000, 20_000
"""Rows of the batches whose memory is compared; `python -m benchmarks.bulk` does it with a million, and sends them."""


class Crash(BaseException):
    """Simulates the end of the process within one process."""


@pytest.fixture
def crash_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let storing end after this number of transactions of two chunks."""
    add = batch_store.BatchStore._insert

    def arrange(transactions: int) -> None:
        left = iter(range(transactions))

        def adding(self: Any, chunks: Mapping[str, Any], load: Any = None) -> None:
            if next(left, None) is None:
                raise Crash
            add(self, chunks, load)

        monkeypatch.setattr(batch_store, "AT_ONCE", 2)
        monkeypatch.setattr(batch_store.BatchStore, "_insert", adding)

    return arrange


def test_a_batch_that_was_stored_in_part_is_sent_by_nobody_and_resumed_from_its_file(
    sender: Senders,
    victor_sandbox: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    crash_after: Callable[[int], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    records = rows(530)
    file = write_csv(tmp_path / "invoices.csv", records)
    crash_after(2)
    with pytest.raises(Crash):
        sender().send(file)
    monkeypatch.undo()
    status = sender().status()
    assert (status.rows, dict(status.counts), status.complete, status.over) == (
        530,
        {RowOutcome.WAITING: 530},
        False,
        False,
    )
    assert len(list(sender().export())) == 400
    bulk_output.write_export(sender(), tmp_path / "results.csv", "victor bulk resume", as_json=False)
    assert "not stored, and not sent. Go on with:\n  victor bulk resume\n" in capsys.readouterr().err
    assert victor_sandbox.attempts_by_key() == {}

    assert sender(key_column="unused").resume().exit_status == 0
    asked_once(victor_sandbox, keys_of("march", records))
    assert [result.row for result in sender().export()] == list(range(1, 531))


def test_a_batch_of_which_nothing_was_stored_is_none(
    sender: Senders, victor_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, crash_after: Callable[[int], None]
) -> None:
    crash_after(0)
    with pytest.raises(Crash):
        sender().send(rows(5))
    monkeypatch.undo()
    with pytest.raises(ConfigurationError, match="nothing was sent"):
        sender().resume()
    assert sender().send(rows(5)).exit_status == 0


def test_rows_from_python_that_were_stored_in_part_have_to_be_sent_again(
    sender: Senders, victor_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, crash_after: Callable[[int], None]
) -> None:
    crash_after(1)
    with pytest.raises(Crash):
        sender().send(row(number) for number in range(1, 531))
    monkeypatch.undo()
    with pytest.raises(ConfigurationError, match="cannot be read from Python again"):
        sender().resume()
    assert sender().send(row(number) for number in range(1, 531)).exit_status == 0
    asked_once(victor_sandbox, keys_of("march", rows(530)))


@pytest.mark.nightly
def test_two_machines_that_send_one_file_at_once(
    bulk: Bulk, victor_sandbox: Sandbox, postgres: str, sender: Senders
) -> None:
    records = rows(300)
    write_csv(bulk.folder / "march.csv", records)
    words = ("send", "march.csv", "--key-column", "invoice_no", "--state", postgres)
    with bulk.started(*words) as first, bulk.started(*words) as second:
        ends = [(process.communicate(timeout=120), process.returncode) for process in (first, second)]
    assert 0 in {status for _, status in ends}, ends
    assert all(status == 0 or "Another process is storing the batch" in err for (_, err), status in ends), ends
    asked_once(victor_sandbox, keys_of("march.csv", records))
    assert len(list(sender(state=postgres, batch="march.csv").export())) == 300


def test_a_file_that_another_process_stores_under_the_same_name_is_not_mixed_in(
    sender: Senders, victor_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = batch_store.BatchStore.add_load

    def meanwhile(self: Any, load: Any, chunks: Any) -> None:
        monkeypatch.undo()
        # Between this sender's look and its first chunk, another one stores and sends other rows.
        assert sender().send(rows(120, start=1000)).exit_status == 0
        add(self, load, chunks)

    monkeypatch.setattr(batch_store.BatchStore, "add_load", meanwhile)
    with pytest.raises(ConfigurationError, match="Another process is storing the batch march"):
        sender().send(rows(250))
    assert set(victor_sandbox.attempts_by_key()) == keys_of("march", rows(120, start=1000))
    assert sender().status().rows == len(list(sender().export())) == 120
    assert sender().send(rows(250)).rows == 370


def test_one_that_was_slow_and_taken_for_dead_stores_no_more(
    sender: Senders, victor_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = batch_store.BatchStore._insert
    others = iter([rows(210)])

    def slow(self: Any, chunks: Mapping[str, Any], load: Any = None) -> None:
        add(self, chunks, load)
        if (shorter := next(others, None)) is not None:
            assert sender().send(shorter).exit_status == 0

    monkeypatch.setattr(batch_store, "AT_ONCE", 1)
    monkeypatch.setattr(batch_store.BatchStore, "_insert", slow)
    with pytest.raises(ConfigurationError, match="Another process is storing the batch march"):
        sender().send(rows(250))
    # What is stored is what is counted, exported and sent; the rest comes with the next sending.
    status = sender().status()
    assert (status.rows, status.over, len(list(sender().export()))) == (210, True, 210)
    asked_once(victor_sandbox, keys_of("march", rows(210)))
    assert sender().send(rows(250)).counts == {RowOutcome.CREATED: 250}
    asked_once(victor_sandbox, keys_of("march", rows(250)))


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


def test_an_awaited_client_is_refused(sender: Senders) -> None:
    with pytest.raises(ConfigurationError, match="AsyncVictor"):
        sender(victor=AsyncVictor(VictorOAuth("client", "secret")))


_MEASURED = """
import resource, sys
from victor_ext import Victor, VictorOAuth
from victor_ext.bulk import BulkSender, run, sender
from datetime import date

def rows(count):
    for number in range(count):
        yield {"invoice_no": f"INV-{number}", "payee_account_number": "917364550218", "payer_counterparty_id": "a",
               "amount": "44.23", "biller_type": "BUSINESS", "due_date": date.today(), "region": f"region {number}"}

# All of it but the sending: that takes as long as the provider does, and its rows are gone when they are sent.
sender.run_batch = lambda context, store, loads, _progress: run.StatusReader(store, loads).read()
with Victor(VictorOAuth("client", "secret"), base_url="http://127.0.0.1:1") as victor:
    for count in map(int, sys.argv[2:]):
        made = BulkSender(victor, state=sys.argv[1], batch=f"{count}", key_column="invoice_no", storage_key="k" * 20)
        status = made.send(rows(count))
        assert status.rows == count and status.complete
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.nightly
@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured in the units of Linux")
def test_memory_does_not_grow_with_the_number_of_rows(tmp_path: Path) -> None:
    words = [f"sqlite:///{tmp_path}/long.sqlite", str(SHORT), str(LONG)]
    ended = subprocess.run([sys.executable, "-c", _MEASURED, *words], capture_output=True, text=True, check=True)
    peak_of_short, peak = map(int, ended.stdout.split())
    assert peak <= 1.2 * peak_of_short


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
