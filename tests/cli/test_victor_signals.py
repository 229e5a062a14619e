"""A command that is ended by a signal says so by its exit status, wherever the signal comes."""

from __future__ import annotations

import importlib
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import victor_ext
from tests.cli.victor_command import PATIENCE, Command, interruptible
from tests.programs import python

pytestmark = pytest.mark.slow
SIGNALS = pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)


@pytest.fixture(autouse=True)
def signals_arrive() -> Iterator[None]:
    with interruptible():
        yield


class Finalizer:
    """Python ignores what is raised here, as in the callbacks that each import runs."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __del__(self) -> None:
        signal.raise_signal(self._number)


def in_a_finalizer(number: int) -> None:
    Finalizer(number)
    threading.Event().wait(PATIENCE)


def in_a_database(number: int) -> None:
    """SQLite makes an error of its own of it."""
    with sqlite3.connect(":memory:") as database:
        database.create_function("signalled", 0, lambda: signal.raise_signal(number))
        try:
            database.execute("SELECT signalled()")
        finally:
            database.close()


def in_an_error_that_is_reported(number: int) -> None:
    try:
        signal.raise_signal(number)
    except KeyboardInterrupt as error:
        raise victor_ext.ConfigurationError("made of it") from error


@SIGNALS
@pytest.mark.parametrize("comes", [in_a_finalizer, in_a_database, in_an_error_that_is_reported])
def test_a_signal_that_another_layer_has_taken_ends_the_command(
    bare_command: Command, monkeypatch: pytest.MonkeyPatch, comes: Callable[[int], None], number: int, status: int
) -> None:
    def taken(*_facts: Any) -> str:
        comes(number)
        return "a-key-that-nobody-waits-for"

    monkeypatch.setattr(victor_ext, "idempotency_key_for", taken)
    ran = bare_command("key", "invoice", "1042")
    assert (ran.status, ran.out) == (status, "")


@SIGNALS
def test_an_import_ends_before_the_command_does(
    bare_command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int, status: int
) -> None:
    """Another thread that needs the same module would wait for its lock for ever."""
    (tmp_path / "signalled.py").write_text(f"import signal\nsignal.raise_signal({int(number)})\nloaded = True\n")
    monkeypatch.syspath_prepend(tmp_path)

    def imports(*_facts: Any) -> None:
        assert importlib.import_module("signalled").loaded
        threading.Event().wait(PATIENCE)

    monkeypatch.setattr(victor_ext, "idempotency_key_for", imports)
    try:
        assert bare_command("key", "invoice", "1042").status == status
        assert sys.modules["signalled"].loaded
    finally:
        sys.modules.pop("signalled", None)


def test_a_command_that_has_done_its_work_all_the_same_says_so(
    bare_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def goes_on(*_facts: Any) -> str:
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        return "a-key"

    monkeypatch.setattr(victor_ext, "idempotency_key_for", goes_on)
    ran = bare_command("key", "invoice", "1042")
    assert (ran.status, ran.out) == (0, "a-key\n")


WHILE_IT_IS_LOADED = """
import signal, sys, threading
import victor_ext
class Finder:
    def find_spec(self, name, *_):
        if name == "typer":
            signal.raise_signal({number})
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Finder())
from victor_ext.cli import main
victor_ext.idempotency_key_for = lambda *_: threading.Event().wait(30)
sys.exit(main(["key", "invoice"]))
"""


@SIGNALS
def test_a_signal_while_the_command_is_loaded_ends_it(number: int, status: int) -> None:
    ran = python("-c", WHILE_IT_IS_LOADED.format(number=int(number)))
    assert (ran.returncode, ran.stdout, ran.stderr) == (status, "", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_was_ignored_stays_ignored(
    bare_command: Command, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    signal.signal(number, signal.SIG_IGN)
    monkeypatch.setattr(victor_ext, "idempotency_key_for", lambda *_: signal.raise_signal(number) or "a-key")
    ran = bare_command("key", "invoice", "1042")
    assert (ran.status, ran.out) == (0, "a-key\n")
    assert signal.getsignal(number) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
