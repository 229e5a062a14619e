"""Two workers in processes of their own, of which one is killed or stopped: the other one goes on
with what was left at once, and with what was under call when that call must have ended.
"""

import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import contextmanager

import pytest

from tests.outbox.rows import states, stored
from tests.payments import invoice

pytestmark = pytest.mark.pull_request
DEADLINE = 4.0
LATE = 5.0
"""Seconds after a call must have ended by which another worker has begun with its entry."""
PATIENCE = 60.0
WORKERS = 4
TAKES = 0.3
"""Seconds that a call takes, but for those that never end."""


class Ownership:
    """Workers of one outbox, and the calls that the provider has received from them."""

    def __init__(self, sandbox, outbox, database, kind):
        self.outbox, self._sandbox, self._kind = outbox, sandbox, kind
        self._database = database
        names = ("VICTOR_CLIENT_ID", "VICTOR_CLIENT_SECRET")
        self._environment = dict(zip(names, sandbox.add_oauth_client(), strict=True))
        self._environment |= {"VICTOR_BASE_URL": sandbox.url, "VICTOR_ENVIRONMENT": "staging"}

    @contextmanager
    def worker(self):
        words = [self._database, f"{DEADLINE:g}", f"{WORKERS}", self._kind]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.outbox.one_worker", *words],
            env={**os.environ, **self._environment},
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def calls(self):
        """When each call has come, by its key."""
        calls = defaultdict(list)
        for call in self._sandbox.received():
            if call.operation == "create":
                calls[call.idempotency_key].append(call.at)
        return calls

    def wait_for(self, come):
        ends = time.monotonic() + PATIENCE
        while not come():
            assert time.monotonic() < ends, self.calls()
            time.sleep(0.02)

    def wait_for_calls(self, count):
        self.wait_for(lambda: len(self.calls()) >= count)

    def wait_until_sent(self):
        self.wait_for(lambda: {*states(self.outbox.entries())} == {"sent"})

    def repeats(self):
        """The seconds from the first call of a key to the second one, of those that have two."""
        calls = [sorted(each) for each in self.calls().values()]
        assert max(map(len, calls)) <= 2
        return [each[1] - each[0] for each in calls if len(each) == 2]


@pytest.fixture(params=["blocking", "awaited"])
def ownership(request, victor_sandbox, outbox, database_url):
    return Ownership(victor_sandbox, outbox, database_url, request.param)


def test_what_a_killed_worker_has_left_is_sent_at_once_and_what_it_was_calling_once_that_has_ended(
    ownership, victor_sandbox
):
    stored(ownership.outbox, *map(invoice, range(36)))
    victor_sandbox.inject("delay", operation="create", delay=TAKES, times=None)
    with ownership.worker() as first, ownership.worker():
        ownership.wait_for_calls(12)
        first.kill()
        killed = time.monotonic()
        ownership.wait_for_calls(36)
        assert time.monotonic() - killed < DEADLINE, "no other entry waits for the killed worker"
        ownership.wait_until_sent()
    repeats = ownership.repeats()
    assert 1 <= len(repeats) <= WORKERS, "those that were under call, or about to be stored"
    assert all(DEADLINE <= seconds <= DEADLINE + LATE for seconds in repeats), repeats


def test_a_worker_that_was_stopped_calls_and_stores_nothing_over_its_successor(
    ownership, victor_sandbox
):
    stored(ownership.outbox, *map(invoice, range(12)))
    victor_sandbox.inject("delay", operation="create", delay=60, times=WORKERS)
    victor_sandbox.inject("delay", operation="create", delay=TAKES, times=None)
    with ownership.worker() as first:
        ownership.wait_for_calls(WORKERS)
        first.send_signal(signal.SIGSTOP)
        with ownership.worker() as second:
            ownership.wait_until_sent()
            first.send_signal(signal.SIGCONT)
            stored(ownership.outbox, invoice(12))
            ownership.wait_for_calls(13)
            first.send_signal(signal.SIGINT)
            assert first.wait(PATIENCE) in (0, 1, -signal.SIGINT)
            ownership.wait_until_sent()
            assert second.poll() is None
    repeats = ownership.repeats()
    assert len(repeats) == WORKERS
    assert all(DEADLINE <= seconds <= DEADLINE + LATE for seconds in repeats), repeats
