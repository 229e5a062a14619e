"""`python -m tests.mistakes [--jobs N] [WORD...]`: plant each mistake of the list in a copy of the
tree, and say which tests notice it.

A word chooses the mistakes that have it in their room, their rule, their name or the place of their
code. The named tests run first without a mistake, in the same way: only where they are green does a
red one count. A test that no longer ends counts as red.
"""

import argparse
import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from tests.mistakes import (
    IMPORTED_FROM,
    ROOT,
    Mistake,
    change_code,
    file_of,
    mistakes,
    scope_of,
)

PYTEST = ("-m", "pytest", "-q", "--tb=no", "--no-header", "-p", "no:cacheprovider")
LONGEST = 1800.0
"""Seconds that tests without a mistake may take."""
PATIENCE = 60.0
"""Seconds that tests with a mistake get at least; they get five times what they take without it."""
GREEN = re.compile(r"^PASSED (.*)$", re.MULTILINE)
RED = re.compile(r"^(?:FAILED|ERROR) (.*?)(?: - .*)?$", re.MULTILINE)
TOOK = re.compile(r"^\s*([0-9.]+)s (?:setup|call|teardown) +(.*)$", re.MULTILINE)
# More than in `make pull-request`: a mistake shows in a few of so many.
KILLS = {"VICTOR_BULK_KILLS": "30"}


class Run(NamedTuple):
    """How tests ended: pytest's status (None: they did not end), and its words."""

    status: int | None
    output: str


class Result(NamedTuple):
    """What became of a mistake: whether tests notice it, and which one, or why none does."""

    mistake: Mistake
    is_found: bool
    words: str

    def __str__(self):
        return f"{self.mistake.room}: {self.mistake.title}\n    {self.words}"


class Copy:
    """A copy of the tree, which one worker has for itself."""

    def __init__(self, folder, wheres):
        self._folder = folder
        self._edits = 0
        command = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        (folder / ".venv").symlink_to(Path(sys.prefix), target_is_directory=True)
        # As they are written with a mistake, so that this alone changes nothing.
        for where in wheres:
            with suppress(LookupError):
                file = file_of(where, folder)
                self._write(file, ast.unparse(ast.parse(file.read_text("utf-8"))))

    @contextmanager
    def _planted(self, mistake):
        """Have the mistake in this copy, within the block."""
        before = {}
        try:
            for change in mistake.changes:
                file = file_of(change.where, self._folder)
                source = file.read_text("utf-8")
                before.setdefault(file, source)
                module = ast.parse(source)
                change_code(scope_of(module, change.where), change)
                self._write(file, ast.unparse(ast.fix_missing_locations(module)))
            yield
        finally:
            for file, source in before.items():
                self._write(file, source)

    def _write(self, file, source):
        """Write a module, with a time of its own: what was compiled of it before is not used."""
        self._edits += 1
        file.write_text(source, encoding="utf-8")
        os.utime(file, (self._edits, self._edits))

    def seconds_of(self, file, tests):
        """Run these tests of a file without a mistake. Return what each of the green ones took."""
        run = self._run(file, tests, LONGEST, "-rA", "--durations=0")
        passed, red, took = (kind.findall(run.output) for kind in (GREEN, RED, TOOK))
        seconds = {}
        for test in tests:
            id = test.removeprefix("recipe/")
            cases = [case for case in passed if _is_case(case, id)]
            if cases and not any(_is_case(case, id) for case in red):
                seconds[test] = sum(float(time) for time, case in took if _is_case(case, id))
        return seconds

    def try_out(self, mistake, seconds):
        """Run the tests of a mistake with it. `seconds` has the tests that are green without it."""
        other = [test for test in mistake.tests if test not in seconds]
        if other:
            words = f"CANNOT SAY: without it, they are skipped or red: {' '.join(other)}"
            return Result(mistake, False, words)
        patience = PATIENCE + 5 * sum(seconds[test] for test in mistake.tests)
        try:
            with self._planted(mistake):
                run = self._run(mistake.tests[0], mistake.tests, patience, "-x")
        except LookupError as error:
            return Result(mistake, False, f"PLANT IT ANEW: {error}")
        if run.status is None:
            return Result(mistake, True, f"time-out of {' '.join(mistake.tests)}")
        if run.status == 0:
            return Result(mistake, False, f"NOT FOUND by {' '.join(mistake.tests)}")
        red = RED.search(run.output)
        if run.status == 1 and red:
            return Result(mistake, True, red[1])
        words = f"CANNOT SAY: pytest ends with status {run.status}.\n{run.output}"
        return Result(mistake, False, words)

    def _run(self, file, tests, timeout, *options):
        """Run tests in a process of its own, and end all that they have started."""
        is_of_recipe = file.startswith("recipe/")
        paths = os.pathsep.join(str(self._folder / name) for name in IMPORTED_FROM)
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            process = subprocess.Popen(
                [
                    *(sys.executable, *PYTEST, *options),
                    *(test.removeprefix("recipe/") for test in tests),
                ],
                cwd=self._folder / "recipe" if is_of_recipe else self._folder,
                env={**os.environ, **KILLS, "PYTHONPATH": paths},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            status = None
            try:
                with suppress(subprocess.TimeoutExpired):
                    status = process.wait(timeout)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            output.seek(0)
            return Run(status, output.read())


def _is_case(case, test):
    return case == test or case.startswith(f"{test}[")


def _chosen(words):
    chosen = []
    for mistake in mistakes():
        places = " ".join(change.where for change in mistake.changes)
        text = f"{mistake.room} {mistake.title} {mistake.rule} {places}".lower()
        if all(word.lower() in text for word in words):
            chosen.append(mistake)
    return chosen


def try_all(chosen, jobs):
    """Try these mistakes, so many side by side, and print what becomes of each."""
    tests = {}
    wheres = set()
    for mistake in chosen:
        wheres.update(change.where.partition(":")[0] for change in mistake.changes)
        for test in mistake.tests:
            tests.setdefault(test.partition("::")[0], set()).add(test)
    copies = SimpleQueue[Copy]()
    seconds = {}

    def run_without(file):
        copy = copies.get()
        seconds.update(copy.seconds_of(file, sorted(tests[file])))
        copies.put(copy)

    def try_out(mistake):
        copy = copies.get()
        result = copy.try_out(mistake, seconds)
        copies.put(copy)
        print("found" if result.is_found else "NOT  ", mistake.title, flush=True)
        return result

    with (
        tempfile.TemporaryDirectory(prefix="mistakes-") as folder,
        ThreadPoolExecutor(jobs) as pool,
    ):
        for number in range(jobs):
            copies.put(Copy(Path(folder) / str(number), wheres))
        list(pool.map(run_without, sorted(tests)))
        return list(pool.map(try_out, chosen))


def main():
    parser = argparse.ArgumentParser("python -m tests.mistakes", description=__doc__)
    parser.add_argument("words", nargs="*", metavar="WORD", help="each must be in its text")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="side by side")
    arguments = parser.parse_args()
    chosen = _chosen(arguments.words)
    if not chosen:
        parser.error(f"no mistake has {' '.join(arguments.words)}")
    results = try_all(chosen, arguments.jobs)
    missed = [result for result in results if not result.is_found]
    print("\nFound, by:", *(result for result in results if result.is_found), sep="\n")
    print("\nNot found:", *missed, sep="\n")
    print(f"\n{len(results)} mistakes: {len(results) - len(missed)} found, {len(missed)} not.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
