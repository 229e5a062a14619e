"""For all tests: which of them depend on time, and how hypothesis searches."""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path

import hypothesis
import pytest

from tests.tiers import MARKS, TIERS, function_of, left_out, shard_of

MARKED_FILE = re.compile(r"^pytestmark = .*\bmark\.(slow|pull_request|nightly)\b", re.MULTILINE)

# The same examples in every run, but with `make test-all`; and an example that is slow on a busy
# machine is no failure.
hypothesis.settings.register_profile(
    "repeatable", deadline=None, derandomize="VICTOR_SEARCH" not in os.environ
)
hypothesis.settings.load_profile("repeatable")


def pytest_addoption(parser):
    """Add `--tier` and `--shard`."""
    parser.addoption(
        "--tier", choices=TIERS, default="all", help="what runs: see tests/README.md (all of it)"
    )
    parser.addoption("--shard", default="1/1", help="only this part of the tests, such as 2/4")


def pytest_configure(config):
    """Make the marks known.

    A listener that raises is treated as in production, except where a test says otherwise. Tests
    run in the background as in a terminal: what ignores a signal hands that on to its children.
    """
    os.environ["VICTOR_LISTENER_ERRORS"] = "log"
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.platform != "win32":
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    for name, meaning in MARKS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


def _refuse_processes(event, arguments):
    if event not in ("subprocess.Popen", "os.fork", "os.posix_spawn"):
        return
    if arguments and Path(str(arguments[0])).stem == "ruff":
        return  # it formats what a test generates, in some hundredths of a second
    raise RuntimeError("`make quick` starts no process: mark this test `slow`")


def pytest_ignore_collect(collection_path, config):
    """Do not import a file whose mark leaves it out: that takes as long as many tests."""
    without = TIERS[config.getoption("tier")]
    if collection_path.suffix != ".py" or not without:
        return None
    marked = MARKED_FILE.search(collection_path.read_text("utf-8"))
    return True if marked and marked[1] in without else None


@pytest.fixture(scope="session", autouse=True)
def user_folder(tmp_path_factory):
    """Where the files of the user are: no test touches those of whoever runs it."""
    folder = tmp_path_factory.mktemp("user")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def bare_environment(user_folder):
    """What any process needs, and no setting of ours; a warning in the command is an error."""
    kept = {
        name: os.environ[name]
        for name in ("PATH", "HOME", "LANG", "SYSTEMROOT", "PYTHONPATH")
        if name in os.environ
    }
    ours = {"PYTHONWARNINGS": "error", "COLUMNS": "200", "XDG_STATE_HOME": str(user_folder)}
    return {**kept, **ours}


@pytest.fixture(scope="session")
def background():
    """The event loop that servers of tests live in."""
    from tests.faults.raw_sockets import background

    with background() as made:
        yield made


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Signs the certificates of servers of tests."""
    from tests.faults.certificates import Authority

    return Authority(tmp_path_factory.mktemp("certificates"))


def pytest_collection_modifyitems(config, items):
    """Mark what takes long; leave out what the tier does not run."""
    tier = config.getoption("tier")
    for item in items:
        is_search = hypothesis.is_hypothesis_test(getattr(item, "obj", None))
        fixtures = getattr(item, "fixturenames", ())
        # The packages of connected systems are generated first, by processes.
        if is_search or "pytester" in fixtures or "connected" in item.name:
            item.add_marker("slow")
        if "postgres" in fixtures or "postgres_server" in fixtures:
            item.add_marker("pull_request")
    without = set(left_out(items, tier))
    part, parts = map(int, config.getoption("shard").split("/"))
    without.update(item for item in items if shard_of(function_of(item), parts) != part)
    if without:
        config.hook.pytest_deselected(items=list(without))
        items[:] = [item for item in items if item not in without]
    if tier == "quick" and "PYTEST_XDIST_WORKER" in os.environ:
        sys.addaudithook(_refuse_processes)
