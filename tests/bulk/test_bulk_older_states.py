"""States that older commits left behind: they are gone on with, or refused by name, and nobody is asked twice.

`older_states/` has the dump of a state that a commit made against the sandbox of its time, with rows that are made up,
and was killed over; no batch said whose it was. Of its twelve rows, at most five a chunk, the first five are done:
created, rejected, unknown, refused (a bad amount) and created. Rows 6, 7 and 8 were sent, 9 and 10 were about to be,
11 and 12 waited.
"""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from dbos import DBOSClient

from tests.bulk.bulk_runs import asked_once, keys_of, rows, store_only, write_csv
from victor_ext import ConfigurationError, Victor
from victor_ext.bulk.state import State
from victor_ext.sandbox import Sandbox

DONE = ["created", "rejected", "unknown", "refused", "created"]
Senders = Callable[..., Any]


def fake_rows() -> list[dict[str, str]]:
    made = {
        "payee_account_number": "000000000000",
        "payer_counterparty_id": "fakePayer1",
        "biller_type": "BUSINESS",
        "due_date": "2026-11-20",
        "region": "nowhere",
    }
    return [
        {
            **made,
            "invoice_no": f"FAKE-{number}",
            "amount": "-4.00" if number == 4 else f"{number}.00",
            "client_reference_id": f"fake ref {number}",
        }
        for number in range(1, 13)
    ]


@pytest.fixture
def older(tmp_path: Path, victor_sandbox: Sandbox, sender: Senders) -> Any:
    """Makes senders that go on with an older state, ten minutes after it was left, by the provider's clock."""
    dump = (Path(__file__).parent / "older_states" / "without_accounts.sql").read_text("utf-8")
    State(f"sqlite:///{tmp_path}/state.sqlite").prepare()
    database = sqlite3.connect(tmp_path / "state.sqlite")
    database.executescript(dump)
    (left,) = database.execute("SELECT max(updated_at) FROM workflow_status").fetchone()
    database.close()
    victor_sandbox.set_clock_skew(left / 1000 + 600 - time.time())
    return lambda **options: sender(batch="fake.csv", key_column=None, **options)


def make_again(client: Victor, keys: dict[int, str], *numbers: int) -> None:
    """The requests that the provider has from then."""
    list(client.payment_requests.list())
    for number in numbers:
        record = fake_rows()[number - 1]
        arguments: dict[str, Any] = {
            name: value for name, value in record.items() if name not in ("invoice_no", "region")
        }
        client.payment_requests.create(**arguments, idempotency_key=keys[number])


def test_an_older_state_is_gone_on_with(older: Senders, client: Victor, victor_sandbox: Sandbox) -> None:
    exported = list(older().export())
    assert [result.outcome.value for result in exported] == [*DONE, *["unknown"] * 5, "waiting", "waiting"]
    keys = {result.row: result.key for result in exported}
    make_again(client, keys, 3, 6, 7, 8)

    status = older(rate=1000).resume()
    assert dict(status.counts) == {"created": 8, "rejected": 1, "refused": 1, "unknown": 2}
    settled = [
        "created",
        "rejected",
        "created",
        "refused",
        *["created"] * 4,
        "unknown",
        "unknown",
        "created",
        "created",
    ]
    exported = list(older().export())
    assert [result.outcome.value for result in exported] == settled
    # What may have been sent was looked up and not sent again: the time is from a machine's clock, or by others' keys.
    doubt = re.compile("only by the clock of a machine|with other credentials")
    assert {result.row for result in exported if doubt.search(result.error or "")} == {3, 6, 7, 8, 9, 10}
    asked_once(victor_sandbox, {keys[number] for number in (3, 6, 7, 8, 11, 12)})
    assert set(victor_sandbox.attempts_by_key().values()) == {1}
    assert len(victor_sandbox.attempts_by_key()) == 6


def test_an_older_state_is_gone_on_with_after_a_kill_while_it_is_taken_over(
    older: Senders, victor_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {result.row: result.key for result in older().export()}

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(DBOSClient, "rewind_workflow", killed)
        with pytest.raises(KeyboardInterrupt):
            older().resume()
    assert victor_sandbox.attempts_by_key() == {}
    assert dict(older(rate=1000).resume().counts) == {"created": 4, "rejected": 1, "refused": 1, "unknown": 6}
    asked_once(victor_sandbox, {keys[number] for number in (11, 12)})


def test_a_chunk_that_an_older_worker_begins_meanwhile_is_left_to_it(
    older: Senders, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def chunks(statement: str) -> list[Any]:
        with closing(sqlite3.connect(tmp_path / "state.sqlite", isolation_level=None)) as database:
            return database.execute(f"{statement} WHERE workflow_uuid = 'fake.csv/00000003'").fetchall()

    listing = DBOSClient.list_workflows

    def late(*arguments: Any, **options: Any) -> Any:
        listed = listing(*arguments, **options)
        if "app_version" in options:
            chunks("UPDATE workflow_status SET status = 'PENDING', executor_id = 'older'")
        return listed

    monkeypatch.setattr(DBOSClient, "list_workflows", late)
    stop = threading.Event()
    stop.set()
    older().work(stop=stop)  # it takes over what older releases have left, and ends
    assert chunks("SELECT status, application_version FROM workflow_status") == [("PENDING", "victor-bulk-2")]


def test_its_file_is_sent_again_and_asks_nobody_twice(older: Senders, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "fake.csv", fake_rows())
    check = older(skip_invalid=True).check(file)
    assert (check.unchanged, check.invalid, check.new, check.changed) == (11, 1, 0, 0)


@pytest.mark.parametrize("layout", ["victor-bulk-9", "victor-bulk-1"])
def test_a_state_of_another_layout_is_refused_by_name(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path, layout: str
) -> None:
    victor_sandbox.down()
    sender().send(rows(3))
    victor_sandbox.up()
    database = sqlite3.connect(tmp_path / "state.sqlite", isolation_level=None)
    database.execute("UPDATE workflow_status SET application_version = ?", [layout])
    database.close()
    acts = {
        "status": lambda: sender().status(),
        "export": lambda: list(sender().export()),
        "resume": lambda: sender().resume(),
        "send": lambda: sender().send(rows(3)),
        "a copy": lambda: sender(batch="april").send(rows(3)),
    }
    for act in acts.values():
        with pytest.raises(ConfigurationError, match=f"{layout}.*go on with the release"):
            act()
    assert victor_sandbox.attempts_by_key() == {}
    assert sender().batches() == ["march"]


def test_chunks_that_an_older_worker_left_on_a_server_are_taken_over(
    sender: Senders, victor_sandbox: Sandbox, postgres: str
) -> None:
    store_only(sender(state=postgres, rate=1000), rows(30))
    engine = sa.create_engine(postgres.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE dbos.workflow_status SET application_version = 'victor-bulk-2'"))
    engine.dispose()
    assert sender(state=postgres).resume().exit_status == 0
    asked_once(victor_sandbox, keys_of("march", rows(30)))
