"""One sender at a time for one SQLite file: by a lock beside it, which the kernel frees when its holder is gone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bulk.bulk_runs import Bulk, asked_once, keys_of, rows, wait_until, write_csv
from victor_ext import ConfigurationError
from victor_ext.bulk import worker_lock
from victor_ext.bulk.state import State
from victor_ext.bulk.worker_lock import FileLock
from victor_ext.sandbox import Sandbox

KEY = ("--key-column", "invoice_no")


def lock_of(path: Path) -> FileLock:
    return FileLock(State(f"sqlite:///{path}"))


def test_two_senders_on_one_file_wait_for_each_other(bulk: Bulk, victor_sandbox: Sandbox, tmp_path: Path) -> None:
    """Two folders for temporary files, and a link to the state, are no way around the lock."""
    write_csv(bulk.folder / "one.csv", rows(12))
    write_csv(bulk.folder / "two.csv", rows(3, start=101))
    folders = [tmp_path / name for name in ("one", "two", "links")]
    for folder in folders:
        folder.mkdir()
    link = folders[2] / "link"
    link.symlink_to(bulk.folder / "victor-bulk.sqlite")
    with bulk.started("send", "one.csv", *KEY, "--rate", "6", TMPDIR=str(folders[0])) as first:
        wait_until(lambda: sum(victor_sandbox.work_done_by_key().values()) >= 2, first)
        second = bulk("send", "two.csv", *KEY, "--state", f"sqlite:///{link}", TMPDIR=str(folders[1]))
        assert second.status == 0
        assert "Another process works on" in second.err
        assert first.wait(60) == 0
    asked_once(victor_sandbox, keys_of("one.csv", rows(12)) | keys_of("two.csv", rows(3, start=101)))
    # Nothing is left behind, there or here.
    assert sorted(os.listdir(bulk.folder)) == ["one.csv", "two.csv", "victor-bulk.sqlite"]
    assert [os.listdir(folder) for folder in folders[:2]] == [[], []]


def test_the_lock_is_its_owners_and_goes_with_its_holder(tmp_path: Path) -> None:
    first, second = lock_of(tmp_path / "state.sqlite"), lock_of(tmp_path / "state.sqlite")
    assert first.acquire()
    (lock,) = tmp_path.iterdir()
    assert (lock.name, lock.stat().st_mode & 0o777) == ("state.sqlite-lock", 0o600)
    assert not second.acquire()
    assert not lock_of(tmp_path / ".." / tmp_path.name / "state.sqlite").acquire()
    first.close()
    assert list(tmp_path.iterdir()) == []
    assert second.acquire()
    assert not first.acquire()
    second.close()


def test_what_a_killed_holder_left_is_free(tmp_path: Path) -> None:
    code = f"""
import os, signal
from victor_ext.bulk.worker_lock import FileLock
from victor_ext.bulk.state import State
assert FileLock(State("sqlite:///{tmp_path}/state.sqlite")).acquire()
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert (tmp_path / "state.sqlite-lock").exists()
    here = lock_of(tmp_path / "state.sqlite")
    assert here.acquire()
    here.close()
    assert not (tmp_path / "state.sqlite-lock").exists()


@pytest.mark.parametrize("kind", ["a link", "a link to nothing", "a pipe", "a folder"])
def test_what_lies_in_the_place_of_the_lock_is_refused_and_left_alone(
    sender: Callable[..., Any], victor_sandbox: Sandbox, tmp_path: Path, kind: str
) -> None:
    lock, victim = tmp_path / "state.sqlite-lock", tmp_path / "victim"
    victim.write_text("of somebody else", "utf-8")
    if kind == "a pipe":
        os.mkfifo(lock)
    elif kind == "a folder":
        lock.mkdir()
    else:
        lock.symlink_to(victim if kind == "a link" else tmp_path / "nothing")
    with pytest.raises(ConfigurationError, match=r"state\.sqlite-lock"):
        sender().send(rows(1))
    assert victim.read_text("utf-8") == "of somebody else"
    assert not (tmp_path / "nothing").exists()
    assert victor_sandbox.attempts_by_key() == {}
    lock.rmdir() if kind == "a folder" else lock.unlink()
    assert sender().resume().exit_status == 0


def test_a_lock_that_went_away_while_it_was_taken_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = (lock_of(tmp_path / "state.sqlite") for _ in range(3))
    assert first.acquire()
    take = worker_lock._take

    def late(lock: int) -> bool:
        # The second one has opened the file: now the first one ends, and takes it away.
        monkeypatch.undo()
        first.close()
        return take(lock)

    monkeypatch.setattr(worker_lock, "_take", late)
    assert second.acquire()
    assert not third.acquire()
    second.close()
    assert third.acquire()
    third.close()


def test_there_is_never_more_than_one(tmp_path: Path) -> None:
    code = f"""
import os
from victor_ext.bulk.worker_lock import FileLock
from victor_ext.bulk.state import State
here = FileLock(State("sqlite:///{tmp_path}/state.sqlite"))
taken = 0
while taken < 20:
    if here.acquire():
        # Of two that are in here, one would find the file of the other.
        os.close(os.open("{tmp_path}/inside", os.O_CREAT | os.O_EXCL))
        os.unlink("{tmp_path}/inside")
        here.close()
        taken += 1
"""
    started = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [process.wait(60) for process in started] == [0] * 2
    assert list(tmp_path.iterdir()) == []
