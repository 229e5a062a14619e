"""What a reporter of errors shows of our frames: account numbers, keys and passwords are of types
that hide themselves.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest
from rich.pretty import pretty_repr

from tests.bulk.bulk_runs import ACCOUNT, row, write_csv
from tests.frames import HAND_WRITTEN, chain, locals_of
from victor_ext import VictorError
from victor_ext.bulk import BulkSender

pytestmark = pytest.mark.slow
KEY = "a storage key of some length"
PASSWORD = "pass-w5rd"
WRONG = [row(1), row(2, amount="-1"), row(3, payee_account_number=ACCOUNT + "x")]


def shown(value: Any, depth: int = 0) -> str:
    """As Sentry's serializer and rich show it: both go into containers."""
    items = value.items() if isinstance(value, Mapping) else value
    if isinstance(value, Mapping | list | tuple | set | frozenset) and depth < 5:
        return " ".join(shown(item, depth + 1) for item in items)
    with suppress(AttributeError):  # of an object that is half made
        return f"{value!r} {pretty_repr(value, max_depth=5, max_string=80)}"
    return ""


def places_that_show(error: BaseException, secrets: tuple[str, ...]) -> set[str]:
    """The variables of our frames, as `name in function (file)`, that show one of these."""
    seen = {
        place: text
        for step in chain(error)
        for place, text in locals_of(step, (HAND_WRITTEN,), shown)
    }
    assert len(seen) > 5
    return {place for place, text in seen.items() if any(secret in text for secret in secrets)}


def fail(*_: object) -> Any:
    raise LookupError


FAILURES: dict[str, Callable[[BulkSender], object]] = {
    "rows that are wrong": lambda sender: sender.send(WRONG),
    "a generator that raises": lambda sender: sender.send(map(fail, [row(1)])),
    "a listener that raises": lambda sender: sender.send([row(1)], on_progress=fail),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_an_error_shows_no_account_number_and_no_key(sender, failure):
    with pytest.raises((LookupError, VictorError)) as raised:
        FAILURES[failure](sender(storage_key=KEY))
    assert places_that_show(raised.value, (ACCOUNT, KEY)) == set()


@pytest.mark.parametrize("name", ["wrong.csv", "unclosed.csv", "wrong.jsonl"])
def test_the_error_of_a_file_shows_no_account_number(sender, tmp_path, name):
    file = write_csv(tmp_path / name, WRONG)
    if name == "wrong.jsonl":
        file.write_text("\n".join(map(json.dumps, WRONG)), "utf-8")
    elif name == "unclosed.csv":
        file.write_text(file.read_text("utf-8") + '"' + ACCOUNT, "utf-8")
    with pytest.raises(VictorError) as raised:
        sender(storage_key=KEY).send(file)
    assert places_that_show(raised.value, (ACCOUNT, KEY)) == set()


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
    assert PASSWORD not in str(raised.value)
    assert places_that_show(raised.value, (PASSWORD, KEY, ACCOUNT)) == set()


def test_the_search_finds_a_value_that_does_not_hide_itself(sender, monkeypatch):
    monkeypatch.setattr("victor_ext.tables.sources.HiddenRows", list)
    with pytest.raises(VictorError) as raised:
        sender(storage_key=KEY).send(WRONG)
    places = places_that_show(raised.value, (ACCOUNT,))
    assert "source in BulkSender.send (sender.py)" in places
