"""What lies in the database: nothing that a reader of it could use; and who can go on with it:
nobody else.
"""

import logging
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from threading import Barrier

import pytest

from tests.bulk.bulk_runs import (
    ACCOUNT,
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
from tests.bulk.conftest import STORAGE_KEY
from tests.cases import cases_beside
from victor_ext._event_queue.vault import secrets_of
from victor_ext.bulk import InvalidRows
from victor_ext.bulk._state import State

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
DIGESTS = {
    "reference",
    "values_digest",
    "bare_digest",
    "skeleton_digest",
    "reference_digest",
    "digest",
}
OTHER_SECRET = "another-secret-for-tests-of-some-length"


def telling_rows(notes="a note to nobody"):
    good = [row(number, notes=notes, region="region of row") for number in range(1, 6)]
    return [*good, row(6, payee_account_number=ACCOUNT + "x")]


CLEAR = cases_beside(__file__)["columns in clear"]
"""Columns that are not encrypted: names, keys, states, due dates and times."""


def send_telling_rows(sender, sandbox):
    """A state has rows of each outcome then."""
    lose_answers(sandbox, 2)
    respond_to_creates(sandbox, 400, 1)
    status = sender(workers=1, skip_invalid=True).send(telling_rows())
    assert status.counts.keys() == {"created", "unknown", "rejected", "refused"}
    sender(batch="april", skip_invalid=True).send(telling_rows("a note to nobody else"))


def test_no_secret_is_in_an_sqlite_state_or_the_log_or_the_text_of_a_result(
    sender, victor_sandbox, oauth_client, caplog, tmp_path
):
    caplog.set_level(logging.DEBUG)
    send_telling_rows(sender, victor_sandbox)
    assert caplog.text
    assert (tmp_path / "state.sqlite").stat().st_mode & 0o077 == 0, "it is its owner's"
    content = b"".join(file.read_bytes() for file in tmp_path.glob("state.sqlite*"))
    seen = content.decode("latin-1") + caplog.text
    results = [*sender().export()]
    seen += "".join(map(repr, results))
    assert [secret for secret in (*SECRETS, oauth_client[1], "Bearer") if secret in seen] == []
    assert ACCOUNT not in str([result.error for result in results]), "values are named there"


def test_what_is_not_in_clear_in_an_sqlite_state_is_encrypted_or_a_digest(
    sender, victor_sandbox, tmp_path
):
    send_telling_rows(sender, victor_sandbox)
    hidden = set()
    with closing(sqlite3.connect(tmp_path / "state.sqlite")) as database:
        database.row_factory = sqlite3.Row
        for table, clear in CLEAR.items():
            for line in map(dict, database.execute(f"SELECT * FROM {table}")):
                for name in line.keys() - {*clear}:
                    form = r"[A-Za-z0-9+/]{20}" if name in DIGESTS else r"vb1\..*"
                    is_copy = line.get("name") == "life"
                    is_right = is_copy or re.fullmatch(form, line[name] or "vb1.")
                    assert line[name] is None or is_right, name
                    hidden |= {name} if line[name] else set()
    encrypted = {"row", "problems", "details", "call", "look_up_by", "error", "text"}
    assert hidden == encrypted | DIGESTS


UNREADABLE = r"that no secret in storage_key .VICTOR_BULK_KEY. decrypts. Put back the one"


@pytest.mark.parametrize("other", [OTHER_SECRET, None])
def test_without_its_secret_a_state_can_neither_be_read_nor_changed(sender, victor_sandbox, other):
    """Not for a file that was sent, nor for another one."""
    sender.store(rows(3))
    others = sender(storage_key=other), sender(storage_key=other, batch="april")
    for act in (*acts_of(others[0], rows(3)), *acts_of(others[1], rows(5))):
        with refused(UNREADABLE):
            act()
    assert victor_sandbox.attempts_by_key() == {}


def test_a_state_in_clear_takes_no_secret(sender, victor_sandbox):
    """Who can write to it could add a row."""
    sender.finish(rows(1), storage_key=None)
    with nothing_sent(victor_sandbox), refused(UNREADABLE):
        sender().send(rows(2))
    sender.finish(rows(2), storage_key=None)


def test_what_was_asked_is_known_after_the_secret_was_rotated(sender, victor_sandbox):
    """As long as the older one stays in the list, also the digests that tell a copy of a list from
    a new one.
    """
    both = sender.of(storage_key=f"{OTHER_SECRET}, {STORAGE_KEY}")
    sender.store(rows(3))
    both.finish(rows(4))
    copied = [row(number, invoice_no=f"X-{number}") for number in (1, 2)]
    with nothing_sent(victor_sandbox):
        assert both.finish(rows(4)).counts == {"created": 4}
        with pytest.raises(InvalidRows, match="asked under numbers that this sheet lacks"):
            both(batch="april").send(copied)
        with refused(UNREADABLE):
            sender().send(rows(4))
    asked_once(victor_sandbox, rows(4))


def test_production_stores_nothing_without_a_secret(sender, clients, tmp_path):
    production = sender.of(victor=clients(environment="production"), storage_key=None)
    sends = partial(production().send, rows(1)), partial(production().check, rows(1))
    for act in (*sends, production().status, production().work):
        with refused("set VICTOR_BULK_KEY to one that you keep.*openssl rand -base64 32"):
            act()
    assert not list(tmp_path.glob("state.sqlite*"))


def test_two_processes_that_begin_a_state_at_once_have_one_salt(any_state):
    """Each has looked before the other one has stored it."""
    secrets = secrets_of(STORAGE_KEY, "storage_key")
    states = [State(any_state) for _ in range(4)]
    begin = Barrier(len(states))

    def digest(state):
        begin.wait()
        state.prepare()
        return state.vault(secrets, "victor staging").fingerprint("INV-1")

    with ThreadPoolExecutor(len(states)) as threads:
        digests = [*threads.map(digest, states)]
    assert len({*digests}) == 1
    other = State(any_state).vault(secrets, "victor production")
    assert other.fingerprint("INV-1") not in digests


@pytest.mark.parametrize(("change", "says"), cases_beside(__file__)["damage"])
def test_a_damaged_value_of_a_state_is_reported_and_nothing_is_sent(
    sender, victor_sandbox, tmp_path, change, says
):
    sender.finish(rows(1))
    change_state(tmp_path / "state.sqlite", f"UPDATE {change}")
    with nothing_sent(victor_sandbox):
        for act in (sender.results, partial(sender().send, [row(1, amount="7.77")])):
            with refused(says):
                act()
