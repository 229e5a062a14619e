"""The tiers of the tests; the documents, and the package of one that has what real ones have."""

import importlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest

from victor_spec.generate import generate

# The same examples in every run, but with `make test-all`; and an example that is slow on a busy
# machine is no failure.
hypothesis.settings.register_profile(
    "repeatable", deadline=None, derandomize="VICTOR_SEARCH" not in os.environ
)
hypothesis.settings.load_profile("repeatable")
MARKS = {
    "slow": "starts a process, or waits; not in `--quick`",
    "thorough": "searches, or starts processes; not in `--quick`",
    "nightly": "takes minutes; in `make test-all` only",
}
SAMPLED = 4
"""Of so many cases of a thorough test, the first tier runs one."""

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


@pytest.fixture(scope="session")
def victor_yaml() -> Path:
    return ROOT / "openapi" / "victor.yaml"


@pytest.fixture(scope="session")
def zoo_yaml() -> Path:
    """A document with one example of each thing that real documents do."""
    return HERE / "zoo.yaml"


@pytest.fixture(scope="session")
def zoo(zoo_yaml: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package made from the zoo, imported."""
    folder = tmp_path_factory.mktemp("zoo")
    outcome = generate(zoo_yaml, folder)
    assert outcome.log.reasons == {}
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        importlib.import_module("zoo_api.models")
        yield importlib.import_module("zoo_api")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the tiers of the client's tests."""
    parser.addoption(
        "--first-tier",
        action="store_true",
        help="leave out what is `nightly`, and three in four cases of what is `thorough`",
    )
    parser.addoption(
        "--quick", action="store_true", help="leave out what searches, starts a process or waits"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known."""
    for name, text in MARKS.items():
        config.addinivalue_line("markers", f"{name}: {text}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the tier does not run, the same in every process and every run."""
    first_of: dict[str, pytest.Item] = {}
    left_out: list[pytest.Item] = []
    for item in items:
        if hypothesis.is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker("thorough")
        marks = {mark.name for mark in item.iter_markers()}
        first = first_of.setdefault(item.nodeid.partition("[")[0], item)
        is_sampled = first is item or zlib.crc32(item.nodeid.encode()) % SAMPLED == 0
        if config.getoption("quick") and marks & {*MARKS}:
            left_out.append(item)
        elif config.getoption("first_tier"):
            is_for_another_tier = "nightly" in marks or ("thorough" in marks and not is_sampled)
            if is_for_another_tier:
                left_out.append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in {*left_out}]
