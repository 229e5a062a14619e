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
"""Their tests use processes, sockets and time limits: on a machine that is busy they may fail for that alone."""
THOROUGH_FOLDERS = ("fuzz", "release", "spec")
THOROUGH_FILES = ("test_exports.py", "test_provider_names.py", "test_velo_example.py", "test_velo_whole_document.py")
"""They search for examples, or start processes: `make quick` leaves them out."""
TIMED_FILES = ("test_demo.py", "test_soak.py", "test_python_page.py", "test_docs.py")

# The same examples in every run, but with `make test-all`; and an example that is slow on a busy machine is no failure.
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize="VICTOR_SEARCH" not in os.environ)
hypothesis.settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--timed-only` and `--sample`."""
    parser.addoption(
        "--sample",
        action="store_true",
        help="of the parametrised tests that take long (marked `thorough`), run every fourth one",
    )
    parser.addoption(
        "--timed-only",
        action="store_true",
        help="refuse to run tests that do not depend on time: for a second run of those that failed",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known. A listener that raises is treated as in production, except where a test says otherwise."""
    os.environ["VICTOR_LISTENER_ERRORS"] = "log"
    config.addinivalue_line("markers", "thorough: searches for examples, or starts processes")
    config.addinivalue_line("markers", "timed: may fail on a busy machine; CI runs it once more, by itself")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what depends on time, and what takes long; with `--sample`, leave out most of the latter."""
    for item in items:
        parts = item.path.relative_to(HERE if item.path.is_relative_to(HERE) else HERE.parent).parts
        if parts[0] in TIMED_FOLDERS or parts[-1] in TIMED_FILES or "mutations" in parts[-1]:
            item.add_marker("timed")
        searches = hypothesis.is_hypothesis_test(getattr(item, "obj", None))
        if searches or parts[0] in THOROUGH_FOLDERS or parts[-1] in THOROUGH_FILES:
            item.add_marker("thorough")
    if config.getoption("sample"):
        config.hook.pytest_deselected(items=[item for item in items if _is_left_out(item)])
        items[:] = [item for item in items if not _is_left_out(item)]


def _is_left_out(item: pytest.Item) -> bool:
    """Whether `--sample` leaves a test out; the same ones in every process and every run."""
    parametrised = hasattr(item, "callspec") and item.get_closest_marker("thorough") is not None
    return parametrised and zlib.crc32(item.nodeid.encode()) % 4 != 0


def pytest_collection_finish(session: pytest.Session) -> None:
    """With `--timed-only`, refuse the rest of what `--last-failed` has selected."""
    others = [item.nodeid for item in session.items if item.get_closest_marker("timed") is None]
    if session.config.getoption("timed_only") and others:
        raise pytest.UsageError("these failed, and do not depend on time:\n  " + "\n  ".join(others))
