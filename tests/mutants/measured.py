"""What was measured on the unchanged code: the tests that run through a line, and how long each takes."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.mutants.checkouts import TOOLS

SLOW = 3.0
"""Seconds. A test that takes longer is none of the fast ones."""
BUDGET = 25.0
"""Seconds of tests that one change is shown at most: enough for all that run through most lines."""


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
        """The shortest tests that run through the nearest of these lines, file by file, up to the budget."""
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
        kept: list[str] = []
        for test in sorted(tests, key=lambda test: (self._seconds[test], test)):
            if self.seconds_of([*kept, test]) > BUDGET:
                break
            kept.append(test)
        files = list(dict.fromkeys(test.split("::")[0] for test in kept))
        return sorted(kept, key=lambda test: files.index(test.split("::")[0]))

    def seconds_of(self, tests: Sequence[str]) -> float:
        """How long these take together."""
        return sum(self._seconds[test] for test in tests)

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
