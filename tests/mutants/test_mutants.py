"""`make mutants` tells a change that breaks something from one that changes nothing, and leaves the checkout alone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.mutants.changes import Change, Module
from tests.mutants.checkouts import TOOLS
from tests.mutants.mutants import Scope, fates

pytestmark = pytest.mark.slow
SUMS = """\
from __future__ import annotations
from dataclasses import dataclass

LEAST = 2
MOST = 9


@dataclass(slots=True)
class Sum:
    parts: list[int] | None = None

    @property
    def total(self) -> int:
        return sum(self.parts or [])


def running(parts: list[int]):
    so_far = 0
    for part in parts:
        so_far += part
        yield so_far


def untested(value: int) -> int:
    return value + 1
"""

TESTS = """\
from sums import LEAST, MOST, Sum, running


def test_total():
    assert Sum([1, LEAST]).total == 3


def test_running():
    assert list(running([1, 2])) == [1, 3]


def test_looks_only():
    assert MOST == 9


def test_that_fails_by_itself():
    assert False
"""

BROKEN = SUMS.replace("so_far += part", "so_far -= part")
LIKE_BEFORE = SUMS.replace("so_far = 0", "so_far = 0 + 0")
UNTESTED = SUMS.replace("value + 1", "value - 1")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "tests").mkdir(parents=True)
    (root / "sums.py").write_text(SUMS)
    (root / "tests" / "test_sums.py").write_text(TESTS)
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    return root


def change(project: Path, source: str) -> Change:
    changed = Module(project, "sums.py").change_to(source)
    assert changed is not None
    return changed


needs_tools = pytest.mark.skipif(
    not TOOLS.is_dir(), reason="`make mutants` installs what this needs, and runs it first"
)


@needs_tools
def test_what_breaks_is_killed_and_what_changes_nothing_survives(project: Path, capsys: pytest.CaptureFixture[str]):
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    made = {name: change(project, source) for name, source in _MADE.items()}
    accepted = {made["accepted"].name}

    results = {
        each.change.source: each for each in fates(Scope(project, ["sums.py"], ["tests"]), made.values(), accepted)
    }

    assert {name: (results[each.source].fate, results[each.source].why) for name, each in made.items()} == {
        "broken": ("killed", "a test failed"),
        "a constant that is looked at": ("killed", "a test failed"),
        "a constant": ("killed", "a test failed"),
        "like before": ("survived", "1 tests passed"),
        "untested": ("survived", "no test runs through it"),
        "accepted": ("accepted", "1 tests passed"),
    }
    assert "test_that_fails_by_itself" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


_MADE = {
    "broken": BROKEN,
    "a constant that is looked at": SUMS.replace("MOST = 9", "MOST = 8"),
    "a constant": SUMS.replace("LEAST = 2", "LEAST = 3"),
    "like before": LIKE_BEFORE,
    "untested": UNTESTED,
    "accepted": SUMS.replace("so_far = 0", "so_far = 0 * 1"),
}
