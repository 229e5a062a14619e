"""`make mutants`: cosmic-ray changes one place of the code at a time; does a test notice?

    python -m tests.mutants.mutants [--mutants 300|all] [--seed 1] [MODULE ...]

cosmic-ray makes each change, runs the tests with a limit of time, restores the file and tells the
difference. Here is what it lacks: a sample, copies of the checkout to work in, and the choice of
the tests that run through a change.

The exit status is 1 when more survived than `BORNE` allows, 2 when nothing can be said.
"""

import argparse
import json
import multiprocessing
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome
from coverage import CoverageData

from tests.mutants import scope
from tests.mutants.changes import Change, around, sample

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PROCESSES = min(2, os.cpu_count() or 1)
BORNE = 0.1
"""The share of the changes that may survive, without those that `accepted.toml` names: new lines
bring new ones.
"""
SLOW = 3.0
"""Seconds. A test that takes longer is none of the fast ones."""
BUDGET = 25.0
"""Seconds of tests that one change is shown at most: enough for all that run through most lines."""
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "measuring"]


class Measured:
    """Which tests concern a change: what was measured on the unchanged code, in the working
    directory.
    """

    def __init__(self, folder: Path) -> None:
        self.seconds: dict[str, float]
        self.seconds, self.failed = json.loads((folder / "times.json").read_text(encoding="utf-8"))
        self._lines: Any = CoverageData(no_disk=True)
        for part in sorted(folder.glob("lines.*")):
            (read := CoverageData(str(part))).read()
            self._lines.update(read)

    def concerned(self, change: Change) -> list[str]:
        """The tests that run through the change or what is around it, its module's own first, up to
        the budget.
        """
        through = self._by_line(change.module)
        ranges = list(around(Path(change.module).read_text(encoding="utf-8"), change.line))
        found = [{test for line in each for test in through.get(line, ())} for each in ranges]
        tests = next(filter(None, found), set())
        naming = self._naming(Path(change.module).stem)
        if not found[
            0
        ]:  # it may run at import: who only looks at a constant runs through no line of the module
            tests |= naming
        kept: list[str] = []
        for test in sorted(tests, key=lambda test: (test not in naming, self.seconds[test], test)):
            if sum(map(self.seconds.__getitem__, [*kept, test])) > BUDGET:
                break
            kept.append(test)
        files = list(dict.fromkeys(test.split("::")[0] for test in kept))
        return sorted(kept, key=lambda test: files.index(test.split("::")[0]))

    @cache  # noqa: B019 - there is one of it, which lives as long as the run
    def _naming(self, stem: str) -> frozenset[str]:
        imported = re.compile(rf"^(from|import) .*\b{stem}\b", re.MULTILINE)
        files = {test.split("::")[0] for test in self.seconds}
        naming = {file for file in files if imported.search(Path(file).read_text(encoding="utf-8"))}
        return frozenset(
            test
            for test, time in self.seconds.items()
            if test.split("::")[0] in naming and time <= SLOW
        )

    @cache  # noqa: B019 - as above
    def _by_line(self, module: str) -> dict[int, list[str]]:
        found: dict[int, list[str]] = self._lines.contexts_by_lineno(str(Path(module).resolve()))
        return {
            line: [t for t in tests if self.seconds.get(t, SLOW + 1) <= SLOW]
            for line, tests in found.items()
        }


def survivors(
    root: Path, what: Any, changes: Sequence[Change]
) -> Iterator[tuple[Change, str, str] | None]:
    """Each change that no test noticed, with the lines as they were and as they became; None for
    each other.
    """
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        free = multiprocessing.Queue()
        left_out = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "site")
        shutil.copytree(root, folder / "0", ignore=left_out, symlinks=True)
        os.chdir(folder / "0")
        measured = _measure(folder, what)
        for number in range(1, PROCESSES + 1):
            shutil.copytree(folder / "0", folder / str(number), symlinks=True)
            free.put(folder / str(number))
        pool = ProcessPoolExecutor(
            PROCESSES, initializer=_begin, initargs=(free, what.IMPORTED_FROM, what.PLUGINS)
        )
        try:
            jobs = {}
            for change in changes:
                tests = measured.concerned(change)
                jobs[
                    pool.submit(
                        _survives, change, tests, sum(map(measured.seconds.__getitem__, tests))
                    )
                ] = change
            for job in as_completed(jobs):
                yield (jobs[job], *job.result()) if job.result() else None
        finally:
            pool.shutdown(cancel_futures=True)
            os.chdir(root)


