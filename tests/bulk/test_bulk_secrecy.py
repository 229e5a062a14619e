"""What lies in the database: nothing that a reader of it could use; and who can go on with it:
nobody else.
"""

import logging
import re
import sqlite3
from contextlib import closing
from functools import partial

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
from tests.cases import cases_beside

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
OTHER_SECRET = "another secret for tests, of some length"


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
    seen += "".join(f"{result!r}{result.error}" for result in sender().export())
    assert [secret for secret in (*SECRETS, oauth_client[1], "Bearer") if secret in seen] == []


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
                    is_right = name == "wrapped" or re.fullmatch(form, line[name] or "vb1.")
                    assert line[name] is None or is_right, name
                    hidden |= {name} if line[name] else set()
    encrypted = {"row", "problems", "details", "call", "look_up_by", "error", "wrapped"}
    assert hidden == encrypted | DIGESTS


def test_another_storage_key_can_neither_read_nor_change_a_state(sender, victor_sandbox):
    """A rotated secret is no new state: not for a file that was sent, nor for another one."""
    sender.store(rows(3))
    other = sender(storage_key=OTHER_SECRET)
    elsewhere = sender(storage_key=OTHER_SECRET, batch="april")
    rekey = partial(other.rekey, OTHER_SECRET)
    for act in (*acts_of(other, rows(3)), *acts_of(elsewhere, rows(5)), rekey):
        with refused("written with another key: use the credentials") as caught:
            act()
        assert "nothing was sent" not in str(caught.value)
    assert victor_sandbox.attempts_by_key() == {}


def test_a_state_that_is_given_another_storage_key_goes_on_with_that_one_alone(
    sender, victor_sandbox
):
    sender.store(rows(3))
    sender().rekey(OTHER_SECRET)
    assert sender(storage_key=OTHER_SECRET).send(rows(4)).exit_status == 0
    with refused("written with another key"):
        sender().status()
    asked_once(victor_sandbox, rows(4))


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
