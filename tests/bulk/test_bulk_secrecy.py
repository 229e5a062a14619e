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

import pytest
import sqlalchemy as sa

from tests.bulk.bulk_runs import (
    ACCOUNT,
    Bulk,
    Senders,
    asked_once,
    change_state,
    keys_of,
    row,
    rows,
    store_only,
)
from victor_ext import ConfigurationError, RetryPolicy, Victor, VictorOAuth
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


def telling_rows() -> list[dict[str, str]]:
    return [
        row(number, notes="a note to nobody", region="region of row") for number in range(1, 6)
    ] + [row(6, payee_account_number=ACCOUNT + "x")]


def everything_in(url: str) -> str:
    """All rows of all tables, as a dump of the database would show them."""
    found: list[str] = []
    with State(url).engine() as engine, engine.connect() as connection:
        inspector = sa.inspect(engine)
        for schema in inspector.get_schema_names():
            for table in inspector.get_table_names(schema=schema):
                lines = connection.execute(sa.text(f'SELECT * FROM "{schema}"."{table}"'))
                found += [repr(tuple(line)) for line in lines]
    return "\n".join(found)


CLEAR = {
    "victor_bulk_payments": {
        *("owner", "key", "batch", "chunk", "worker", "place", "state", "again", "allowed"),
        *(
            "forgotten",
            "account",
            "kind",
            "due_date",
            "sent",
            "stored",
            "stored_at",
            "kept",
            "restored",
        ),
    },
    "victor_bulk_lines": {"owner", "batch", "number", "key", "code"},
    "victor_bulk_batches": {"owner", "batch", "application", "account", "chunks", "stored_at"},
    "victor_bulk_key": {"id", "layout", "held_at"},
}
"""Columns that are not encrypted: names, keys, states, due dates and times."""


def hidden_columns_of(path: Path) -> Iterator[tuple[str, str, str]]:
    """Table, column and text of each value that does not stand in clear."""
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        query = "SELECT name FROM sqlite_master WHERE name LIKE 'victor_bulk%' AND type = 'table'"
        for (table,) in database.execute(query).fetchall():
            for line in database.execute(f"SELECT * FROM {table}"):
                for column in set(line.keys()) - CLEAR[table]:
                    if line[column] is not None:
                        yield table, column, line[column]


