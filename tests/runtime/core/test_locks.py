"""Places of locks: as many as there are, and whoever is gone without a word holds none."""

from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest

from victor_ext._runtime.core.locks import TaskPlace, ThreadLock, ThreadPlace

PATIENCE = 20.0


class TestThreads:
    def test_a_lock_has_as_many_places_as_it_was_made_with(self):
        lock = ThreadLock(2)
        first, second, third = (ThreadPlace(lock) for _ in range(3))
        assert [place.acquire(0) for place in (first, second, third)] == [True, True, False]
        second.release()
        second.release()
        assert lock.value == 1
        assert [third.acquire(0), second.acquire(0)] == [True, False]

    @pytest.mark.parametrize("seconds", [None, 0, -1.0, 5.0, 1e300])
    def test_a_place_that_is_free_is_held_within_any_time(self, seconds):
        lock = ThreadLock()
        assert ThreadPlace(lock).acquire(seconds)
        assert lock.value == 1

    def test_a_place_that_was_lost_while_held_goes_to_the_next_thread(self):
        lock = ThreadLock()
        lost = ThreadPlace(lock)
        lost.acquire(0)
        with ThreadPoolExecutor(1) as threads:
            waits = threads.submit(ThreadPlace(lock).acquire, None)
            assert not waits.done()
            del lost
            assert waits.result(PATIENCE)


@pytest.mark.parametrize("library", ["asyncio", "trio"])
def test_a_task_that_is_cancelled_while_it_waits_holds_no_place(library):
    async def run():
        lock = anyio.Semaphore(1)
        first, cancelled, second = (TaskPlace(lock) for _ in range(3))
        assert await first.acquire(0)
        assert not await second.acquire(0)
        async with anyio.create_task_group() as group:
            group.start_soon(cancelled.acquire, None)
            await anyio.wait_all_tasks_blocked()
            first.release()  # the task has the place, and does not know it yet
            group.cancel_scope.cancel()
        cancelled.release()
        assert await second.acquire(PATIENCE)
        assert lock.value == 0

    anyio.run(run, backend=library)
