"""For all tests: which of them depend on time, and how hypothesis searches."""

from __future__ import annotations

import os
import re
import signal
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from tests.faults.certificates import Authority
    from tests.faults.raw_sockets import Background

NOT_QUICK = re.compile(r"^pytestmark = .*\bmark\.(slow|thorough)\b", re.MULTILINE)

# The same examples in every run, but with `make test-all`; and an example that is slow on a busy
# machine is no failure.
hypothesis.settings.register_profile(
    "repeatable", deadline=None, derandomize="VICTOR_SEARCH" not in os.environ
)
hypothesis.settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--first-tier` and `--quick`."""
    parser.addoption(
        "--first-tier",
        action="store_true",
        help="leave out what is marked `nightly`, and three in four cases of the parametrised "
        "tests that take long",
    )
    parser.addoption(
        "--quick",
        action="store_true",
        help="leave out what searches, starts a process or waits; fail if a test does",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known.

    A listener that raises is treated as in production, except where a test says otherwise. Tests
    run in the background as in a terminal: what ignores a signal hands that on to its children.
    """
    os.environ["VICTOR_LISTENER_ERRORS"] = "log"
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.platform != "win32":
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    config.addinivalue_line(
        "markers", "hours: knows the time; `make test-all` runs it at six moments"
    )
    config.addinivalue_line(
        "markers", "nightly: checks tests, or takes minutes; `make test-all` runs it"
    )
    config.addinivalue_line("markers", "slow: starts a process, or waits; not in `make quick`")
    config.addinivalue_line(
        "markers", "thorough: searches, or starts processes; not in `make quick`"
    )


def _refuse_processes(event: str, _arguments: object) -> None:
    if event in ("subprocess.Popen", "os.fork", "os.posix_spawn"):
        raise RuntimeError("`make quick` starts no process: mark this test `slow`")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `--quick`, do not import a file whose mark leaves it out: that takes as long as many
    tests.
    """
    if not config.getoption("quick"):
        return None
    is_left_out = collection_path.suffix == ".py" and NOT_QUICK.search(
        collection_path.read_text("utf-8")
    )
    return True if is_left_out else None


@pytest.fixture(scope="session")
def bare_environment() -> dict[str, str]:
    """What any process needs, and no setting of ours; a warning in the command is an error."""
    kept = {
        name: os.environ[name]
        for name in ("PATH", "HOME", "LANG", "SYSTEMROOT", "PYTHONPATH")
        if name in os.environ
    }
    return {**kept, "PYTHONWARNINGS": "error", "COLUMNS": "200"}


@pytest.fixture(scope="session")
def background() -> Iterator[Background]:
    """The event loop that servers of tests live in."""
    from tests.faults.raw_sockets import background

    with background() as made:
        yield made


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Signs the certificates of servers of tests."""
    from tests.faults.certificates import Authority

    return Authority(tmp_path_factory.mktemp("certificates"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what takes long; leave out what the tier does not run."""
    for item in items:
        if hypothesis.is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker("thorough")
        if "pytester" in getattr(item, "fixturenames", ()):
            item.add_marker("slow")
    left_out = _left_out(items, config)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        without = set(left_out)
        items[:] = [item for item in items if item not in without]
    if config.getoption("quick") and "PYTEST_XDIST_WORKER" in os.environ:
        sys.addaudithook(_refuse_processes)


def _left_out(items: list[pytest.Item], config: pytest.Config) -> list[pytest.Item]:
    """What the tier does not run; the same in every process and every run.

    One case of each test runs.
    """
    marks = {item: {mark.name for mark in item.iter_markers()} for item in items}
    if config.getoption("quick"):
        # The packages of connected systems are generated first, by processes.
        return [
            item
            for item in items
            if marks[item] & {"nightly", "slow", "thorough"} or "connected" in item.name
        ]
    if not config.getoption("first_tier"):
        return []
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if hasattr(item, "callspec") and "thorough" in marks[item]:
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    runs: set[pytest.Item] = set()
    for group in cases.values():
        runs.update(
            [item for item in group if zlib.crc32(item.nodeid.encode()) % 4 == 0] or group[:1]
        )
    sampled = {item for group in cases.values() for item in group}
    return [
        item for item in items if "nightly" in marks[item] or (item in sampled and item not in runs)
    ]
