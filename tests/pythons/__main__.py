"""Use the wheel on each Python, in bare environments, with the newest and the oldest dependencies: `make test-pythons`.

    python -m tests.pythons [3.12 ...]

Each extra is installed alone and used once; the fast tests and one bulk crash run with all of them. Tests run in a
copy of the repository without its packages, so that what they import is the wheel. Without versions, it takes those
Pythons of 3.11 to 3.14 that uv finds or can bring, and names the others. A version that is named must be there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import THOROUGH_FOLDERS, TIMED_FOLDERS

ROOT = Path(__file__).parents[2]
USES = Path(__file__).parent / "uses"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
RESOLUTIONS = ("highest", "lowest-direct")
# Not with the project's dependencies: what the tests themselves need.
TEST_TOOLS = ("pytest", "pytest-httpx", "pytest-xdist", "hypothesis", "pyjwt", "trio")
CRASH = ("tests/bulk/test_bulk_crashes.py", "-k", "sqlite")
FAST = (
    *("-n", "2", "-m", "not timed and not thorough"),
    *(f"--ignore=tests/{folder}" for folder in (*TIMED_FOLDERS, *THOROUGH_FOLDERS)),
    # The server comes from a wheel that is no dependency.
    *("-k", "not postgresql"),
    # These need FastAPI, Celery and sybil, which are no dependencies.
    "--ignore=examples/django",
    "--ignore=examples/service",
    "--ignore=tests/test_demo.py",
    # This reads the exporters of OpenTelemetry's SDK, which is no dependency; `uses/otel.py` needs the API alone.
    "--ignore=tests/test_otel.py",
    # Its counts are those of the locked dependencies.
    "--ignore=tests/test_hot_paths.py",
    # The models of its project are typed by django-stubs, which is no dependency; `uses/django.py` sends an entry.
    "--ignore=tests/outbox/test_django_outbox.py",
    # These need FastAPI and aiosqlite, which are no dependencies.
    "--ignore=tests/outbox/test_async_outbox.py",
    # These start mypy and pyright, which are no dependencies.
    "--ignore=tests/providers/connected/test_page_types.py",
    "--ignore=tests/test_types.py",
)
PATIENCE = 1800
"""Seconds that one command may take."""

LAST_LINES = 40


class Failed(Exception):
    """A command did not end well; its last lines."""


@dataclass(frozen=True)
class Row:
    """One environment, and what became of it."""

    python: str
    resolution: str
    extra: str
    tests: str
    result: str
    seconds: float

    @property
    def cells(self) -> tuple[str, ...]:
        return (self.python, self.resolution, self.extra, self.tests, self.result, f"{self.seconds:.0f}")


def variables() -> dict[str, str]:
    """Those of this process, without what would lead a Python to other packages, and with the Pythons of pyenv.

    The shims of pyenv do not lead to the Pythons that are not chosen.
    """
    pythons = sorted(str(folder) for folder in Path.home().glob(".pyenv/versions/3.*/bin"))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "PATH": os.pathsep.join([os.environ["PATH"], *pythons])}


def run(*words: object, cwd: Path = ROOT) -> str:
    """Run a command and return what it prints."""
    command = [str(word) for word in words]
    options: dict[str, Any] = {"cwd": cwd, "env": variables(), "capture_output": True, "text": True}
    try:
        ended = subprocess.run(command, **options, check=False, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise Failed(f"no end after {PATIENCE} s: {words[0]}") from None
    if ended.returncode:
        raise Failed("\n".join(f"{ended.stdout}\n{ended.stderr}".strip().splitlines()[-LAST_LINES:]))
    return ended.stdout


def uv(*words: object, cwd: Path = ROOT) -> str:
    """Run uv."""
    return run(sys.executable, "-m", "uv", "--quiet", *words, cwd=cwd)


@dataclass(frozen=True)
class Python:
    """One Python, and the folder for its environments."""

    version: str
    wheel: Path
    folder: Path

    def described(self) -> str:
        """Its release, and that of the SQLite it uses."""
        code = "import sqlite3, platform; print(platform.python_version(), 'with SQLite', sqlite3.sqlite_version)"
        return run(self._made("bare") / "bin/python", "-c", code).strip()

    def rows(self, resolution: str, extras: list[str]) -> Iterator[Row]:
        """Use each extra alone, then test all of them."""
        for extra in ("", *extras):
            name = extra or "none"
            began = time.monotonic()
            tests = "one use" if extra != "all" else "the uses"
            try:
                environment = self._installed(extra, resolution)
                if extra == "all":
                    tests = self._tested(environment)
                else:
                    self._used(environment, extra or "core")
                result = "passed"
            except Failed as failure:
                print(f"\n{self.version}, {resolution}, {name}:\n{failure}\n", file=sys.stderr)
                result = "FAILED"
            yield Row(self.version, resolution, name, tests, result, time.monotonic() - began)

    def _made(self, name: str) -> Path:
        environment = self.folder / f"{self.version}-{name}"
        uv("venv", "--python", self.version, environment)
        return environment

    def _installed(self, extra: str, resolution: str) -> Path:
        """A new environment with the wheel, one extra, and nothing that would have to be compiled."""
        environment = self._made(f"{resolution}-{extra or 'none'}")
        bounds = environment / "bounds.txt"
        # For the wheel alone the project's dependencies would not be direct ones, and so none would be old.
        chosen = ("--extra", extra) if extra else ()
        options = ("--no-build", "--resolution", resolution, "--python-version", self.version, "--output-file", bounds)
        uv("pip", "compile", "pyproject.toml", *chosen, *options, "--no-emit-package", "victor-ext")
        wheel = f"{self.wheel}[{extra}]" if extra else self.wheel
        tools = TEST_TOOLS if extra == "all" else ()
        python = environment / "bin/python"
        uv("pip", "install", "--python", python, "--no-build", "--constraint", bounds, wheel, *tools)
        return environment

    @staticmethod
    def _used(environment: Path, name: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            words = ("-P", "-W", "error", USES / f"{name}.py")
            run(environment / "bin/python", *words, cwd=Path(folder))

    @staticmethod
    def _tested(environment: Path) -> str:
        tree = environment / "tree"
        copy_without_packages(tree)
        passed = 0
        for options in (FAST, CRASH):
            shown = run(environment / "bin/python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, cwd=tree)
            passed += int(re.findall(r"(\d+) passed", shown)[-1])
        return f"{passed - 1} fast, 1 crash"


def copy_without_packages(folder: Path) -> None:
    """Copy what git knows of the repository, except what is in the wheel."""
    files = run("git", "ls-files", "-z", "--", ".", ":!victor_ext", ":!generated").split("\0")
    for name in filter(None, files):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)


def missing_because(version: str) -> str:
    """Why this Python cannot be had; empty if it is there or could be brought."""
    if there(version):
        return ""
    try:
        # Not `uv`: what is quiet gives no reason.
        run(sys.executable, "-m", "uv", "python", "install", version)
    except Failed as failure:
        return (str(failure).splitlines() or ["uv gives no reason"])[-1].strip()
    return ""


def there(version: str) -> bool:
    """Whether uv finds this Python on the machine."""
    try:
        uv("python", "find", "--system", "--no-python-downloads", version)
    except Failed:
        return False
    return True


def extras_of_the_project() -> list[str]:
    """The extras in the order of the table, `all` last."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return sorted(project["optional-dependencies"], key=lambda name: (name == "all", name))


