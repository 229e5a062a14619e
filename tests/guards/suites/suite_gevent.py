"""Green threads: all that waits in one lets the others go on."""

from gevent import monkey

monkey.patch_all()

import gevent  # noqa: E402 - after the patches, as gevent says
from paying import create  # noqa: E402

from victor_ext import CallEnded, CallStarted  # noqa: E402


def test_green_threads_call_at_the_same_time():
    under_way = set()
    counts = []

    def on_event(event):
        if isinstance(event, CallStarted):
            under_way.add(event.call_id)
        if isinstance(event, CallEnded):
            under_way.remove(event.call_id)
        counts.append(len(under_way))

    jobs = [gevent.spawn(create, on_event=on_event) for _ in range(20)]
    gevent.joinall(jobs, timeout=20)
    assert {job.value.id for job in jobs} == {"from-the-provider"}
    assert max(counts) > 1
