"""A pytest plugin for the processes that `make mutants` starts: which test runs through which line, and a chosen order.

Environment variables control it: `MUTANTS_MEASURE`, a folder for what was measured; `MUTANTS_CHOSEN`, a file
that names the tests to run, in this order; `MUTANTS_CHECKOUT`, the folder that has to be the one that is tested.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

MEMORY = 4 << 30
"""Bytes of addresses: a change that fills the memory ends itself, and not the machine."""

settings.register_profile("mutants", database=None, derandomize=True, deadline=None)


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("mutants")
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    folder = os.environ.get("MUTANTS_MEASURE")
    if folder is None:
        return
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Times(Path(folder)))
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        config.pluginmanager.register(_Lines(Path(folder)))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if chosen := os.environ.get("MUTANTS_CHOSEN"):
        places = {name: place for place, name in enumerate(json.loads(Path(chosen).read_text(encoding="utf-8")))}
        kept = [item for item in items if item.nodeid in places]
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in places])
        items[:] = sorted(kept, key=lambda item: places[item.nodeid])


def pytest_sessionfinish() -> None:
    """What is tested is the copy, and not what the environment has installed."""
    checkout = os.environ["MUTANTS_CHECKOUT"]
    for name in json.loads(os.environ["MUTANTS_PACKAGES"]):
        package = sys.modules.get(name)
        if package is not None and not str(package.__file__).startswith(checkout + os.sep):
            pytest.exit(f"{name} was imported from {package.__file__}, not from {checkout}", returncode=4)


class _Times:
    """How long each test takes, and whether the unchanged code passes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seconds: dict[str, float] = {}
        self._unfit: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] = self._seconds.get(report.nodeid, 0.0) + report.duration
        if not report.passed:
            self._unfit.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        said = {"seconds": self._seconds, "unfit": sorted(self._unfit)}
        (self._folder / "times.json").write_text(json.dumps(said), encoding="utf-8")


class _Lines:
    """Which test runs through which line."""

    def __init__(self, folder: Path) -> None:
        # At the end of the path: the tests run with what is locked, not with what the tool brought along.
        sys.path.append(os.environ["MUTANTS_TOOLS"])
        os.environ["COVERAGE_CORE"] = "ctrace"  # the newer way of measuring knows no contexts
        import coverage

        modules = json.loads(os.environ["MUTANTS_MODULES"])
        self._coverage: Any = coverage.Coverage(
            data_file=str(folder / f"lines.{os.getpid()}"), include=modules, config_file=False, messages=False
        )
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._coverage.switch_context(item.nodeid)
        try:
            return (yield)
        finally:
            self._coverage.switch_context("")

    def pytest_sessionfinish(self) -> None:
        self._coverage.stop()
        self._coverage.save()
