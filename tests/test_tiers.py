"""Which tests a tier runs: none is left out everywhere, and no row of a table by `make test`."""

from itertools import product
from pathlib import Path

import pytest

from tests.tiers import TIERS

pytest_plugins = ("pytester",)

HERE = Path(__file__).parent
MODES, SYSTEMS, FAULTS = range(2), range(4), range(5)
PRODUCT = """\
import pytest

@pytest.mark.parametrize("fault", range(5))
@pytest.mark.parametrize("system", range(4))
@pytest.mark.parametrize("mode", range(2)){mark}
def test_product(mode, system, fault): pass
"""
SLOW = "\n@pytest.mark.slow"


@pytest.fixture
def folder(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    # a worker that may start no process stays so
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    folder = pytester.mkdir("tests")
    (folder / "conftest.py").write_text((HERE / "conftest.py").read_text("utf-8"), "utf-8")
    return folder


def chosen(pytester: pytest.Pytester, *options: str) -> set[str]:
    """The tests that these options choose."""
    result = pytester.runpytest_inprocess("tests", *options, "--collect-only", "-q")
    return {line.partition("::")[2] for line in result.outlines if "::" in line}


def cases(pytester: pytest.Pytester, *options: str) -> set[tuple[int, ...]]:
    """The rows of the product that these options choose."""
    names = chosen(pytester, *options)
    return {tuple(map(int, name[len("test_product[") : -1].split("-"))) for name in names}


def test_of_a_product_each_pair_of_rows_is_in_make_test(
    pytester: pytest.Pytester, folder: Path
) -> None:
    (folder / "test_it.py").write_text(PRODUCT.format(mark=""), "utf-8")
    runs = cases(pytester, "--tier=test")
    assert {(mode, system) for mode, system, _ in runs} == {*product(MODES, SYSTEMS)}
    assert {(mode, fault) for mode, _, fault in runs} == {*product(MODES, FAULTS)}
    assert {(system, fault) for _, system, fault in runs} == {*product(SYSTEMS, FAULTS)}
    assert len(runs) < len(MODES) * len(SYSTEMS) * len(FAULTS)
    assert cases(pytester, "--tier=quick") == runs


def test_of_a_slow_product_each_row_is_in_make_test(
    pytester: pytest.Pytester, folder: Path
) -> None:
    (folder / "test_it.py").write_text(PRODUCT.format(mark=SLOW), "utf-8")
    runs = cases(pytester, "--tier=test")
    assert [{*rows} for rows in zip(*runs, strict=True)] == [{*MODES}, {*SYSTEMS}, {*FAULTS}]
    assert len(runs) < len(SYSTEMS) * len(FAULTS) / 2
    assert cases(pytester, "--tier=quick") == set()


def test_a_pull_request_runs_what_make_test_leaves_once_in_one_shard(
    pytester: pytest.Pytester, folder: Path
) -> None:
    (folder / "test_it.py").write_text(PRODUCT.format(mark=SLOW), "utf-8")
    others = "".join(
        f"@pytest.mark.pull_request\ndef test_{number}(): pass\n" for number in range(20)
    )
    (folder / "test_other.py").write_text(f"import pytest\n{others}", "utf-8")
    before = chosen(pytester, "--tier=test")
    rest = chosen(pytester, "--tier=pull-request")
    shards = [chosen(pytester, "--tier=pull-request", f"--shard={part}/3") for part in (1, 2, 3)]
    assert before & rest == set()
    assert before | rest == chosen(pytester)
    assert set().union(*shards) == rest
    assert sum(map(len, shards)) == len(rest)
    assert len(shards[0]) > 1


def test_the_same_cases_run_each_time(pytester: pytest.Pytester, folder: Path) -> None:
    (folder / "test_it.py").write_text(PRODUCT.format(mark=SLOW), "utf-8")
    assert cases(pytester, "--tier=test") == cases(pytester, "--tier=test")


def test_what_is_marked_nightly_runs_where_everything_does(
    pytester: pytest.Pytester, folder: Path
) -> None:
    (folder / "test_it.py").write_text(
        "import pytest\n@pytest.mark.nightly\ndef test_it(): pass\n", "utf-8"
    )
    runs = {tier for tier in TIERS if chosen(pytester, f"--tier={tier}")}
    assert runs == {"all"}


@pytest.mark.parametrize(
    ("tier", "mark"),
    [("quick", "slow"), ("quick", "pull_request"), ("test", "pull_request"), ("test", "nightly")],
)
def test_a_file_with_a_mark_that_leaves_it_out_is_not_even_imported(
    pytester: pytest.Pytester, folder: Path, tier: str, mark: str
) -> None:
    (folder / "test_marked.py").write_text(
        f"import pytest\npytestmark = [pytest.mark.{mark}, pytest.mark.hours]\n1 / 0\n", "utf-8"
    )
    (folder / "test_other.py").write_text("def test_it(): pass\n", "utf-8")
    assert chosen(pytester, f"--tier={tier}") == {"test_it"}
