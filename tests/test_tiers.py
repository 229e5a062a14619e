"""Which tests a tier runs: the first one runs a case of each test, and leaves out no rule."""

from pathlib import Path

import pytest

pytest_plugins = ("pytester",)

NAMES = [f"test_{number}" for number in range(30)]


@pytest.fixture
def folder(pytester: pytest.Pytester) -> Path:
    made = pytester.mkdir("tests")
    (made / "conftest.py").write_text(
        (Path(__file__).parent / "conftest.py").read_text("utf-8"), "utf-8"
    )
    return made


def test_of_each_test_that_takes_long_the_first_tier_runs_a_case(
    pytester: pytest.Pytester, folder: Path
) -> None:
    case = (
        'import pytest\n@pytest.mark.thorough\n@pytest.mark.parametrize("case", range(3))\ndef '
        "{}(case): pass\n"
    )
    (folder / "test_cases.py").write_text("".join(map(case.format, NAMES)), "utf-8")
    lines = pytester.runpytest_inprocess("tests", "--first-tier", "--collect-only", "-q").outlines
    cases = [line.partition("::")[2].partition("[")[0] for line in lines if "::" in line]
    assert sorted(set(cases)) == sorted(NAMES)
    assert len(cases) < 3 * len(NAMES)


@pytest.mark.parametrize("mark", ["slow", "thorough"])
def test_the_quick_tier_does_not_even_import_a_file_with_such_a_mark(
    pytester: pytest.Pytester, folder: Path, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a worker that may start no process stays so
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    (folder / "test_marked.py").write_text(
        f"import pytest\npytestmark = [pytest.mark.{mark}]\n1 / 0\n", "utf-8"
    )
    (folder / "test_other.py").write_text("def test_it(): pass\n", "utf-8")
    pytester.runpytest_inprocess("tests", "--quick").assert_outcomes(passed=1)
