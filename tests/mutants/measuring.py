"""A pytest plugin for the processes that `make mutants` starts: which test runs through which line,
and a chosen order.

Environment variables control it: `MUTANTS_MEASURE`, a folder for what was measured;
`MUTANTS_CHOSEN`, a file that names the tests to run, in this order.
"""

import json
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

MEMORY, CPU = 4 << 30, 600
"""Bytes of addresses, and seconds: a change that fills the memory or never ends ends itself, and
not the machine.
"""


def pytest_configure(config: pytest.Config) -> None:
    folder = os.environ.get("MUTANTS_MEASURE")
    if folder is None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU))
    if folder and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Times(Path(folder)))
    if folder and (hasattr(config, "workerinput") or not config.getoption("numprocesses", None)):
        config.pluginmanager.register(_Lines(Path(folder)))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if chosen := os.environ.get("MUTANTS_CHOSEN"):
        places = {
            name: place
            for place, name in enumerate(json.loads(Path(chosen).read_text(encoding="utf-8")))
        }
        items[:] = sorted(
            (item for item in items if item.nodeid in places), key=lambda item: places[item.nodeid]
        )


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    # the change gave them other names: nothing failed
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        session.exitstatus = pytest.ExitCode.OK


class _Times:
    """How long each test takes that the unchanged code passes, and which it does not pass."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seconds: dict[str, float] = {}
        self._failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] = self._seconds.get(report.nodeid, 0.0) + report.duration
        if not report.passed:
            self._failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        fit = {test: seconds for test, seconds in self._seconds.items() if test not in self._failed}
        (self._folder / "times.json").write_text(
            json.dumps([fit, sorted(self._failed)]), encoding="utf-8"
        )


class _Lines:
    """Which test runs through which line."""

    def __init__(self, folder: Path) -> None:
        import coverage

        modules = [
            str(Path(module).resolve()) for module in json.loads(os.environ["MUTANTS_MODULES"])
        ]
        name = str(folder / f"lines.{os.getpid()}")
        self._coverage = coverage.Coverage(
            data_file=name, include=modules, config_file=False, messages=False
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
