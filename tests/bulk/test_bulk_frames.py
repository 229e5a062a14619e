"""What a reporter of errors shows of our frames: no account number, no key, no password, no
environment.

A failure, or Ctrl-C, can come at any line. So the locals of our frames are looked at before every
line that runs, as reporters look at them. Two places are left out: the first line of a function,
which is where it hides an argument, and the function that hides the password of a URL.
"""

import itertools
import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, Self

import pytest
from rich.pretty import pretty_repr

import victor_ext.bulk
import victor_ext.settlement
import victor_ext.tables
from tests.bulk.bulk_runs import ACCOUNT, Senders, row, write_csv
from tests.frames import chain, locals_of
from victor_ext import Victor, VictorError
from victor_ext.bulk import BulkSender
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow
OURS = tuple(
    str(Path(module.__file__).parent)
    for module in (victor_ext.bulk, victor_ext.settlement, victor_ext.tables)
)
SECRETS = {
    "the account number": ACCOUNT,
    "the storage key": "a storage key of some length",
    "the state's password": "pass-w5rd",
    "the client's secret": "client-s3cret",
    "another variable": "variable-5b77e1",
}
FIRST = [
    row(1, client_reference_id="a"),
    row(2, amount="-1"),
    row(3),
    row(4, payee_account_number=ACCOUNT + "x"),
]


def shown(value: Any, depth: int = 0) -> Iterator[str]:
    """As Sentry's serialiser and rich show it: both go into containers."""
    if depth < 5 and isinstance(value, Mapping):
        for name, each in value.items():
            yield str(name)
            yield from shown(each, depth + 1)
    elif depth < 5 and isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from shown(each, depth + 1)
    else:
        with suppress(AttributeError):  # of an object that is half made
            yield repr(value)
            if depth == 0:
                yield pretty_repr(value, max_depth=5, max_string=80)


class Look:
    """Looks at the locals of our frames while they run."""

    def __init__(self) -> None:
        self.found: set[tuple[str, str, str]] = set()
        self.frames: set[str] = set()
        self._entered: set[int] = set()

    def __enter__(self) -> Self:
        threading.settrace(self._trace)
        sys.settrace(self._trace)
        return self

    def __exit__(self, *exc: object) -> None:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type] - typeshed knows no None here

    def _trace(self, frame: FrameType, event: str, _argument: object) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(OURS) or code.co_name == "_with_hidden_password":
            return None
        if event == "call":
            self._entered.add(id(frame))
        elif event == "line" and id(frame) in self._entered:
            self._entered.discard(id(frame))
        elif event != "return":
            self.frames.add(code.co_qualname)
            for name, value in frame.f_locals.copy().items():
                text = "\n".join(shown(value))
                self.found |= {
                    (secret, code.co_qualname, name)
                    for secret, secrets in SECRETS.items()
                    if secrets in text
                }
        return self._trace


