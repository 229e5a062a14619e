"""Permits: first come first served, and whoever is gone without a word holds nothing."""

import time
from concurrent.futures import ThreadPoolExecutor

from victor_ext._runtime.core import locks
from victor_ext._runtime.core.locks import Semaphore, ThreadPermit

PATIENCE = 20.0


def until(condition):
    ends = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.001)


class TestThreads:
    def test_a_semaphore_admits_as_many_as_it_has_places(self):
        semaphore = Semaphore(2)
        first, second, third = (ThreadPermit(semaphore) for _ in range(3))
        assert [permit.acquire(0) for permit in (first, second, third)] == [True, True, False]
        assert first.acquire(0), "it has a place, and takes no other"
        second.release()
        second.release()
        assert [third.acquire(0), second.acquire(0)] == [True, False]

    def test_a_permit_that_was_lost_while_held_is_given_to_the_next_thread(self, monkeypatch):
        monkeypatch.setattr(locks, "PATIENCE", 0.01)
        semaphore = Semaphore()
        lost = ThreadPermit(semaphore)
        lost.acquire(0)
        with ThreadPoolExecutor(1) as threads:
            waits = threads.submit(ThreadPermit(semaphore).acquire, None)
            until(lambda: len(semaphore._queue) == 1)
            del lost  # without waking anybody
            assert waits.result(PATIENCE)
