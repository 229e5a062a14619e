"""What lies in the database: nothing that a reader of it could use; and who can go on with it:
nobody else.
"""

import base64
import logging
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.bulk.bulk_runs import (
    ACCOUNT,
    Bulk,
    Clients,
    Senders,
    acts_of,
    asked_once,
    change_state,
    lose_answers,
    nothing_sent,
    refused,
    respond_to_creates,
    row,
    rows,
)
from tests.cases import cases_beside
from victor_ext.bulk.state import State
from victor_ext.bulk.vault import storage_secret
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow
SECRETS = (
    ACCOUNT,
    "aHeq349838",
    "INV-1",
    "a note to nobody",
    "region of row",
    "[idempotency",
    "victor_payment",
)
DIGESTS = {"reference", "values_digest", "skeleton_digest", "reference_digest"}
OTHER_SECRET = "another secret for tests, of some length"
SOURCES_OF_THE_KEY = (
    "VICTOR_BULK_KEY",
    "VICTOR_CLIENT_SECRET",
    "VICTOR_PRIVATE_KEY",
    "VICTOR_PRIVATE_KEY_FILE",
)


def telling_rows(notes: str = "a note to nobody") -> list[dict[str, str]]:
    good = [row(number, notes=notes, region="region of row") for number in range(1, 6)]
    return [*good, row(6, payee_account_number=ACCOUNT + "x")]


def everything_in(url: str) -> str:
    """All rows of all tables, as a dump of the database would show them."""
    lines = list[str]()
    with State(url).engine() as engine, engine.connect() as connection:
        inspector = sa.inspect(engine)
        for table in inspector.get_table_names():
            found = connection.execute(sa.text(f'SELECT * FROM "{table}"'))
            lines += [repr(tuple(line)) for line in found]
    return "\n".join(lines)


CLEAR = cases_beside(__file__)["columns in clear"]
"""Columns that are not encrypted: names, keys, states, due dates and times."""


def hidden_columns_of(path: Path) -> Iterator[tuple[str, str]]:
    """Column and text of each value that does not stand in clear."""
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        for table, clear in CLEAR.items():
            for line in database.execute(f"SELECT * FROM {table}"):
                hidden = set(line.keys()) - set(clear)
                yield from ((name, line[name]) for name in hidden if line[name] is not None)


def shown(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:0", "h..x", "127.0.0.1:99999"])
def test_no_message_shows_what_stands_after_the_question_mark_of_a_state(address: str) -> None:
    options = "nope=not-a-secret&options=not-a-secret"
    state = State(f"postgresql://someone:not-a-secret@{address}/batches?{options}")
    with refused("/batches cannot be used") as raised:
        state.exists()
    assert "not-a-secret" not in str(raised.value)


def test_an_sqlite_file_shows_nothing(
    victor_sandbox: Sandbox,
    oauth_client: tuple[str, str],
    caplog: pytest.LogCaptureFixture,
    sender: Senders,
    tmp_path: Path,
) -> None:
    caplog.set_level(logging.DEBUG)
    lose_answers(victor_sandbox, 2)
    respond_to_creates(victor_sandbox, 400, 1)
    status = sender(workers=1, skip_invalid=True).send(telling_rows())
    assert status.counts.keys() == {"created", "unknown", "rejected", "refused"}
    # What is said of a row is told of an account, too.
    assert sender(batch="april").check(telling_rows()[2:5]).unchanged == 3
    sender(batch="april", skip_invalid=True).send(telling_rows("a note to nobody else"))

    path = tmp_path / "state.sqlite"
    assert path.stat().st_mode & 0o077 == 0, "it is its owner's"
    files = tmp_path.glob("state.sqlite*")
    content = b"".join(file.read_bytes() for file in files).decode("latin-1")
    text = everything_in(f"sqlite:///{path}")
    assert "march" in text
    assert shown(content) == shown(text) == shown(caplog.text) == []
    _, client_secret = oauth_client
    assert client_secret not in content
    assert "Bearer" not in content
    for result in sender().export():
        assert ACCOUNT not in repr(result) + str(result.error)
    # What does not stand in clear is encrypted, or a digest.
    seen = set[str]()
    for column, value in hidden_columns_of(path):
        seen.add(column)
        form = r"[A-Za-z0-9+/]{20}" if column in DIGESTS else r"vb1\..*"
        assert column == "wrapped" or re.fullmatch(form, value)
    encrypted = {"row", "result", "message", "details", "call", "look_up_by", "error", "wrapped"}
    assert seen == encrypted | DIGESTS


def test_what_is_said_to_go_on_shows_no_password(
    bulk: Bulk, victor_sandbox: Sandbox, postgres: str
) -> None:
    state = postgres.replace("postgres@", "postgres:pass-w@rd@") + "&password=pass-w@rd"
    lose_answers(victor_sandbox)
    ended = bulk.send(rows(1), "--patience", "0", "--deadline", "1", "--state", state)
    assert ended.status == 3
    assert "victor bulk resume" in ended.err
    assert "w@rd" not in ended.out + ended.err


def test_another_key_opens_nothing_and_disturbs_nothing(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    """A rotated secret is no new state: not for a file that was sent, nor for another one."""
    victor_sandbox.down()
    status = sender().send(rows(3))
    assert status.counts == {"waiting": 3}
    assert status.exit_status == 75
    victor_sandbox.up()
    other = sender(storage_key=OTHER_SECRET)
    elsewhere = sender(storage_key=OTHER_SECRET, batch="april")
    acts = acts_of(other, rows(3)) + acts_of(elsewhere, rows(3)) + acts_of(elsewhere, rows(5))
    acts.append(partial(other.rekey, OTHER_SECRET))
    for act in acts:
        with refused("written with another key: use the credentials") as caught:
            act()
        assert "nothing was sent" not in str(caught.value)
    assert victor_sandbox.attempts_by_key() == {}
    sender.finish()
    asked_once(victor_sandbox, rows(3))
    # The state is given the new one.
    sender().rekey(OTHER_SECRET)
    assert other.send(rows(4)).exit_status == 0
    with refused("written with another key"):
        sender().status()
    asked_once(victor_sandbox, rows(4))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"environment": "production"}, "There is no batch march in"),
        ({"base_url": "https://victor.example/api"}, "VICTOR_BASE_URL"),
    ],
)
def test_a_batch_of_another_environment_or_address_is_another_one(
    sender: Senders, victor_sandbox: Sandbox, clients: Clients, options: Any, why: str
) -> None:
    """What staging was asked is nothing that production was asked; and another address is another
    provider, or a proxy of the same.
    """
    sender.store(rows(3))
    other = sender(victor=clients(**options))
    assert other.batches() == []
    sends = [] if "environment" in options else [partial(other.send, rows(3))]
    for act in (other.resume, other.status, other.drop, *sends):
        with refused(why):
            act()
    assert victor_sandbox.attempts_by_key() == {}
    assert sender().status().counts == {"waiting": 3}


