"""Run every case and print the table: `python -m tests.spec.rehearsal [word in the title ...]`."""

from __future__ import annotations

import sys
import time

from .cases import CASES
from .rehearse import rehearse


def main(words: list[str]) -> int:
    """Returns 0 when every class is told, and proven, as the case says."""
    began = time.monotonic()
    cases = [case for case in CASES if not words or any(word in f"{case.document} {case.title}" for word in words)]
    results = rehearse(cases)
    for result in results:
        print(result.line())
        if not result.holds or words:
            print(result.reasons())
    print()
    for column in ("wire", "python"):
        levels = [getattr(result.case, column) for result in results]
        counts = ", ".join(f"{levels.count(level)} {level}" for level in ("breaks", "look", "fine", "none"))
        told = sum(getattr(result.told, column) == getattr(result.case, column) for result in results)
        proven = sum(getattr(result.proven, column).level == getattr(result.case, column) for result in results)
        print(f"{column:7} {counts}; told right: {told} of {len(results)}, proven: {proven} of {len(results)}")
    print(f"{sum(result.holds for result in results)} of {len(results)} hold, in {time.monotonic() - began:.0f} s")
    return int(not all(result.holds for result in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
