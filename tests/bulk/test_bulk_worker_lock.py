"""One sender at a time for one SQLite file: by a lock beside it, which the kernel frees when its holder is gone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bulk.bulk_runs import KEY, Bulk, asked_once, keys_of, rows, wait_until, write_csv
from victor_ext import ConfigurationError
from victor_ext.bulk.state import State
from victor_ext.bulk.worker_lock import FileLock
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow


def lock_of(path: Path) -> FileLock:
    return FileLock(State(f"sqlite:///{path}"))


def test_two_senders_on_one_file_wait_for_each_other(bulk: Bulk, victor_sandbox: Sandbox, tmp_path: Path) -> None:
    """A link to the state is no way around the lock."""
    write_csv(bulk.folder / "one.csv", rows(12))
    write_csv(bulk.folder / "two.csv", rows(3, start=101))
    link = tmp_path / "link"
    link.symlink_to(bulk.folder / "victor-bulk.sqlite")
    with bulk.started("send", "one.csv", *KEY, "--rate", "6") as first:
        wait_until(lambda: sum(victor_sandbox.work_done_by_key().values()) >= 2, first)
        second = bulk("send", "two.csv", *KEY, "--state", f"sqlite:///{link}")
        assert second.status == 0
        assert "Another process works on" in second.err
        assert first.wait(60) == 0
    asked_once(victor_sandbox, keys_of("one.csv", rows(12)) | keys_of("two.csv", rows(3, start=101)))
    assert sorted(os.listdir(bulk.folder)) == ["one.csv", "two.csv", "victor-bulk.sqlite", "victor-bulk.sqlite-lock"]


def test_the_lock_is_its_owners_and_goes_with_its_holder(tmp_path: Path) -> None:
    here, again = lock_of(tmp_path / "state.sqlite"), lock_of(tmp_path / ".." / tmp_path.name / "state.sqlite")
    assert here.acquire()
    (lock,) = tmp_path.iterdir()
    assert (lock.name, lock.stat().st_mode & 0o777) == ("state.sqlite-lock", 0o600)
    assert not again.acquire()
    here.close()
    code = f"""
import os, signal
from victor_ext.bulk.worker_lock import FileLock
from victor_ext.bulk.state import State
assert FileLock(State("sqlite:///{tmp_path}/state.sqlite")).acquire()
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert again.acquire()
    again.close()


@pytest.mark.parametrize("kind", ["a link", "a link to nothing", "a folder"])
def test_what_lies_in_the_place_of_the_lock_is_refused_and_left_alone(
    sender: Callable[..., Any], victor_sandbox: Sandbox, tmp_path: Path, kind: str
) -> None:
    lock, victim = tmp_path / "state.sqlite-lock", tmp_path / "victim"
    victim.write_text("of somebody else", "utf-8")
    if kind == "a folder":
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
