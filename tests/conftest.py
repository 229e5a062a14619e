"""For all tests: which of them depend on time, and how hypothesis searches."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import hypothesis
import pytest

HERE = Path(__file__).parent
TIMED_FOLDERS = (
    "bulk",
    "cli",
    "examples",
    "faults",
    "histories",
    "mutants",
    "pages",
    "pythons",
    "reconciliation",
    "sandbox",
    "security",
)
"""Their tests use processes, sockets and time limits: `make quick` leaves them out."""
THOROUGH_FOLDERS = ("fuzz", "release", "spec")
THOROUGH_FILES = ("test_exports.py",)
"""They search for examples, or start processes: `make quick` leaves them out."""
TIMED_FILES = ("test_demo.py", "test_soak.py", "test_python_page.py", "test_docs.py")

# The same examples in every run, but with `make test-all`; and an example that is slow on a busy machine is no failure.
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize="VICTOR_SEARCH" not in os.environ)
hypothesis.settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--first-tier`."""
    parser.addoption(
        "--first-tier",
        action="store_true",
        help="leave out what is marked `nightly`, and three in four cases of the parametrised tests that take long",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known. A listener that raises is treated as in production, except where a test says otherwise."""
    os.environ["VICTOR_LISTENER_ERRORS"] = "log"
    config.addinivalue_line("markers", "nightly: checks tests, or takes minutes; `make test-all` runs it")
    config.addinivalue_line("markers", "thorough: searches, or starts processes; not in `make quick`")
    config.addinivalue_line("markers", "timed: uses processes, sockets or time limits; not in `make quick`")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what depends on time, and what takes long; with `--first-tier`, leave out most of the latter."""
    for item in items:
        parts = item.path.relative_to(HERE if item.path.is_relative_to(HERE) else HERE.parent).parts
        if parts[0] in TIMED_FOLDERS or parts[-1] in TIMED_FILES or "mutations" in parts[-1]:
            item.add_marker("timed")
        searches = hypothesis.is_hypothesis_test(getattr(item, "obj", None))
        if searches or parts[0] in THOROUGH_FOLDERS or parts[-1] in THOROUGH_FILES:
            item.add_marker("thorough")
    if config.getoption("first_tier"):
        config.hook.pytest_deselected(items=[item for item in items if _is_left_out(item)])
        items[:] = [item for item in items if not _is_left_out(item)]


def _is_left_out(item: pytest.Item) -> bool:
    """Whether `--first-tier` leaves a test out; the same ones in every process and every run."""
    if item.get_closest_marker("nightly") is not None:
        return True
    parametrised = hasattr(item, "callspec") and item.get_closest_marker("thorough") is not None
    return parametrised and zlib.crc32(item.nodeid.encode()) % 4 != 0
