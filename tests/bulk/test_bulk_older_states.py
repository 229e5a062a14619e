"""States that older commits left behind: they are gone on with, or refused by name, and nobody is asked twice.

Each of `older_states/` is the dump of a state that a commit made against the sandbox of its time, with rows that are
made up, and was killed over. Of its twelve rows, at most five a chunk, the first five are done: created, rejected,
unknown, refused (a bad amount) and created. Rows 6, 7 and 8 were sent, 9 and 10 were about to be, 11 and 12 waited.
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

STATES = Path(__file__).parent / "older_states"
NAMES = ("without_callers", "without_tokens", "by_machine_clock", "without_accounts")
"""The oldest first: `Sent` was a number, chunks had no token, moments were a machine's, no batch said whose it was."""
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


@pytest.fixture(params=NAMES)
def older(request: pytest.FixtureRequest, tmp_path: Path, victor_sandbox: Sandbox, sender: Senders) -> Any:
    """Makes senders that go on with an older state, ten minutes after it was left, by the provider's clock."""
    dump = (STATES / f"{request.param}.sql").read_text("utf-8")
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


@pytest.mark.parametrize("older", NAMES[-1:], indirect=True)
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


@pytest.mark.parametrize("older", NAMES[-1:], indirect=True)
def test_an_older_chunk_that_somebody_cancelled_is_sent_by_resume_alone(
    older: Senders, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    def chunks(statement: str) -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(tmp_path / "state.sqlite", isolation_level=None)) as database:
            return database.execute(f"{statement} WHERE workflow_uuid = 'fake.csv/00000003'").fetchall()

    # As the command of DBOS does it.
    chunks("UPDATE workflow_status SET status = 'CANCELLED', queue_name = NULL")
    keys = {result.row: result.key for result in older().export()}
    stop = threading.Event()
    stop.set()
    older().work(stop=stop)  # it takes over what older releases have left, and ends
    assert chunks("SELECT status FROM workflow_status") == [("CANCELLED",)]
    assert older(rate=1000).resume().counts["created"] == 4
    asked_once(victor_sandbox, {keys[number] for number in (11, 12)})


def test_its_file_is_sent_again_and_asks_nobody_twice(
    older: Senders, request: pytest.FixtureRequest, tmp_path: Path, victor_sandbox: Sandbox
) -> None:
    file = write_csv(tmp_path / "fake.csv", fake_rows())
    if "without_callers" in request.node.name:
        # Its keys were made in another way: by those of today, all customers would be asked again.
        for act in (older(skip_invalid=True).send, older(skip_invalid=True).check):
            with pytest.raises(ConfigurationError, match=r"keys of fake\.csv were made by an older release"):
                act(file)
        assert victor_sandbox.attempts_by_key() == {}
        return
    check = older(skip_invalid=True).check(file)
    assert (check.unchanged, check.invalid, check.new, check.changed) == (11, 1, 0, 0)


def test_a_state_of_a_newer_release_is_refused_by_name(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    victor_sandbox.down()
    sender().send(rows(3))
    victor_sandbox.up()
    database = sqlite3.connect(tmp_path / "state.sqlite", isolation_level=None)
    database.execute("UPDATE workflow_status SET application_version = 'victor-bulk-9'")
    database.close()
    acts = {
        "status": lambda: sender().status(),
        "export": lambda: list(sender().export()),
        "resume": lambda: sender().resume(),
        "send": lambda: sender().send(rows(3)),
        "a copy": lambda: sender(batch="april").send(rows(3)),
    }
    for act in acts.values():
        with pytest.raises(ConfigurationError, match=r"victor-bulk-9.*go on with the release"):
            act()
    assert victor_sandbox.attempts_by_key() == {}
    assert sender().batches() == ["march"]


def test_chunks_that_an_older_worker_left_on_a_server_are_taken_over(
    sender: Senders, victor_sandbox: Sandbox, postgres: str
) -> None:
    store_only(sender(state=postgres, rate=1000), rows(30))
    engine = sa.create_engine(postgres.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE dbos.workflow_status SET application_version = 'victor-bulk-1'"))
    engine.dispose()
    assert sender(state=postgres).resume().exit_status == 0
    asked_once(victor_sandbox, keys_of("march", rows(30)))
