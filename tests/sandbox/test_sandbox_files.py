"""Files of a sandbox hold credentials and account numbers: from the first moment their owner alone may read them."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.sandbox.sandbox_callers import SandboxProcess
from victor_ext.sandbox import Sandbox, SandboxSettings

if os.name != "posix":
    pytest.skip("modes of files are those of POSIX", allow_module_level=True)


@pytest.fixture(params=[0o000, 0o022, 0o777], ids=["everybody", "usual", "nobody"])
def umask(request, monkeypatch):
    """What the system takes away from the modes of new files."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # for others it could not be read
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    return {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()}


def test_a_state_is_its_owner_s_alone_from_the_first_moment(start, tmp_path, umask, monkeypatch):
    connect, change, seen = sqlite3.connect, os.fchmod, []

    def changing(descriptor, mode):
        assert os.fstat(descriptor).st_mode & 0o077 == 0, "for a moment, others could open it"
        change(descriptor, mode)

    def connecting(path, *more, **named):
        seen.append(modes(tmp_path))
        return connect(path, *more, **named)

    monkeypatch.setattr(sqlite3, "connect", connecting)
    monkeypatch.setattr(os, "fchmod", changing)
    _, caller = start(state=tmp_path / "state.db")
    caller.created()
    assert seen == [{"state.db": "0o600"}]
    assert modes(tmp_path) == {"state.db": "0o600", "state.db-wal": "0o600"}


def test_a_state_of_an_earlier_version_is_closed_to_others(tmp_path, key_pair):
    state = tmp_path / "state.db"
    with SandboxProcess("--state", str(state), "--quiet") as process:
        process.commands.add_account("243884643621")
        process.end(signal.SIGKILL)
    assert (tmp_path / "state.db-wal").stat().st_size > 0
    for path in tmp_path.iterdir():
        path.chmod(0o644)
    with Sandbox(SandboxSettings(state=state)) as sandbox:
        assert set(modes(tmp_path).values()) == {"0o600"}
        assert sandbox.accounts()[0]["account_number"] == "243884643621"


def test_a_folder_is_no_state(tmp_path):
    with pytest.raises(OSError, match=r"the state file '.*' cannot be used: Is a directory"):
        Sandbox(SandboxSettings(state=tmp_path)).start()
    with pytest.raises(OSError, match=r"the state file '.*' cannot be used: No such file or directory"):
        Sandbox(SandboxSettings(state=tmp_path / "nowhere" / "state.db")).start()


def test_what_is_written_for_clients_is_theirs_alone(tmp_path, umask):
    files = {name: tmp_path / name for name in ("ready.json", "sandbox.env")}
    for path in files.values():
        path.write_text("from an earlier run")
        path.chmod(0o666)
    with SandboxProcess("--ready-file", str(files["ready.json"]), "--env-file", str(files["sandbox.env"])) as process:
        assert modes(tmp_path) == {"ready.json": "0o600", "sandbox.env": "0o600"}
        assert process.facts["url"] in files["ready.json"].read_text()
