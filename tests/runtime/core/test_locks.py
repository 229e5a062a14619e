"""Permits: first come first served, and whoever is gone without a word holds nothing."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from victor_ext._runtime.core import locks
from victor_ext._runtime.core.locks import Semaphore, TaskLock, TaskPermit, ThreadPermit

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

    def test_a_wait_for_a_permit_ends_in_time(self):
        semaphore = Semaphore()
        holds = ThreadPermit(semaphore)
        waits = ThreadPermit(semaphore)
        assert holds.acquire(None)
        began = time.monotonic()
        assert not waits.acquire(0.05)
        assert 0.05 <= time.monotonic() - began < PATIENCE

    def test_a_wait_without_a_limit_outlasts_the_longest_wait_of_a_lock(self, monkeypatch):
        """On Windows the longest wait of a lock is 49 days, and a clock that counts from the start
        may be past that.
        """
        monkeypatch.setattr(threading, "TIMEOUT_MAX", 0.01)
        monkeypatch.setattr(locks, "PATIENCE", 0.01)
        semaphore = Semaphore()
        holds = ThreadPermit(semaphore)
        assert holds.acquire(None)
        with ThreadPoolExecutor(1) as threads:
            waits = threads.submit(ThreadPermit(semaphore).acquire, None)
            until(lambda: len(semaphore._queue) == 1)
            time.sleep(5 * threading.TIMEOUT_MAX)
            holds.release()
            assert waits.result(PATIENCE)

    def test_threads_get_their_permits_in_the_order_in_which_they_asked(self):
        semaphore = Semaphore()
        served = []
        holds = ThreadPermit(semaphore)
        holds.acquire(None)

        def wait(number):
            permit = ThreadPermit(semaphore)
            assert permit.acquire(PATIENCE)
            served.append(number)
            permit.release()

        with ThreadPoolExecutor(8) as threads:
            waiting = []
            for number in range(8):
                waiting.append(threads.submit(wait, number))
                until(lambda number=number: len(semaphore._queue) == number + 1)
            holds.release()
            for each in waiting:
                each.result(PATIENCE)
        assert served == list(range(8))

    def test_a_permit_that_was_lost_while_waiting_does_not_block_the_next_permit(self):
        """An exception at the wrong moment, such as a Ctrl-C, may lose a permit; what it held is
        free again.
        """
        semaphore = Semaphore()
        assert ThreadPermit(semaphore).acquire(0)
        holds, lost, waits = (ThreadPermit(semaphore) for _ in range(3))
        assert [permit.acquire(0) for permit in (holds, lost, waits)] == [True, False, False]
        del lost
        holds.release()
        assert waits.acquire(0)

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


class TestTasks:
    @pytest.mark.parametrize("turns", range(6))
    def test_a_task_whose_wait_is_cancelled_holds_no_permit(self, turns):
        async def run():
            semaphore = Semaphore()
            holds = TaskPermit(semaphore)
            await holds.acquire(None)

            async def wait():
                permit = TaskPermit(semaphore)
                try:
                    await permit.acquire(None)
                    await asyncio.sleep(PATIENCE)
                finally:
                    permit.release()

            waiting = asyncio.create_task(wait())
            for turn in range(turns):
                if turn == turns // 2:
                    holds.release()
                await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
            holds.release()
            return await TaskPermit(semaphore).acquire(0)

        assert asyncio.run(run())


def test_a_lock_of_tasks_is_one_for_each_event_loop():
    lock = TaskLock()
    held = threading.Event()
    done = threading.Event()

    async def hold():
        permit = lock.permit()
        assert await permit.acquire(0)
        held.set()
        done.wait(PATIENCE)
        return await lock.permit().acquire(0)

    with ThreadPoolExecutor(1) as threads:
        holding = threads.submit(lambda: asyncio.run(hold()))
        assert held.wait(PATIENCE)

        async def take():
            return await lock.permit().acquire(0)

        assert asyncio.run(take())
        done.set()
        assert holding.result(PATIENCE) is False
