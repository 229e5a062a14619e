"""The tests here must be able to fail: each of these mistakes, made in a copy of the client, turns them red."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import flexfactor_api
import pytest

import victor_ext

HERE = Path(__file__).parent
FAILURES, PARSERS = "test_flexfactor_failures.py", "test_flexfactor_parsers.py"
REFUSED = f"{FAILURES}::test_a_200_that_says_no_is_a_refusal[a flag and a word]"
APPROVED = f"{PARSERS}::test_success_is_no_approval"
UNITS = f"{PARSERS}::test_cents_and_dollars_of_one_money"
UNDECIDED = f"{FAILURES}::test_a_409_that_does_not_say_which_is_asked_again"
TOKEN = "test_flexfactor_tokens.py::test_a_token_that_has_not_ended_is_kept_and_one_that_has_is_not"
KEYLESS = f"{FAILURES}::test_a_key_in_a_refund_makes_no_repeat_safe"
SELECTED = (REFUSED, APPROVED, UNITS, UNDECIDED, TOKEN, KEYLESS)
PROVIDER = "providers/flexfactor"


@dataclass(frozen=True)
class Mistake:
    """`right` in `file` becomes `wrong`; this test then fails."""

    file: str
    right: str
    wrong: str
    fails: str


MISTAKES = {
    "a 200 with success: false is a success, as the profile tells it": Mistake(
        f"{PROVIDER}/profile.py", "        refused=_refused,\n", "", REFUSED
    ),
    "a 200 with success: false is a success, as it is read": Mistake(
        f"{PROVIDER}/answers.py",
        "    return Says.NO if no or not status else Says.BOTH\n",
        "    return Says.YES\n",
        REFUSED,
    ),
    "success is approval": Mistake(
        f"{PROVIDER}/records.py",
        "        return self.status == APPROVED and self.success is not False\n",
        "        return self.success is True\n",
        APPROVED,
    ),
    "a refund is in cents": Mistake(
        f"{PROVIDER}/amounts.py",
        "    return float(amount.amount)\n",
        "    return float(amount.minor_units)\n",
        UNITS,
    ),
    "every 409 is final": Mistake(
        f"{PROVIDER}/profile.py", "        in_progress=may_be_in_progress,\n", "", UNDECIDED
    ),
    "a token is kept when it has ended, and not before": Mistake(
        "runtime/auth/oauth.py",
        "left <= kept.window(MANDATORY_SECONDS)",
        "left >= kept.window(MANDATORY_SECONDS)",
        TOKEN,
    ),
    "a key that a refund does not take makes its repeat safe": Mistake(
        f"{PROVIDER}/profile.py", ', ignores_key=_takes_no_key', "", KEYLESS
    ),
}  # fmt: skip


def copied_client(folder: Path) -> Path:
    """The client, and the generated layer under it, in a folder of their own."""
    for package in (victor_ext, flexfactor_api):
        assert package.__file__ is not None
        source = Path(package.__file__).parent
        shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def run_on(folder: Path, *tests: str) -> tuple[bool, str]:
    """Run tests against the copy in a folder: whether they passed, and what they said."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(str(HERE / each) for each in tests)],
        check=False,
        cwd=folder,  # it comes first in the path of `python -m`
        env={**os.environ, "PYTHONPATH": str(folder), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert done.returncode in (0, 1), done.stdout  # 0: all passed, 1: some failed; anything else is no test result
    return done.returncode == 0, done.stdout


def test_without_a_mistake_they_are_green(tmp_path: Path) -> None:
    passed, said = run_on(copied_client(tmp_path), *SELECTED)
    assert passed, said


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_turns_them_red(tmp_path: Path, name: str) -> None:
    mistake = MISTAKES[name]
    file = copied_client(tmp_path) / "victor_ext" / mistake.file
    source = file.read_text()
    assert source.count(mistake.right) == 1, "the client was rewritten here: make the mistake anew"
    file.write_text(source.replace(mistake.right, mistake.wrong))
    passed, said = run_on(tmp_path, mistake.fails)
    assert not passed, said
