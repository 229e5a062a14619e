"""What a reporter of errors shows of our frames: account numbers, keys and passwords are of types
that hide themselves.
"""

import json

import pytest

from tests.bulk.bulk_runs import ACCOUNT, row, write_csv
from tests.frames import assert_hidden
from victor_ext import VictorError
from victor_ext.bulk import BulkSender, InvalidRows

pytestmark = pytest.mark.slow
KEY = "a storage key of some length"
PASSWORD = "pass-w5rd"
WRONG = [row(1), row(2, amount="-1"), row(3, payee_account_number=ACCOUNT + "x")]


def fail(*_):
    raise LookupError


FAILURES = {
    "rows that are wrong": (InvalidRows, lambda sender: sender.send(WRONG)),
    "a generator that raises": (LookupError, lambda sender: sender.send(map(fail, [row(1)]))),
    "a listener that raises": (
        LookupError,
        lambda sender: sender.send([row(1)], on_progress=fail),
    ),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_an_error_shows_no_account_number_and_no_key(sender, failure):
    error, act = FAILURES[failure]
    with pytest.raises(error) as raised:
        act(sender(storage_key=KEY))
    assert_hidden(raised.value, (ACCOUNT, KEY))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("wrong.csv", "amount is '-1' and must be above zero"),
        ("unclosed.csv", "not a CSV row"),
        ("wrong.jsonl", "amount is '-1' and must be above zero"),
    ],
)
def test_the_error_of_a_file_shows_no_account_number(sender, tmp_path, name, why):
    file = write_csv(tmp_path / name, WRONG)
    if name == "wrong.jsonl":
        file.write_text("\n".join(map(json.dumps, WRONG)), "utf-8")
    elif name == "unclosed.csv":
        file.write_text(file.read_text("utf-8") + '"' + ACCOUNT, "utf-8")
    with pytest.raises(InvalidRows, match=why) as raised:
        sender(storage_key=KEY).send(file)
    assert_hidden(raised.value, (ACCOUNT, KEY))


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (f"postgresql://user:{PASSWORD}@127.0.0.1:1/db", "cannot be used now"),
        (
            f"postgresql://user@127.0.0.1:1/db?password=x&password={PASSWORD}",
            "cannot be used now",
        ),
        (f"postgresql://user:{PASSWORD}@host:port/db", "state is not the URL of a database"),
        (f"sqlite:///state.sqlite?password={PASSWORD}", "state is not a file that"),
    ],
)
def test_the_error_of_a_database_shows_no_password(client, state, why):
    with pytest.raises(VictorError, match=why) as raised:
        BulkSender(client, state=state, batch="march", storage_key=KEY).send([row(1)])
    assert_hidden(raised.value, (PASSWORD, KEY, ACCOUNT))


def test_the_search_of_error_frames_finds_a_value_that_does_not_hide_itself(sender, monkeypatch):
    monkeypatch.setattr("victor_ext._tables.sources.HiddenRows", list)
    with pytest.raises(InvalidRows) as raised:
        sender(storage_key=KEY).send(WRONG)
    with pytest.raises(AssertionError, match=r"source in BulkSender\.send \(_sender\.py\)"):
        assert_hidden(raised.value, (ACCOUNT,))
