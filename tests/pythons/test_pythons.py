"""What `make test-pythons` says, and the part of it that needs no other environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.pythons import __main__ as pythons
from tests.pythons.__main__ import USES, Failed, Row, copy_without_packages, extras_of_the_project, table


def test_the_table_is_aligned() -> None:
    rows = [
        Row("3.11", "highest", "none", "one use", "passed", 3.2),
        Row("3.14", "lowest-direct", "sandbox", "one use", "FAILED", 112.9),
    ]
    assert table(rows).splitlines() == [
        "Python  resolution     extra    tests    result  seconds",
        "3.11    highest        none     one use  passed        3",
        "3.14    lowest-direct  sandbox  one use  FAILED      113",
    ]


def test_each_extra_has_a_use() -> None:
    *extras, last = extras_of_the_project()
    assert last == "all"
    assert {path.stem for path in USES.glob("*.py")} == {"core", *extras}


@pytest.mark.parametrize("named", [[], ["3.12"]])
def test_a_python_that_is_not_there_is_named(
    named: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nothing_can_be_had(*words: object, **_options: object) -> str:
        raise Failed("error: tried\nno network")

    monkeypatch.setattr(pythons, "run", nothing_can_be_had)
    monkeypatch.setattr(pythons, "build_wheel", lambda folder: folder / "any.whl")
    assert pythons.main(named) == 1
    said = capsys.readouterr().out
    for version in named or pythons.PYTHONS:
        assert f"Python {version} is not here, and could not be brought: no network\n" in said


def test_the_copy_has_the_tests_and_no_package(tmp_path: Path) -> None:
    copy_without_packages(tmp_path)
    assert (tmp_path / "tests" / "conftest.py").exists()
    assert not (tmp_path / "victor_ext").exists()
    assert not (tmp_path / "generated").exists()


@pytest.mark.parametrize("extra", ["cli", "sandbox"])
def test_an_extra_can_be_used(extra: str, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-W", "error", USES / f"{extra}.py"], cwd=tmp_path, check=True)