@pytest.fixture
def telling(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process environment that has something to hide."""
    monkeypatch.setenv("SOME_VARIABLE", SECRETS["another variable"])
    monkeypatch.setenv("VICTOR_CLIENT_ID", "client-id")
    monkeypatch.setenv("VICTOR_CLIENT_SECRET", SECRETS["the client's secret"])
    monkeypatch.delenv("VICTOR_BULK_KEY", raising=False)


def test_no_line_has_a_local_that_shows_an_account_number_or_the_key(
    sender: Senders, client: Victor, victor_sandbox: Sandbox, telling: None
) -> None:
    def send(records: list[dict[str, str]], **options: Any) -> Any:
        return sender(storage_key=SECRETS["the storage key"], workers=1, **options).send(records)

    victor_sandbox.inject("lose_answer", operation="create", times=2)
    with Look() as look:
        send(FIRST, skip_invalid=True)
        victor_sandbox.set_clock_skew(200)
        # with a Date
        assert client.payment_requests.find("none", start_datetime=datetime.now(UTC)) == []
        sender(storage_key=SECRETS["the storage key"], key_retention=100).resume()
        send(
            [row(1, client_reference_id="b"), row(2), row(3, notes="x"), row(5)], skip_invalid=True
        )
        list(sender(storage_key=SECRETS["the storage key"]).export())
    assert {
        "Validation._take",
        "Delivery._call",
        "PaymentRequests.look_up",
        "settle",
        "LookUp.settled",
        "asked_of",
        "Loading._noticed",
        "message_of",
        "_differing",
        "Row.of_stored",
        "row_of",
        "begin",
        "Vault.serialize",
    } <= look.frames
    assert look.found == set()


@pytest.mark.parametrize("kind", ["csv", "stray quotes.csv", "jsonl"])
def test_no_line_that_reads_a_file_has_such_a_local(
    sender: Senders, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / f"march.{kind}"
    if kind == "jsonl":
        file.write_text("\n".join(json.dumps(record) for record in FIRST), "utf-8")
    elif kind == "stray quotes.csv":
        write_csv(file, [row(1, region='"north'), row(2, region='south"')])
        file.write_text(file.read_text("utf-8").replace('"""', '"').replace('""', ""), "utf-8")
    else:
        write_csv(file, FIRST)
    with Look() as look:
        sender(storage_key=SECRETS["the storage key"]).check(file)
    assert {"_of_json" if kind == "jsonl" else "csv_records", "Validation._take"} <= look.frames
    assert look.found == set()


def test_no_line_has_a_local_that_shows_a_password_or_the_environment(
    telling: None, client: Any
) -> None:
    def unreachable(state: str, **options: Any) -> None:
        with pytest.raises(VictorError):
            BulkSender(client, state=state, batch="march", **options).send([row(1)])

    with Look() as look:
        for place in ("", "pass-w5rd@"):
            for end in (
                "/db",
                "/db?password=pass-w5rd",
                "/db?password=pass-w5rd&password=pass-w5rd",
            ):
                unreachable(f"postgresql://user:{place or '@'}127.0.0.1:1{end}")
        for wrong in (
            "postgresql://user:pass-w5rd@host:port/db",
            "sqlite:///state.sqlite?password=pass-w5rd",
        ):
            unreachable(wrong)
        unreachable("sqlite:///state.sqlite", storage_key=SECRETS["the client's secret"][:8])
    assert {
        "State.__init__",
        "checked_url",
        "storage_secret",
        "_from_credentials",
        "State.engine",
    } <= look.frames
    assert look.found == set()


class Odd(dict[str, str]):
    """A row that fails when its values are asked for."""

    def items(self) -> Any:
        raise LookupError


def test_what_callers_raise_carries_no_row_with_it(sender: Senders) -> None:
    def generator() -> Iterator[dict[str, str]]:
        yield row(1)
        raise LookupError

    def on_progress(_status: object) -> None:
        raise LookupError

    acts: dict[str, Callable[[], Any]] = {
        "a generator": lambda: sender().send(generator()),
        "a mapping": lambda: sender().check([row(1), Odd(row(2))]),
        "on_progress": lambda: sender().send([row(1)], on_progress=on_progress),
        "wrong rows": lambda: sender().send([row(1), row(2, amount="-1")]),
    }
    for name, act in acts.items():
        with pytest.raises((LookupError, VictorError)) as raised:
            act()
        everywhere = (
            locals_of(error, OURS, lambda value: "\n".join(shown(value)))
            for error in chain(raised.value)
        )
        seen = dict(itertools.chain(*everywhere))
        assert len(seen) > 5, name
        assert [
            place for place, text in seen.items() if ACCOUNT in text or "a secret for tests" in text
        ] == [], name


def test_the_look_finds_what_a_frame_shows(
    sender: Senders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look that finds nothing proves nothing."""
    monkeypatch.setattr("victor_ext.bulk.sender.concealed", lambda value: value)
    monkeypatch.setattr("victor_ext.tables.sources.hidden_fields", dict)
    with Look() as look:
        sender(storage_key=SECRETS["the storage key"]).check([row(1)])
    assert {secret for secret, _, _ in look.found} == {"the account number", "the storage key"}
    assert ("the account number", "Validation._take", "fields") in look.found
