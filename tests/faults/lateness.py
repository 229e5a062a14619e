"""How late this machine itself is: what a limit on time has to be widened by to mean anything."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PACE = 0.01


class Lateness:
    """The longest that a thread which only waits was kept from going on."""

    seconds = 0.0


@contextmanager
def lateness() -> Iterator[Lateness]:
    found, over = Lateness(), threading.Event()

    def watch() -> None:
        while True:
            began = time.monotonic()
            if over.wait(PACE):
                return
            found.seconds = max(found.seconds, time.monotonic() - began - PACE)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