def table(rows: list[Row]) -> str:
    """Aligned columns."""
    lines = [("Python", "resolution", "extra", "tests", "result", "seconds"), *(row.cells for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column == len(widths) - 1 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def build_wheel(folder: Path) -> Path:
    """Build the wheel into this folder."""
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def main(named: list[str]) -> int:
    """Returns 0 when everything passed on every Python that is there; one must be, and so must those that are named."""
    began = time.monotonic()
    rows: list[Row] = []
    missing: dict[str, str] = {}
    described: list[str] = []
    with tempfile.TemporaryDirectory(prefix="victor-pythons-") as place:
        folder = Path(place)
        wheel = build_wheel(folder)
        for version in named or PYTHONS:
            if reason := missing_because(version):
                missing[version] = reason
                continue
            python = Python(version, wheel, folder)
            described.append(python.described())
            for resolution in RESOLUTIONS:
                for row in python.rows(resolution, extras_of_the_project()):
                    print("  ".join(row.cells), file=sys.stderr, flush=True)
                    rows.append(row)
    print(f"\n{table(rows)}\n")
    print("Pythons: " + "; ".join(described))
    for version, reason in missing.items():
        print(f"Python {version} is not here, and could not be brought: {reason}")
    failed = sum(row.result != "passed" for row in rows)
    print(f"{len(rows) - failed} of {len(rows)} passed, in {time.monotonic() - began:.0f} s")
    return int(failed > 0 or not rows or bool(named and missing))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
