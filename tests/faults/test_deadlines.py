"""A deadline holds: against stalls anywhere, against trickles and floods, and over both halves of
an answer.
"""

import httpx
import pytest

from tests.faults.adapters import (
    adapter,
    each_mode,
    each_operation,
)
from tests.faults.raw_provider import Cut, bare, flooding
from tests.faults.raw_sockets import lateness
from victor_ext import DeadlineExceeded

pytestmark = pytest.mark.slow
DEADLINE = 0.3
TOLERATED = 0.1
"""Seconds by which a call may outlast its deadline, besides what this machine itself is late by."""


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n"


def punctual(call):
    """Call, and check that it ended in time.

    What the machine is late by is not held against it, nor is one slow moment: what a client does
    wrong by itself it does wrong three times.
    """
    spans = []
    for _ in range(3):
        with lateness() as late:
            seen = call()
        spans.append(seen.seconds - late.seconds)
        if spans[-1] <= DEADLINE + TOLERATED:
            return seen
    raise AssertionError(f"a deadline of {DEADLINE} s took {spans} s")


def truthfully(on, operation, cuts=()):
    """A call whose observed result is true."""
    run = on.run(operation, cuts)
    assert run.mismatches() == []
    return run.observed


@each_operation
@each_mode
def test_a_stall_anywhere_ends_at_the_deadline(background, mode, operation):
    with adapter(background, mode) as on:
        assert on.run(operation).observed.word == "success"
        whole = on.provider.exchanges[-1]
    cuts = [Cut("request", at, "stall") for at in (0, whole.request - 1)]
    cuts += [Cut("answer", at, "stall") for at in (1, whole.answer - 1)]
    with adapter(background, mode, timeout=20.0, deadline=DEADLINE) as on:
        for cut in cuts:
            seen = punctual(lambda cut=cut: truthfully(on, operation, [cut] * 3))
            assert isinstance(seen.error, DeadlineExceeded), cut
            assert seen.word == "unknown", cut


@each_mode
def test_a_write_and_the_look_up_after_its_lost_answer_share_one_deadline(background, mode):
    """An answer that was lost is looked for in the time that is left, and not in as much again."""
    with adapter(
        background, mode, timeout=httpx.Timeout(DEADLINE / 2, connect=5.0), deadline=DEADLINE
    ) as on:
        lost = Cut("answer", 0, "stall")
        deaf = Cut("request", 0, "stall")
        assert punctual(lambda: truthfully(on, "respond", [lost, deaf, deaf])).word == "unknown"
        assert punctual(lambda: truthfully(on, "respond", [lost])).word == "success"


FLOODS = {
    "interim": (b"", bare(["HTTP/1.1 103 Early Hints", "Link: <x>"]) * 100),
    "body": (HEAD, b" "),
    "chunks": (bare(["HTTP/1.1 200 OK", "Transfer-Encoding: chunked"]), b"1\r\n \r\n"),
}
"""What a server says first, and what it goes on saying as fast as it can."""


@each_mode
@pytest.mark.parametrize("flood", FLOODS)
def test_a_response_without_an_end_ends_at_the_deadline(background, mode, flood):
    """There is always something to read: no wait for it ever times out."""
    with adapter(background, mode, timeout=20.0, deadline=DEADLINE) as on:
        on.provider.acts.extend([flooding(*FLOODS[flood])] * 9)
        seen = punctual(lambda: truthfully(on, "create"))
        assert isinstance(seen.error, DeadlineExceeded)
        assert seen.word == "unknown"