def shown(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:0", "h..x", "127.0.0.1:99999"])
def test_no_message_shows_what_stands_after_the_question_mark_of_a_state(address: str) -> None:
    state = State(
        f"postgresql://someone:not-a-secret@{address}/batches?nope=not-a-secret&options=not-a-secret"
    )
    with pytest.raises(ConfigurationError, match="/batches cannot be used") as raised:
        state.exists()
    assert "not-a-secret" not in str(raised.value)


def test_an_sqlite_file_shows_nothing(
    bulk: Bulk,
    victor_sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
    sender: Senders,
    tmp_path: Path,
) -> None:
    caplog.set_level(logging.DEBUG)
    victor_sandbox.inject("lose_answer", operation="create", times=2)
    victor_sandbox.inject("status", operation="create", status=400, times=1)
    status = sender(workers=1, skip_invalid=True).send(telling_rows())
    outcomes = {outcome.value for outcome in status.counts}
    assert outcomes == {"created", "unknown", "rejected", "refused"}
    # What is said of a row is told of an account, too.
    assert sender(batch="april").check(telling_rows()[2:5]).unchanged == 3
    changed = [{**record, "notes": "a note to nobody else"} for record in telling_rows()]
    sender(batch="april", skip_invalid=True).send(changed)

    assert (tmp_path / "state.sqlite").stat().st_mode & 0o077 == 0, "it is its owner's"
    content = b"".join(path.read_bytes() for path in tmp_path.glob("state.sqlite*")).decode(
        "latin-1"
    )
    text = everything_in(f"sqlite:///{tmp_path}/state.sqlite")
    assert "march/00000001" in text
    assert shown(content) == shown(text) == shown(caplog.text) == []
    hidden = list(hidden_columns_of(tmp_path / "state.sqlite"))
    assert {column for _, column, _ in hidden} == {
        *("row", "result", "message", "details", "wrapped", "made_digest"),
        *("values_digest", "spelling_digest", "reference_digest"),
    }
    for table, column, value in hidden:
        is_digest = column.endswith("_digest") and re.fullmatch(r"[A-Za-z0-9+/]{20}", value)
        is_encrypted = value.startswith("vb1.") or column == "wrapped"
        assert is_digest or is_encrypted, (table, column)
    client_secret = bulk.environment["VICTOR_CLIENT_SECRET"]
    assert client_secret not in content
    assert "Bearer" not in content
    for result in sender().export():
        assert ACCOUNT not in repr(result)
        assert ACCOUNT not in (result.error or "")


def test_what_is_said_to_go_on_shows_no_password(
    bulk: Bulk, victor_sandbox: Sandbox, postgres: str
) -> None:
    state = postgres.replace("postgres@", "postgres:pass-w@rd@") + "&password=pass-w@rd"
    victor_sandbox.inject("lose_answer", operation="create", times=None)
    bulk.write(rows(1), "march.csv")
    send = ("send", "march.csv", "--key-column", "invoice_no", "--patience", "0", "--deadline", "1")
    ended = bulk(*send, "--state", state)
    assert ended.status == 3
    assert "victor bulk resume" in ended.err
    assert "w@rd" not in ended.out + ended.err


def test_another_key_opens_nothing_and_disturbs_nothing(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    victor_sandbox.down()
    status = sender().send(rows(3))
    assert (dict(status.counts), status.exit_status) == ({"not_sent": 3}, 75)
    victor_sandbox.up()
    stranger = sender(storage_key="another secret of some length")
    elsewhere = sender(storage_key="another secret of some length", batch="april")
    reads = (lambda: list(stranger.export()), stranger.status, stranger.batches, stranger.drop)
    # A rotated secret is no new state: not for a file that was sent, nor for another one.
    sends = (
        partial(stranger.send, rows(3)),
        partial(stranger.check, rows(3)),
        partial(elsewhere.send, rows(3)),
        partial(elsewhere.send, rows(3, start=10)),
    )
    for act in (*reads, *sends, stranger.resume, elsewhere.status, elsewhere.work):
        with pytest.raises(ConfigurationError, match="another key: use the credentials") as caught:
            act()
        assert "nothing was sent" not in str(caught.value)
    assert victor_sandbox.attempts_by_key() == {}
    assert sender().resume().exit_status == 0
    asked_once(victor_sandbox, keys_of(rows(3)))


def test_a_batch_of_another_environment_is_another_one(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    """What staging was asked is nothing that production was asked."""
    store_only(sender(), rows(3))
    auth = VictorOAuth(*victor_sandbox.add_oauth_client())
    with Victor(
        auth, environment="production", base_url=victor_sandbox.url, retry=RetryPolicy(base=0.0)
    ) as victor:
        other = sender(victor=victor)
        assert other.batches() == []
        for act in (other.resume, other.status, other.drop):
            with pytest.raises(ConfigurationError, match="There is no batch march in"):
                act()
    assert victor_sandbox.attempts_by_key() == {}
    assert sender().status().counts == {"waiting": 3}


def test_a_batch_of_another_base_url_is_left_alone(
    sender: Senders, victor_sandbox: Sandbox, oauth_client: tuple[str, str]
) -> None:
    """Of the same environment: another address is another provider, or a proxy of the same."""
    store_only(sender(), rows(3))
    with Victor(VictorOAuth(*oauth_client), base_url="https://victor.example/api") as victor:
        other = sender(victor=victor)
        assert other.batches() == []
        for act in (other.resume, other.status, other.drop, partial(other.send, rows(3))):
            with pytest.raises(ConfigurationError, match="VICTOR_BASE_URL"):
                act()
    assert victor_sandbox.attempts_by_key() == {}
    assert sender().status().counts == {"waiting": 3}


def test_the_key_comes_from_the_credentials_or_from_its_own_variable(
    sender: Senders, bulk: Bulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in bulk.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("VICTOR_BULK_KEY", "")
    assert sender(storage_key=None).send(rows(2)).exit_status == 0
    assert sender(storage_key=None).status().rows == 2
    with pytest.raises(ConfigurationError, match="VICTOR_BULK_KEY"):
        sender().status()
    monkeypatch.setenv("VICTOR_CLIENT_SECRET", "another one")
    with pytest.raises(ConfigurationError, match="another key"):
        sender(storage_key=None).status()
    for name in (
        "VICTOR_BULK_KEY",
        "VICTOR_CLIENT_SECRET",
        "VICTOR_PRIVATE_KEY",
        "VICTOR_PRIVATE_KEY_FILE",
    ):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(
        ConfigurationError, match="no secret to derive its key from: set VICTOR_BULK_KEY"
    ):
        sender(storage_key=None)


def test_every_form_of_a_private_key_gives_the_same_secret(
    monkeypatch: pytest.MonkeyPatch, victor_key_pair: tuple[str, str]
) -> None:
    pem = victor_key_pair[0]
    bare = "".join(pem.splitlines()[1:-1])
    forms = {
        "PEM": pem,
        "escaped": pem.replace("\n", "\\n"),
        "bare base64": bare,
        "base64 of PEM": base64.b64encode(pem.encode()).decode(),
        "base64 of PEM in lines": base64.encodebytes(pem.encode()).decode(),
    }
    for name in ("VICTOR_BULK_KEY", "VICTOR_CLIENT_SECRET", "VICTOR_PRIVATE_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VICTOR_API_KEY", "key-1")
    secrets = {}
    for form, text in forms.items():
        monkeypatch.setenv("VICTOR_PRIVATE_KEY", text)
        secrets[form] = bytes(storage_secret(None))
    assert secrets == dict.fromkeys(forms, secrets["PEM"])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("victor_bulk_payments SET row = 'vb1.00000000.' || row", "another key"),
        ("victor_bulk_payments SET row = row || 'A'", "damaged"),
        (
            "victor_bulk_payments SET row = substr(row, 1, 40) || 'AAAAAAAA' || substr(row, 49)",
            "damaged",
        ),
        ("victor_bulk_batches SET details = 'vb1.00000000.' || details", "another key"),
        ("victor_bulk_key SET wrapped = 'A' || wrapped", "another key"),
    ],
)
def test_a_damaged_value_is_said_to_be_one(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path, change: str, says: str
) -> None:
    sender().send(rows(1))
    change_state(tmp_path / "state.sqlite", f"UPDATE {change}")
    with pytest.raises(ConfigurationError, match=says):
        list(sender().export())
    with pytest.raises(ConfigurationError, match=says):
        sender().send([row(1, amount="7.77")])
    assert set(victor_sandbox.attempts_by_key().values()) == {1}
