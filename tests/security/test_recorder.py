"""The recorder closes what it has accepted, at whatever moment it is closed itself."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import warnings

from tests.faults.raw_sockets import PATIENCE, background
from tests.security.recorder import Recorder


def test_a_connection_that_comes_while_it_closes_is_closed() -> None:
    busy, go_on = threading.Event(), threading.Event()

    def hold_the_loop() -> None:
        busy.set()
        go_on.wait(PATIENCE)

    with warnings.catch_warnings(record=True) as caught, background() as loop:
        warnings.simplefilter("always")
        recorder = Recorder(loop)
        loop.loop.call_soon_threadsafe(hold_the_loop)
        assert busy.wait(PATIENCE)
        with socket.create_connection(("127.0.0.1", recorder.port), PATIENCE):
            closed = asyncio.run_coroutine_threadsafe(recorder.shut(), loop.loop)
            go_on.set()  # the connection and the end come in one round of the loop
            closed.result(PATIENCE)
        gc.collect()
    assert [str(each.message) for each in caught] == []
