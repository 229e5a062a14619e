"""`make mutants`: change one place of the code at a time, and see whether a test notices.

    python -m tests.mutants.mutants [--mutants 300|all] [--seed 1] [--processes 2] [MODULE ...]

It works in temporary copies of the checkout. First the fast tests run on the unchanged code, and it is noted which test
runs through which line. Then each change is shown those tests, the quick files first, up to the first that fails:
the change is killed. One that no test notices has survived: it is printed, and needs a test, or an entry in
`accepted.toml` that says why not.

The exit status is 1 when fewer than 95 % were killed of those that are not accepted, 2 when nothing can be said.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Literal

from tests.mutants import scope
from tests.mutants.changes import Change, Module, sample
from tests.mutants.checkouts import TOOLS, Checkout, Processes, copy_of
from tests.mutants.measured import Measured

ROOT = Path(__file__).resolve().parents[2]
ACCEPTED = Path(__file__).with_name("accepted.toml")
ENOUGH = 0.95

Fate = Literal["killed", "survived", "accepted"]
Name = tuple[str, str, str]


@dataclass(frozen=True)
class Result:
    """What became of one change."""

    change: Change
    fate: Fate
    why: str = ""


@dataclass(frozen=True)
class Scope:
    """What is changed, and what is to notice."""

    root: Path
    modules: Sequence[str]
    tests: Sequence[str]
    imported_from: Sequence[str] = ("",)
    plugins: Sequence[str] = ("_hypothesis_pytestplugin",)
    processes: int = 2


HERE = Scope(ROOT, scope.MODULES, scope.TESTS, scope.IMPORTED_FROM, scope.PLUGINS)


def fates(what: Scope, changes: Iterable[Change], accepted: set[Name]) -> Iterator[Result]:
    """Try each change in a copy of the checkout, and tell what became of it."""
    with _copies(what) as (copies, measured, processes):
        free: SimpleQueue[Checkout] = SimpleQueue()
        for each in copies:
            free.put(each)

        def try_change(change: Change) -> Result:
            checkout = free.get()
            try:
                return _fate(checkout, change, measured, accepted)
            finally:
                free.put(checkout)

        with ThreadPoolExecutor(len(copies)) as pool:
            try:
                for done in as_completed([pool.submit(try_change, change) for change in changes]):
                    yield done.result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
                processes.end()


def _fate(checkout: Checkout, change: Change, measured: Measured, accepted: set[Name]) -> Result:
    file = checkout.folder / change.module
    unchanged = file.read_bytes()
    tests = measured.concerned(change.module, change.lines)
    try:
        file.write_text(change.source, encoding="utf-8")
        passed = not tests or checkout.passes(tests, 10 + 4 * measured.seconds_of(tests))
        if not passed:
            return Result(change, "killed", "over its time" if passed is None else "a test failed")
    finally:
        file.write_bytes(unchanged)
    why = f"{len(tests)} tests passed" if tests else "no test runs through it"
    return Result(change, "accepted" if change.name in accepted else "survived", why)


@contextmanager
def _copies(what: Scope) -> Iterator[tuple[list[Checkout], Measured, Processes]]:
    processes = Processes()
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as name:
        try:
            folder = Path(name).resolve()
            copies = [Checkout(copy_of(what.root, folder / "1"), processes, what.imported_from, what.plugins)]
            copies[0].compile()
            (folder / "measured").mkdir()
            status = copies[0].measure(what.tests, what.modules, folder / "measured", what.processes)
            if status not in (0, 1):
                sys.exit("The tests cannot be run on the unchanged code: see whether pytest runs by itself.")
            measured = Measured(folder / "measured", copies[0].folder)
            if measured.unfit:
                print(
                    "Not used, as the unchanged code does not pass them:", *measured.unfit, sep="\n  ", file=sys.stderr
                )
            for number in range(2, what.processes + 1):
                shutil.copytree(copies[0].folder, folder / str(number))
                copies.append(Checkout(folder / str(number), processes, what.imported_from, what.plugins))
            yield copies, measured, processes
        finally:
            processes.end()


def read_accepted(file: Path) -> set[Name]:
    """The changes that need no test; `why` is for the reader."""
    entries = tomllib.loads(file.read_text(encoding="utf-8")).get("accepted", [])
    return {(entry["function"], entry["was"], entry["becomes"]) for entry in entries if entry["why"].strip()}


def table(results: Sequence[Result]) -> tuple[list[str], float]:
    """The lines of the table, and the share that was killed of what is not accepted."""
    rows = [("module", "mutants", "killed", "survived", "accepted", "share")]
    for module in [*sorted({each.change.module for each in results}), None]:
        counts = Counter(each.fate for each in results if module in (None, each.change.module))
        to_kill = counts["killed"] + counts["survived"]
        share = counts["killed"] / to_kill if to_kill else 1.0
        numbers = (counts.total(), counts["killed"], counts["survived"], counts["accepted"], f"{share:.1%}")
        rows.append((module or "all", *map(str, numbers)))
    return [f"{row[0]:50}" + "".join(f"{cell:>10}" for cell in row[1:]) for row in rows], share


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    options = _options(arguments)
    if not TOOLS.is_dir():
        print(f"{TOOLS} is not there: `make mutants` makes it.", file=sys.stderr)
        return 2
    sys.path.append(str(TOOLS))
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    modules = [module for module in scope.MODULES if not options.modules or Path(module).stem in options.modules]
    accepted = read_accepted(ACCEPTED)
    changes = list(sample([Module(ROOT, module) for module in modules], options.seed, options.mutants))
    what = replace(HERE, modules=modules, processes=options.processes)
    print(f"{len(changes)} changes (seed {options.seed}); first the tests run on the unchanged code ...", flush=True)
    try:
        results = list(_with_progress(fates(what, changes, accepted), len(changes)))
    except KeyboardInterrupt:
        print("\nInterrupted; nothing is left behind.", file=sys.stderr)
        return 130
    lines, share = table(results)
    print("", *lines, sep="\n")
    return 0 if share >= ENOUGH else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Change one place of the code at a time: does a test notice?")
    parser.add_argument("--mutants", type=_number_or_all, default=300, help="how many, or all (default: 300)")
    parser.add_argument("--seed", type=int, default=1, help="which of them (default: 1)")
    parser.add_argument(
        "--processes", type=int, default=min(2, os.cpu_count() or 1), help="at the same time (default: 2)"
    )
    parser.add_argument("modules", nargs="*", choices=[[], *(Path(module).stem for module in scope.MODULES)],
                        metavar="MODULE", help="these alone, such as timeouts")  # fmt: skip
    return parser.parse_args(arguments)


def _number_or_all(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number above 0 nor 'all'")
    return int(text)


def _with_progress(results: Iterator[Result], total: int) -> Iterator[Result]:
    counts: Counter[str] = Counter()
    for number, each in enumerate(results, 1):
        counts[each.fate] += 1
        if each.fate == "survived":
            print(f"survived in {each.change.function} ({each.why})")
            print(f"  - {each.change.was}\n  + {each.change.becomes}", flush=True)
        if number % 25 == 0 or number == total:
            print(f"{number} of {total}: {counts['killed']} killed, {counts['survived']} survived", flush=True)
        yield each


if __name__ == "__main__":
    sys.exit(main())
