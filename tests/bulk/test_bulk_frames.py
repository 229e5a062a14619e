"""What a reporter of errors shows of our frames: account numbers, keys and passwords are of types
that hide themselves.
"""

import json

import pytest

from tests.bulk.bulk_runs import ACCOUNT, row, write_csv
from tests.frames import assert_hidden
from victor_ext import VictorError
from victor_ext.bulk import BulkSender

pytestmark = pytest.mark.slow
KEY = "a storage key of some length"
PASSWORD = "pass-w5rd"
WRONG = [row(1), row(2, amount="-1"), row(3, payee_account_number=ACCOUNT + "x")]


def fail(*_):
    raise LookupError


FAILURES = {
    "rows that are wrong": lambda sender: sender.send(WRONG),
    "a generator that raises": lambda sender: sender.send(map(fail, [row(1)])),
    "a listener that raises": lambda sender: sender.send([row(1)], on_progress=fail),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_an_error_shows_no_account_number_and_no_key(sender, failure):
    with pytest.raises((LookupError, VictorError)) as raised:
        FAILURES[failure](sender(storage_key=KEY))
    assert_hidden(raised.value, (ACCOUNT, KEY))


@pytest.mark.parametrize("name", ["wrong.csv", "unclosed.csv", "wrong.jsonl"])
def test_the_error_of_a_file_shows_no_account_number(sender, tmp_path, name):
    file = write_csv(tmp_path / name, WRONG)
    if name == "wrong.jsonl":
        file.write_text("\n".join(map(json.dumps, WRONG)), "utf-8")
    elif name == "unclosed.csv":
        file.write_text(file.read_text("utf-8") + '"' + ACCOUNT, "utf-8")
    with pytest.raises(VictorError) as raised:
        sender(storage_key=KEY).send(file)
    assert_hidden(raised.value, (ACCOUNT, KEY))


@pytest.mark.parametrize(
    "state",
    [
        f"postgresql://user:{PASSWORD}@127.0.0.1:1/db",
        f"postgresql://user@127.0.0.1:1/db?password=x&password={PASSWORD}",
        f"postgresql://user:{PASSWORD}@host:port/db",
        f"sqlite:///state.sqlite?password={PASSWORD}",
    ],
)
def test_the_error_of_a_database_shows_no_password(client, state):
    with pytest.raises(VictorError) as raised:
        BulkSender(client, state=state, batch="march", storage_key=KEY).send([row(1)])
    assert_hidden(raised.value, (PASSWORD, KEY, ACCOUNT))


def test_the_search_of_error_frames_finds_a_value_that_does_not_hide_itself(sender, monkeypatch):
    monkeypatch.setattr("victor_ext.tables.sources.HiddenRows", list)
    with pytest.raises(VictorError) as raised:
        sender(storage_key=KEY).send(WRONG)
    with pytest.raises(AssertionError, match=r"source in BulkSender\.send \(sender\.py\)"):
        assert_hidden(raised.value, (ACCOUNT,))
