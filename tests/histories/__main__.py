"""`python -m tests.histories [HISTORIES] [SEED] [FAMILY]`: run many histories on all cores, and print what fails."""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

from tests.histories.history import draw, kind_of, run, shortest


class Found(NamedTuple):
    """What a part of the histories came to."""

    count: int
    words: Counter[str]
    kinds: Counter[str]
    first: dict[str, tuple[str, str]]
    """The first seed of each kind of complaint, and the complaint."""


def run_all(seed: str, numbers: range, *, seconds: float = float("inf"), family: str | None = None) -> Found:
    """Run the histories with these numbers, for at most so many seconds of the processor."""
    words, kinds, first, ends, count = Counter[str](), Counter[str](), dict[str, tuple[str, str]](), seconds, 0
    ends += time.process_time()
    for number in numbers:
        if time.process_time() > ends:
            break
        count += 1
        history = draw(f"{seed}:{number}", family)
        for complaint in run(history, words):
            kind = f"{history.family} {history.setup.get('operation', '')}: {kind_of(complaint)}"
            kinds[kind] += 1
            first.setdefault(kind, (f"{seed}:{number}", complaint))
    return Found(count, words, kinds, first)


def replayable(seed: str, complaint: str, family: str | None = None) -> str:
    """The shortest history that fails in the same way, and what is wrong with it."""
    history = draw(seed, family)
    short = history if "play" in dir(history) else shortest(history, complaint)
    return f"seed {seed!r}\n{short!r}\n" + "\n".join(run(short))


def main(count: int, seed: str, family: str | None) -> int:
    print(f"{count} histories from seed {seed!r}", flush=True)
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores) as pool:
        parts = list(pool.map(_part, [(seed, range(place, count, 4 * cores), family) for place in range(4 * cores)]))
    words = sum((part.words for part in parts), Counter[str]())
    kinds = sum((part.kinds for part in parts), Counter[str]())
    first = {kind: found for part in reversed(parts) for kind, found in part.first.items()}
    for word, times in sorted(words.items()):
        print(f"{times:>8} {word}")
    for kind, times in kinds.most_common():
        print(f"\n{times} times, first with {first[kind][0]}: {kind}", flush=True)
    for kind, _ in kinds.most_common(3):
        print(f"\n{replayable(*first[kind], family)}", flush=True)
    print(f"{sum(kinds.values())} complaints about {count} histories from seed {seed!r}")
    return 1 if kinds else 0


def _part(part: tuple[str, range, str | None]) -> Found:
    return run_all(part[0], part[1], family=part[2])


if __name__ == "__main__":
    given = [*sys.argv[1:], "", "", ""]
    sys.exit(main(int(given[0] or 100_000), given[1] or str(random.randrange(10**9)), given[2] or None))
