"""docs/testing.md is true: what a failure shows is shown, and its tables name what there is."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from victor_ext import testing
from victor_ext.testing import Faults

pytest_plugins = ["pytester"]
PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def rows(heading: str) -> str:
    return PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]


def test_its_fixtures_are_those_there_are() -> None:
    named = set(re.findall(r"^\| `(\w+)", rows("The first test"), re.MULTILINE))
    others = {"Faults", "TimeTravel", "pytest_configure", "pytest_runtest_makereport"}
    assert named == set(testing.__all__) - others


def test_its_failures_are_those_there_are() -> None:
    named = set(re.findall(r"`faults\.(\w+)\(", rows("Failures").partition("| method")[2]))
    methods = {name for name, value in vars(Faults).items() if inspect.isfunction(value) and not name.startswith("_")}
    assert named == methods


def test_what_a_failed_test_shows(pytester: pytest.Pytester) -> None:
    example = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    pytester.makepyfile(billing=BLOCKS[0], test_it=BLOCKS[1] + "    assert 0\n")
    pytester.syspathinsert()
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    shown = re.search(r"-+ Victor sandbox -+\n.*?(?=\n=)", result.stdout.str(), re.DOTALL)
    assert shown is not None

    def steady(text: str) -> str:
        changing = r"[0-9.]+ ms|key=[0-9a-f]{8}|\b[A-Z0-9]{10}\b|\d{4}-\d\d-\d\d|-+"
        return re.sub(changing, "*", text.strip())

    assert steady(shown[0]) == steady(example[1])
