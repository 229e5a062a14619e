"""What shows that a worker is alive: an advisory lock of its own, which others can ask for. What
the lock of a file shows is in `tests/bulk/test_bulk_states.py`.
"""

import time
from contextlib import ExitStack, closing

import pytest
import sqlalchemy as sa

from tests.bulk.bulk_runs import PATIENCE
from victor_ext.event_queue.presence import ServerPresence

pytestmark = pytest.mark.pull_request


@pytest.fixture
def url(postgres_server):
    return sa.make_url(postgres_server.new_schema())


@pytest.fixture
def pair(url):
    """Two workers of one server, both alive."""
    with ExitStack() as stack:
        here, there = (stack.enter_context(closing(ServerPresence(url))) for _ in range(2))
        assert here.acquire()
        assert there.acquire()
        yield here, there


def is_dead(seen_by, name):
    with seen_by.lock_of(name) as is_free:
        return is_free


def had_lost_its_lock(worker):
    """Have a worker renew its lock; whether it had lost it."""
    return worker.renew()


def end(worker, seen_by):
    """End a worker."""
    worker.close()
    wait_until_dead(worker, seen_by)


def wait_until_dead(worker, seen_by):
    """The server frees the lock of a connection that has ended soon."""
    until = time.monotonic() + PATIENCE
    while not is_dead(seen_by, worker.name):
        assert time.monotonic() < until


def test_a_worker_is_dead_once_its_connection_has_ended(pair):
    here, there = pair
    assert not is_dead(here, there.name)
    assert not is_dead(there, here.name)
    end(there, here)
    assert is_dead(here, there.name), "it was not let go"
    assert not is_dead(there, here.name), "it has ended, and knows nothing"


def test_only_one_worker_at_a_time_ends_the_leases_of_a_dead_worker(pair, url):
    here, there = pair
    with closing(ServerPresence(url)) as third:
        third.acquire()
        end(there, here)
        with here.lock_of(there.name) as is_free:
            assert is_free
            assert not is_dead(third, there.name)
        assert is_dead(third, there.name)


def test_a_worker_whose_connection_was_dropped_counts_as_dead_until_it_renews_its_lock(
    pair, postgres_server
):
    here, there = pair
    postgres_server.drop_connections(postgres_server.url("postgres"))
    assert had_lost_its_lock(here)
    wait_until_dead(there, here)
    assert had_lost_its_lock(there)
    assert not is_dead(here, there.name)
    assert not had_lost_its_lock(there)


def test_a_worker_takes_its_lock_on_the_primary_once_its_own_server_takes_no_writes(
    pair, postgres_server
):
    here, _ = pair
    assert not had_lost_its_lock(here)
    with postgres_server.demoted():
        assert had_lost_its_lock(here)
        assert not had_lost_its_lock(here)
