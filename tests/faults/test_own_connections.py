"""What a client is sure of because its connections are its own. The tier that runs with each change
sees it, so that nobody exchanges them without a word.
"""

import pytest

from tests.faults.adapters import adapter, each_mode, observed
from tests.faults.raw_provider import CREATE
from tests.faults.raw_sockets import Background, trickling_server
from tests.suspends import Machine
from victor_ext import DeadlineExceeded
from victor_ext.runtime.http import connections


@each_mode
def test_a_write_takes_no_connection_that_was_just_used(
    background: Background, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A late second response would come there: only a read by id, which believes no other id, takes
    it.
    """
    monkeypatch.setattr(connections, "REUSE_DELAY", 1e9)
    with adapter(background, mode) as on:
        before = on.provider.record.connections
        for opened, operation in enumerate(("create", "create", "respond"), start=1):
            on.expect("success", operation, requests=1)
            assert on.provider.record.connections == before + opened
        on.expect("success", "get", requests=1)
        assert on.provider.record.connections == before + opened


@each_mode
def test_nothing_of_a_write_is_sent_whose_time_passed_while_a_connection_was_opened(
    background: Background, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever writes the first byte looks at the clock once more."""
    machine = Machine(monkeypatch)
    with adapter(background, mode, deadline=30.0) as on:
        machine.will_sleep("connect", 31.0, CREATE)
        run = on.run("create")
        assert machine.naps == ["connect"]
        assert run.observed.word == "not_sent"
        assert run.seen.bytes_received == 0


@each_mode
def test_a_head_that_comes_byte_by_byte_ends_at_the_deadline(mode: str) -> None:
    """Each byte comes within the time-out of a read."""
    with trickling_server(b"HTTP/1.1 200 OK\r\n", b"x-more: and more\r\n") as url:
        seen = observed(mode, url, timeout=20.0, deadline=0.1)
    assert isinstance(seen.error, DeadlineExceeded)
