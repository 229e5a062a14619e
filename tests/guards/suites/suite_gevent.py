"""Green threads: all that waits in one lets the others go on."""

from gevent import monkey

monkey.patch_all()

import gevent  # noqa: E402 - after the patches, as gevent says
from paying import create  # noqa: E402


def test_green_threads_call_at_the_same_time():
    jobs = [gevent.spawn(create) for _ in range(20)]
    gevent.joinall(jobs, timeout=20)
    assert {job.value.id for job in jobs} == {"from-the-provider"}
