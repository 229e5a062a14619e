"""Temporary copies of the checkout, and the tests that are run in them. Nothing is ever written into the original."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOLS = HERE.parents[1] / ".venv" / "mutants"
"""Where the Makefile puts cosmic-ray and coverage."""


def copy_of(root: Path, to: Path) -> Path:
    """What git knows of the checkout, and what is new and not ignored, as it is now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (root / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, to / name)
    return to


class Processes:
    """The processes that are running: all of them end, with what they have started, when the run ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._over = False

    def run(self, command: Sequence[str], where: Path, environment: dict[str, str], limit: float) -> int | None:
        """The exit status; None after `limit` seconds, or when the run is over."""
        with self._lock:
            if self._over:
                return None
            process = subprocess.Popen(
                command, cwd=where, env=environment, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            self._running.add(process)
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            self._end(process)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # it is the leader of its session
        process.wait()
        with self._lock:
            self._running.discard(process)

    def end(self) -> None:
        """End all, and start no more."""
        with self._lock:
            self._over = True
            running = list(self._running)
        for process in running:
            self._end(process)


class Checkout:
    """One copy, in which the tests run."""

    def __init__(
        self, folder: Path, processes: Processes, imported_from: Sequence[str], plugins: Sequence[str]
    ) -> None:
        self.folder = folder
        self._processes = processes
        self._plugins = plugins
        self._temporary = folder.with_name(folder.name + "-temporary")
        self._temporary.mkdir()
        path = [str((folder / part).resolve()) for part in imported_from]
        packages = {each.parent.name for part in imported_from for each in (folder / part).glob("*/__init__.py")}
        self._environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([*path, str(HERE)]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "TMPDIR": str(self._temporary),
            "MUTANTS_CHECKOUT": str(folder.resolve()),
            "MUTANTS_PACKAGES": json.dumps(sorted(packages)),
        }
        self._environment.pop("PYTEST_ADDOPTS", None)

    def compile(self) -> None:
        """Compile once what does not change; a hash of the source says later what did."""
        command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "."]
        self._processes.run(command, self.folder, self._environment, 600)

    def measure(self, tests: Sequence[str], modules: Sequence[str], into: Path, processes: int) -> int | None:
        """Run these tests on the unchanged code; the exit status of pytest."""
        variables = {
            "MUTANTS_MEASURE": str(into),
            "MUTANTS_TOOLS": str(TOOLS),
            "MUTANTS_MODULES": json.dumps([str(self.folder / module) for module in modules]),
        }
        # The compiled tests are kept for the runs that follow.
        environment = {k: v for k, v in self._environment.items() if k != "PYTHONDONTWRITEBYTECODE"} | variables
        spread = ["-n", str(processes), "--dist", "worksteal"] if processes > 1 else ["-p", "no:xdist"]
        return self._processes.run([*_PYTEST, *spread, *self._expanded(tests)], self.folder, environment, 3600)

    def passes(self, tests: Sequence[str], limit: float) -> bool | None:
        """Whether these tests pass, in this order up to the first that fails; None when the time is over."""
        chosen = self._temporary / "chosen.json"
        chosen.write_text(json.dumps(list(tests)), encoding="utf-8")
        variables = {"MUTANTS_CHOSEN": str(chosen), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        plugins = [word for plugin in self._plugins for word in ("-p", plugin)]
        files = list(dict.fromkeys(test.split("::")[0] for test in tests))
        status = self._processes.run(
            [*_PYTEST, *plugins, "-x", *files], self.folder, self._environment | variables, limit
        )  # fmt: skip
        return None if status is None else status in (_ALL_PASSED, _NONE_CHOSEN)

    def _expanded(self, tests: Sequence[str]) -> list[str]:
        found = [sorted(str(path.relative_to(self.folder)) for path in self.folder.glob(test)) for test in tests]
        for test, paths in zip(tests, found, strict=True):
            if not paths:
                sys.exit(f"There is no {test}: amend the list in {HERE / 'scope.py'}.")
        return [path for paths in found for path in paths]


_ALL_PASSED, _NONE_CHOSEN = 0, 5
_PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "measuring")