def _measure(folder: Path, what: Any) -> Measured:
    """Run the tests on the unchanged code, and note which test runs through which line."""
    subprocess.run(
        [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "."],
        check=False,
    )
    (folder / "measured").mkdir()
    variables = {
        "MUTANTS_MEASURE": str(folder / "measured"),
        "MUTANTS_MODULES": json.dumps(what.MODULES),
    }
    # the newer way of measuring knows no contexts
    variables |= _path(what.IMPORTED_FROM) | {"COVERAGE_CORE": "ctrace"}
    found = {pattern: sorted(map(str, Path().glob(pattern))) for pattern in what.TESTS}
    if missing := [pattern for pattern, paths in found.items() if not paths]:
        print(
            f"There is no {', '.join(missing)}: amend the list in {HERE / 'scope.py'}.",
            file=sys.stderr,
        )
        sys.exit(2)
    spread = ["-n", str(PROCESSES), "--dist", "worksteal"]
    command = [*PYTEST, *spread, *chain.from_iterable(found.values())]
    done = subprocess.run(
        command, env=os.environ | variables, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1):
        print(
            done.stdout,
            done.stderr,
            "The tests cannot be run on the unchanged code.",
            sep="\n",
            file=sys.stderr,
        )
        sys.exit(2)
    measured = Measured(folder / "measured")
    if measured.failed:
        print(
            "Not used, as the unchanged code does not pass them:",
            *measured.failed,
            sep="\n  ",
            file=sys.stderr,
        )
    return measured


def _path(imported_from: Sequence[str]) -> dict[str, str]:
    """The copy stands first on the path, and the tools last: the tests run with what is locked."""
    path = [
        *(Path(part).resolve() for part in imported_from),
        HERE,
        *os.environ.get("PYTHONPATH", "").split(":"),
    ]
    return {
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "PYTHONHASHSEED": "0",
        "PYTEST_ADDOPTS": "",
    }


def _begin(
    free: multiprocessing.Queue[Path], imported_from: Sequence[str], plugins: Sequence[str]
) -> None:
    """A process with a copy of its own."""
    os.chdir(free.get())
    os.environ.update(
        _path(imported_from), PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", PYTEST_PLUGINS=",".join(plugins)
    )
    os.environ["MUTANTS_CHOSEN"] = str(Path("chosen.json").resolve())


def _survives(change: Change, tests: list[str], seconds: float) -> tuple[str, str] | None:
    """What was, and what it became, when these tests pass."""
    Path("chosen.json").write_text(json.dumps(tests), encoding="utf-8")
    command = (
        shlex.join([*PYTEST, "-x", *dict.fromkeys(test.split("::")[0] for test in tests)])
        if tests
        else "true"
    )
    spec = MutationSpec(Path(change.module), change.operator, change.occurrence, (0, 0), (0, 1))
    result = mutate_and_test([spec], command, 10 + 4 * seconds)
    if (
        result.worker_outcome is not WorkerOutcome.NORMAL
        or result.test_outcome is TestOutcome.INCOMPETENT
    ):
        raise RuntimeError(f"{change} could not be tried: {result.output}")
    if result.test_outcome is TestOutcome.KILLED:
        return None
    lines = [
        line
        for line in result.diff.splitlines()
        if line[:1] in "-+" and line[:3] not in ("---", "+++")
    ]
    was, becomes = (
        " ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+"
    )
    return was, becomes


def read_accepted(file: Path) -> set[tuple[str, ...]]:
    """The changes that need no test; why not is for the reader."""
    return {
        tuple(change)
        for changes in tomllib.loads(file.read_text(encoding="utf-8")).values()
        for change in changes
    }


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description="Change one place of the code at a time: does a test notice?"
    )
    parser.add_argument(
        "--mutants", type=_number_or_all, default=300, help="how many, or all (default: 300)"
    )
    parser.add_argument("--seed", type=int, default=1, help="which of them (default: 1)")
    parser.add_argument(
        "modules", nargs="*", metavar="MODULE", help="these alone, such as timeouts"
    )
    options = parser.parse_args()
    os.chdir(ROOT)
    modules = [
        module
        for module in scope.MODULES
        if not options.modules or Path(module).stem in options.modules
    ]
    changes = sample(modules, options.seed, options.mutants)
    if not changes:
        parser.error("there is nothing to change: see MODULES in scope.py")
    accepted = read_accepted(HERE / "accepted.toml")
    print(
        f"{len(changes)} changes (seed {options.seed}); first the tests run on the unchanged code "
        "...",
        flush=True,
    )
    survived = let_live = 0
    for number, each in enumerate(survivors(ROOT, scope, changes), 1):
        if each and (each[0].function, *each[1:]) in accepted:
            let_live += 1
        elif each:
            survived += 1
            print(
                f"survived in {each[0].function} (line {each[0].line})\n  - {each[1]}\n  + "
                f"{each[2]}",
                flush=True,
            )
        if number % 25 == 0 or number == len(changes):
            print(
                f"{number} of {len(changes)}: {survived} survived, {let_live} accepted", flush=True
            )
    return 1 if survived > BORNE * len(changes) else 0


def _number_or_all(text: str) -> int | None:
    return None if text == "all" else int(text)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
