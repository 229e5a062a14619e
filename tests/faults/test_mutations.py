"""The tests above must be able to fail: each of four mistakes, made in a copy of the client, turns them red.

A mistake is one change of the source. It has to match in one place only, so that a client that has been rewritten
turns the check red too, until the mistake is made anew.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import victor_api

import victor_ext

HERE = Path(__file__).parent

MATRIX, STATUSES = "test_fault_matrix.py::test_cut_at_every_byte", "test_statuses.py::test_a_write"
SELECTED = (
    f"{MATRIX}[sync-create-reset-answer]",
    f"{MATRIX}[sync-respond-reset-answer]",
    f"{STATUSES}[sync-create]",
    f"{STATUSES}[sync-respond]",
)


@dataclass(frozen=True)
class Mistake:
    """`right` in `file` becomes `wrong`; the tests then fail, and say `complaint`."""

    file: str
    right: str
    wrong: str
    complaint: str


MISTAKES = {
    "the key is made anew for each attempt": Mistake(
        "runtime/loop/attempts.py",
        "            result = yield from self._attempt(request, counted=signed)",
        "            if signed and self._key:\n"
        "                import uuid\n"
        '                request.headers["Idempotency-Key"] = str(uuid.uuid4())\n'
        "            result = yield from self._attempt(request, counted=signed)",
        "the work was done 2 times",
    ),
    "an answer without a key is tried again": Mistake(
        "runtime/loop/classification.py",
        "        return has_key or method in SAFE_METHODS",
        "        return True",
        "an answer without a key was sent 2 times",
    ),
    "a 5xx is reported as rejected": Mistake(
        "runtime/loop/classification.py",
        "        return Failure(error_class, what, Repeat.REPEATABLE, Outcome.UNKNOWN, answer)\n    if status >= 500:",
        "        return Failure(error_class, what, Repeat.REPEATABLE, Outcome.REJECTED, answer)\n    if status >= 500:",
        "502 with the work: rejected was told, and the work was done; respond",
    ),
    "a 400 that follows a lost answer is reported as rejected": Mistake(
        "runtime/loop/attempts.py",
        "                self._outcome = self._outcome.combined_with(result.outcome)",
        "                self._outcome = result.outcome",
        "400 after a lost answer: rejected was told, and the work was done; create",
    ),
}


def copied_client(folder: Path) -> Path:
    """The client, and the generated layer under it, in a folder of their own."""
    for package in (victor_ext, victor_api):
        assert package.__file__ is not None
        source = Path(package.__file__).parent
        shutil.copytree(source, folder / source.name)
    return folder


def selection_run_on(client: Path) -> tuple[bool, str]:
    """Run the selected tests against a copy: whether they passed, and what they said."""
    selected = [str(HERE / each) for each in SELECTED]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-vv", "-p", "no:cacheprovider", *selected],
        check=False,
        cwd=client,  # it comes first in the path of `python -m`
        env={**os.environ, "PYTHONPATH": str(client), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert done.returncode in (0, 1), done.stdout  # 0: all passed, 1: some failed; anything else is no test result
    return done.returncode == 0, done.stdout


def test_without_a_mistake_they_are_green(tmp_path: Path) -> None:
    passed, said = selection_run_on(copied_client(tmp_path))
    assert passed, said
    assert f"{len(SELECTED)} passed" in said


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_turns_them_red(tmp_path: Path, name: str) -> None:
    mistake = MISTAKES[name]
    file = copied_client(tmp_path) / "victor_ext" / mistake.file
    source = file.read_text()
    assert source.count(mistake.right) == 1, "the client was rewritten here: make the mistake anew"
    file.write_text(source.replace(mistake.right, mistake.wrong))

    passed, said = selection_run_on(tmp_path)

    assert not passed
    assert mistake.complaint in said
