"""A connection that comes while the sandbox stops to listen is closed, and leaves no warning for a later test."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import warnings

import pytest

from tests.faults.raw_sockets import PATIENCE, background
from victor_ext.sandbox import SandboxSettings
from victor_ext.sandbox.server.service import Service
from victor_ext.sandbox.victor.provider import VictorProvider


@pytest.mark.parametrize("stopped_by", ["down", "end"])
def test_a_connection_that_comes_while_it_stops_is_closed(stopped_by: str) -> None:
    busy, go_on = threading.Event(), threading.Event()

    def hold_the_loop() -> None:
        busy.set()
        go_on.wait(PATIENCE)

    with warnings.catch_warnings(record=True) as caught, background() as loop:
        warnings.simplefilter("always")
        service = Service(VictorProvider, SandboxSettings())
        loop.run(service.begin())
        loop.loop.call_soon_threadsafe(hold_the_loop)
        assert busy.wait(PATIENCE)
        with socket.create_connection(("127.0.0.1", service.port), PATIENCE):
            stopped = service.down(None) if stopped_by == "down" else service.end()
            stopping = asyncio.run_coroutine_threadsafe(stopped, loop.loop)
            go_on.set()  # the connection and the end come in one round of the loop
            stopping.result(PATIENCE)
        if stopped_by == "down":
            loop.run(service.end())
        gc.collect()
    assert [str(each.message) for each in caught] == []
