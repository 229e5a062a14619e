"""`make mutants` tells a change that breaks something from one that changes nothing, and leaves the
checkout alone.
"""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip(
    "cosmic_ray", reason="`make mutants` installs what this needs, and runs it first"
)
from tests.mutants import mutants
from tests.mutants.changes import Change, sample

pytestmark = pytest.mark.slow
SUMS = """\
from __future__ import annotations

MOST = 9
LEAST: int | None = 2


def running(parts: list[int], *, so_far: int = 0) -> list[int] | None:
    found = [so_far * 1]
    for part in parts:
        found.append(found[-1] + part)
    return found[1:]


def untested(value):
    return value + 1
"""

TESTS = """\
from sums import LEAST, MOST, running


def test_running():
    assert running([LEAST, 2]) == [2, 4]


def test_looks_only():
    assert MOST == 9


def test_that_fails_by_itself():
    assert False
"""

SURVIVE = {"found = [so_far * 1]", "return value + 1"}


def test_what_breaks_is_killed_and_what_changes_nothing_survives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "tests").mkdir()
    (tmp_path / "sums.py").write_text(SUMS)
    (tmp_path / "tests" / "test_sums.py").write_text(TESTS)
    monkeypatch.chdir(tmp_path)
    what = SimpleNamespace(MODULES=["sums.py"], TESTS=["tests"], IMPORTED_FROM=[""], PLUGINS=[])
    changes = sample(["sums.py"], seed=1, wanted=16)

    found = list(mutants.survivors(tmp_path, what, changes))

    assert sample(["sums.py"], seed=1, wanted=16) == changes
    assert {SUMS.splitlines()[change.line - 1].strip() for change in changes} > SURVIVE
    assert len(found) == 16
    assert {each[1] for each in found if each} == SURVIVE
    assert "test_that_fails_by_itself" in capsys.readouterr().err
    assert {path.name: path.read_text() for path in tmp_path.rglob("*.py")} == {
        "sums.py": SUMS,
        "test_sums.py": TESTS,
    }


@pytest.mark.parametrize(("count", "status"), [(2, 0), (3, 1)])
def test_one_in_ten_may_survive_and_each_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], count: int, status: int
):
    function, was, becomes = mutants.read_accepted(mutants.HERE / "accepted.toml").pop()
    accepted, other = (Change("sums.py", "", 0, 1, name) for name in (function, "sums.untested"))
    found = [(accepted, was, becomes)] * 2 + [(other, was, becomes)] * count + [None] * (18 - count)
    monkeypatch.setattr(mutants, "sample", lambda *_: [other] * 20)
    monkeypatch.setattr(mutants, "survivors", lambda *_: found)
    monkeypatch.setattr(sys, "argv", ["mutants"])
    assert (
        mutants.main(),
        capsys.readouterr().out.count("survived in sums.untested (line 1)"),
    ) == (status, count)
