"""Which tests a tier runs: none is left out everywhere, and no row of a table by `make test`."""

from itertools import product
from pathlib import Path

import pytest

from tests.tiers import TIERS

pytest_plugins = ("pytester",)

HERE = Path(__file__).parent
MODES = range(2)
SYSTEMS = range(4)
FAULTS = range(5)
PRODUCT = """\
import pytest

@pytest.mark.parametrize("fault", range(5))
@pytest.mark.parametrize("system", range(4))
@pytest.mark.parametrize("mode", range(2)){mark}
def test_product(mode, system, fault): pass
"""
SLOW = "\n@pytest.mark.slow"


class Suite:
    """A folder of tests with the tiers of this one."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self._pytester = pytester
        self._folder = pytester.mkdir("tests")
        self.write("conftest.py", (HERE / "conftest.py").read_text("utf-8"))

    def write(self, name: str, text: str) -> None:
        (self._folder / name).write_text(text, "utf-8")

    def chosen(self, *options: str) -> set[str]:
        """The tests that these options choose."""
        result = self._pytester.runpytest_inprocess("tests", *options, "--collect-only", "-q")
        return {line.partition("::")[2] for line in result.outlines if "::" in line}

    def cases(self, *options: str) -> set[tuple[int, ...]]:
        """The rows of the product that these options choose."""
        names = self.chosen(*options)
        return {tuple(map(int, name[len("test_product[") : -1].split("-"))) for name in names}


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    # a worker that may start no process stays so
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    return Suite(pytester)


def test_of_a_product_each_pair_of_rows_is_in_make_test(suite: Suite) -> None:
    suite.write("test_it.py", PRODUCT.format(mark=""))
    runs = suite.cases("--tier=test")
    assert {(mode, system) for mode, system, _ in runs} == {*product(MODES, SYSTEMS)}
    assert {(mode, fault) for mode, _, fault in runs} == {*product(MODES, FAULTS)}
    assert {(system, fault) for _, system, fault in runs} == {*product(SYSTEMS, FAULTS)}
    assert len(runs) < len(MODES) * len(SYSTEMS) * len(FAULTS)
    assert suite.cases("--tier=quick") == runs


def test_of_a_slow_product_each_row_is_in_make_test(suite: Suite) -> None:
    suite.write("test_it.py", PRODUCT.format(mark=SLOW))
    runs = suite.cases("--tier=test")
    assert [{*rows} for rows in zip(*runs, strict=True)] == [{*MODES}, {*SYSTEMS}, {*FAULTS}]
    assert len(runs) < len(SYSTEMS) * len(FAULTS) / 2
    assert suite.cases("--tier=quick") == set()


def test_a_pull_request_runs_what_make_test_leaves_once_in_one_shard(suite: Suite) -> None:
    suite.write("test_it.py", PRODUCT.format(mark=SLOW))
    others = "".join(
        f"@pytest.mark.pull_request\ndef test_{number}(): pass\n" for number in range(20)
    )
    suite.write("test_other.py", f"import pytest\n{others}")
    before = suite.chosen("--tier=test")
    rest = suite.chosen("--tier=pull-request")
    shards = [suite.chosen("--tier=pull-request", f"--shard={part}/3") for part in (1, 2, 3)]
    assert before & rest == set()
    assert before | rest == suite.chosen()
    assert set().union(*shards) == rest
    assert sum(map(len, shards)) == len(rest)
    assert len(shards[0]) > 1


def test_the_same_cases_run_each_time(suite: Suite) -> None:
    suite.write("test_it.py", PRODUCT.format(mark=SLOW))
    assert suite.cases("--tier=test") == suite.cases("--tier=test")


def test_what_is_marked_nightly_runs_where_everything_does(suite: Suite) -> None:
    suite.write("test_it.py", "import pytest\n@pytest.mark.nightly\ndef test_it(): pass\n")
    runs = {tier for tier in TIERS if suite.chosen(f"--tier={tier}")}
    assert runs == {"all"}


@pytest.mark.parametrize(
    ("tier", "mark"),
    [("quick", "slow"), ("quick", "pull_request"), ("test", "pull_request"), ("test", "nightly")],
)
def test_a_file_with_a_mark_that_leaves_it_out_is_not_even_imported(
    suite: Suite, tier: str, mark: str
) -> None:
    suite.write(
        "test_marked.py",
        f"import pytest\npytestmark = [pytest.mark.{mark}, pytest.mark.hours]\n1 / 0\n",
    )
    suite.write("test_other.py", "def test_it(): pass\n")
    assert suite.chosen(f"--tier={tier}") == {"test_it"}
