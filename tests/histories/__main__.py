"""`python -m tests.histories [HISTORIES] [SEED] [KIND] [postgresql]`: run many histories on all
cores, and print what fails.

With `postgresql`, histories of the kinds `outbox` and `inbox` run on a server of their
own: each process has a schema, whose tables are empty when a history begins.
"""

from __future__ import annotations

import gc
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Generator, Iterable
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

from tests.bulk.postgres import Postgres, new_schema
from tests.histories import settling
from tests.histories.history import LIKELY, draw, kind_of, run, shortest


class Found:
    """What a number of histories came to: the words that were told, and the seeds and complaints of
    each kind.
    """

    def __init__(self) -> None:
        self.count, self.words, self.wrong = 0, Counter[str](), dict[str, list[tuple[str, str]]]()

    def add(self, other: Found) -> None:
        self.count += other.count
        self.words += other.words
        for kind, each in other.wrong.items():
            self.wrong.setdefault(kind, []).extend(each)


def run_all(seed: str, numbers: Iterable[int], kind: str | None = None) -> Found:
    """Run the histories with these numbers."""
    found = Found()
    for number in numbers:
        found.count += 1
        history = draw(f"{seed}:{number}", kind)
        for complaint in run(history, found.words):
            name = f"{history.kind} {history.setup.get('operation', '')}: {kind_of(complaint)}"
            found.wrong.setdefault(name, []).append((f"{seed}:{number}", complaint))
    return found


def replayable(seed: str, complaint: str, kind: str | None = None) -> str:
    """The shortest history that fails in the same way, and what is wrong with it."""
    history = draw(seed, kind)
    history = shortest(history, complaint) if history.kind in LIKELY else history
    return f"seed {seed!r}: {complaint}\n{history!r}"


def begin(database: str | None) -> None:
    """Let a process run histories: in a schema of its own of this database, if one is given."""
    gc.freeze()  # modules are no garbage
    if database is not None:
        settling.DATABASE[0] = new_schema(database)


@contextmanager
def server_of(database: str | None) -> Generator[str | None]:
    """The URL of a database of a PostgreSQL server, for the block; None: SQLite is meant."""
    if database is None:
        yield None
        return
    server = Postgres()
    try:
        yield server.url("postgres")
    finally:
        server.stop()


def main(count: int, seed: str, kind: str | None, database: str | None) -> int:
    print(f"{count} histories from seed {seed!r}", flush=True)
    parts, found, began = 8 * (os.cpu_count() or 1), Found(), time.monotonic()
    with server_of(database) as url:
        with ProcessPoolExecutor(initializer=begin, initargs=(url,)) as pool:
            for part in [
                pool.submit(run_all, seed, range(place, count, parts), kind)
                for place in range(parts)
            ]:
                found.add(part.result())
        begin(url)
        for word, times in sorted(found.words.items()):
            print(f"{times:>8} {word}")
        for each in found.wrong.values():
            print(
                f"\n{len(each)} times, such as with "
                f"{replayable(*min(each, key=lambda one: len(one[0])), kind)}",
                flush=True,
            )
    took = f"seed {seed!r}, in {time.monotonic() - began:.0f} s"
    print(f"\n{sum(map(len, found.wrong.values()))} wrong in {found.count} histories from {took}")
    return 1 if found.wrong else 0


if __name__ == "__main__":
    given = [*sys.argv[1:], "", "", "", ""]
    seed = given[1] or str(random.randrange(10**9))
    sys.exit(main(int(given[0] or 100_000), seed, given[2] or None, given[3] or None))
