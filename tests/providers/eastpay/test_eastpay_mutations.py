"""The tests here must be able to fail: each of these mistakes, made in a copy of the client, turns them red."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import victor_ext

HERE = Path(__file__).parent
CODES, JOURNEYS, FAILURES = "test_eastpay_result_codes.py", "test_eastpay_journeys.py", "test_eastpay_failures.py"
SELECTED = (
    f"{CODES}::test_a_time_out_of_the_back_end_is_no_rejection",
    f"{CODES}::test_only_two_codes_of_the_success_family_are_a_success",
    f"{CODES}::test_the_four_codes_where_the_look_alike_table_differs",
    f"{JOURNEYS}::test_a_time_out_of_the_bank_is_pending_until_it_is_inquired[blocking]",
    f"{JOURNEYS}::test_a_declined_payment_is_a_result[blocking]",
    f"{FAILURES}::test_after_a_lost_answer_nothing_is_charged_again[blocking]",
    f"{FAILURES}::TestRedirects::test_a_307_is_sent_again_with_method_and_body[blocking]",
)


@dataclass(frozen=True)
class Mistake:
    """`right` in `file` becomes `wrong`; these tests then fail."""

    file: str
    right: str
    wrong: str
    fails: tuple[str, ...]


RULES = "providers/eastpay/result_codes.py"
SUCCESS = r'    (re.compile(r"000\.000\.0{2,3}"), ResultClass.SUCCEEDED),'
REJECTION = '\n    (re.compile(r"100\\.2[01].*"), ResultClass.REJECTED),'
MISTAKES = {
    "100.200.100 is a rejection": Mistake(
        RULES, SUCCESS, SUCCESS + REJECTION, (SELECTED[0], *SELECTED[2:4])
    ),
    "every code that begins with 000 is a success": Mistake(
        RULES, r'r"000\.000\.0{2,3}"', r'r"000\..*"', SELECTED[1:2]
    ),
    "a declined payment is an error": Mistake(
        "providers/eastpay/profile.py", "        is_result=is_payment_result,\n", "", SELECTED[4:5]
    ),
    "a payment is sent again after a lost answer": Mistake(
        "runtime/loop/classification.py",
        "        return has_key or method in SAFE_METHODS",
        "        return True",
        SELECTED[5:6],
    ),
    "a 307 is not followed": Mistake(
        "providers/eastpay/profile.py", "        resent_redirects=frozenset({307}),\n", "", SELECTED[6:7]
    ),
}  # fmt: skip


def run_on(folder: Path, tests: tuple[str, ...]) -> tuple[set[str], str]:
    """Run these tests against the copy in a folder: those that failed, and what was said."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-rfE",
            "-p",
            "no:cacheprovider",
            *(str(HERE / each) for each in SELECTED),
        ],
        check=False,
        cwd=folder,  # it comes first in the path of `python -m`
        env={**os.environ, "PYTHONPATH": str(folder), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert done.returncode in (0, 1), done.stdout  # 0: all passed, 1: some failed; anything else is no test result
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    return {each for each in tests if any(each in line for line in failed)}, done.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The client in a folder of its own."""
    assert victor_ext.__file__ is not None
    shutil.copytree(Path(victor_ext.__file__).parent, tmp_path / "victor_ext")
    return tmp_path


def test_without_a_mistake_they_are_green(copy: Path) -> None:
    failed, said = run_on(copy, SELECTED)
    assert not failed, said
    assert f"{len(SELECTED)} passed" in said


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_turns_them_red(copy: Path, name: str) -> None:
    mistake = MISTAKES[name]
    file = copy / "victor_ext" / mistake.file
    source = file.read_text(encoding="utf-8")
    assert source.count(mistake.right) == 1, "the client was rewritten here: make the mistake anew"
    file.write_text(source.replace(mistake.right, mistake.wrong), encoding="utf-8")

    failed, said = run_on(copy, mistake.fails)

    assert failed == set(mistake.fails), said
