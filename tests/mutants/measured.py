"""What was measured on the unchanged code: the tests that run through a line, and how long each takes."""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.mutants.checkouts import TOOLS

SLOW = 3.0
"""Seconds. A test that takes longer is none of the fast ones."""
BUDGET = 25.0
"""Seconds of tests that one change is shown at most: enough for all that run through most lines."""
FILES_AT_FIRST = 4
"""Most changes are killed by the files whose tests are the shortest: the others need not be imported for them."""


class Measured:
    """Which tests concern a change."""

    def __init__(self, folder: Path, checkout: Path) -> None:
        sys.path.append(str(TOOLS))
        from coverage import CoverageData

        times = json.loads((folder / "times.json").read_text(encoding="utf-8"))
        self.unfit: list[str] = times["unfit"]
        self._seconds: dict[str, float] = times["seconds"]
        self._checkout = checkout
        self._lines: Any = CoverageData(no_disk=True)
        for part in sorted(folder.glob("lines.*")):
            read = CoverageData(str(part))
            read.read()
            self._lines.update(read)

    def concerned(self, module: str, lines: Sequence[range]) -> list[str]:
        """The tests that run through the nearest of these lines, file by file, those with the shortest tests first."""
        through = self._by_line(module)
        tests: set[str] = set()
        for each in lines:
            tests = {test for line in each if line in through for test in through[line]}
            if tests:
                break
        else:
            return []
        if len(lines) > 1:  # it runs at import: who only looks at a constant runs through no line of the module
            tests |= self._of_files_that_name(Path(module).stem)
        by_file: dict[str, list[str]] = defaultdict(list)
        for test in sorted(tests, key=lambda test: (self._seconds[test], test)):
            by_file[test.split("::")[0]].append(test)
        files = sorted(by_file, key=lambda file: (self.seconds_of(by_file[file]) / len(by_file[file]), file))
        kept = self._within_budget([by_file[file] for file in files])
        return [test for file in files for test in by_file[file] if test in kept]

    def batches(self, tests: Sequence[str]) -> Iterator[list[str]]:
        """The tests of the first few files, and then the rest."""
        first = set(list(dict.fromkeys(test.split("::")[0] for test in tests))[:FILES_AT_FIRST])
        for batch in (
            [t for t in tests if t.split("::")[0] in first],
            [t for t in tests if t.split("::")[0] not in first],
        ):
            if batch:
                yield batch

    def seconds_of(self, tests: Sequence[str]) -> float:
        """How long these take together."""
        return sum(self._seconds[test] for test in tests)

    def _within_budget(self, files: Sequence[Sequence[str]]) -> set[str]:
        """A second of each file, then the next second of each, until the budget is used up: no file crowds out all."""
        rounds: list[tuple[int, int, str]] = []
        for place, tests in enumerate(files):
            taken = 0.0
            for test in tests:
                rounds.append((int(taken), place, test))
                taken += self._seconds[test]
        kept, left = set[str](), BUDGET
        for _, _, test in sorted(rounds):
            left -= self._seconds[test]
            if left < 0:
                break
            kept.add(test)
        return kept

    @cache  # noqa: B019 - as below
    def _of_files_that_name(self, stem: str) -> frozenset[str]:
        files = {test.split("::")[0] for test in self._seconds}
        imported = re.compile(rf"^(from|import) .*\b{stem}\b", re.MULTILINE)
        naming = {file for file in files if imported.search((self._checkout / file).read_text(encoding="utf-8"))}
        return frozenset(test for test in self._seconds if test.split("::")[0] in naming and self._is_fit(test))

    @cache  # noqa: B019 - there is one of it, which lives as long as the run
    def _by_line(self, module: str) -> dict[int, list[str]]:
        found: dict[int, list[str]] = self._lines.contexts_by_lineno(str(self._checkout / module))
        return {line: [test for test in tests if self._is_fit(test)] for line, tests in found.items()}

    def _is_fit(self, test: str) -> bool:
        return test in self._seconds and self._seconds[test] <= SLOW and test not in self.unfit