def test_the_key_comes_from_the_credentials_or_from_its_own_variable(
    sender: Senders, bulk: Bulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in bulk.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("VICTOR_BULK_KEY", "")
    sender.finish(rows(2), storage_key=None)
    assert sender(storage_key=None).status().rows == 2
    with refused("VICTOR_BULK_KEY"):
        sender().status()
    monkeypatch.setenv("VICTOR_CLIENT_SECRET", "another one")
    with refused("another key"):
        sender(storage_key=None).status()
    for name in SOURCES_OF_THE_KEY:
        monkeypatch.delenv(name, raising=False)
    with refused("no secret to derive its key from: set VICTOR_BULK_KEY"):
        sender(storage_key=None)


def test_the_secret_of_the_credentials_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VICTOR_BULK_KEY", raising=False)
    variables = ("VELO_API_KEY", "VELO_API_SECRET")
    with refused("no secret to derive its key from: set VICTOR_BULK_KEY"):
        storage_secret(None, variables)
    monkeypatch.setenv("VELO_API_SECRET", "a secret")
    assert storage_secret(None, variables)


def test_every_form_of_a_private_key_gives_the_same_secret(
    monkeypatch: pytest.MonkeyPatch, victor_key_pair: tuple[str, str]
) -> None:
    pem, _ = victor_key_pair
    for name in SOURCES_OF_THE_KEY:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VICTOR_API_KEY", "key-1")
    secrets = set[bytes]()
    for form in (
        pem,
        pem.replace("\n", "\\n"),
        "".join(pem.splitlines()[1:-1]),
        base64.b64encode(pem.encode()).decode(),
        base64.encodebytes(pem.encode()).decode(),
    ):
        monkeypatch.setenv("VICTOR_PRIVATE_KEY", form)
        secrets.add(bytes(storage_secret(None)))
    assert len(secrets) == 1


@pytest.mark.parametrize(("change", "says"), cases_beside(__file__)["damage"])
def test_a_damaged_value_is_said_to_be_one(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path, change: str, says: str
) -> None:
    sender.finish(rows(1))
    change_state(tmp_path / "state.sqlite", f"UPDATE {change}")
    with nothing_sent(victor_sandbox):
        for act in (sender.results, partial(sender().send, [row(1, amount="7.77")])):
            with refused(says):
                act()
