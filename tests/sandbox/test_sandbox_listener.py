"""A connection that comes while the sandbox stops to listen is closed, and leaves no warning for a later test."""

from __future__ import annotations

import gc
import warnings

import pytest

from tests.faults.raw_sockets import background, run_as_a_connection_comes
from victor_ext.sandbox import SandboxSettings
from victor_ext.sandbox.server.service import Service
from victor_ext.sandbox.victor.provider import VictorProvider


@pytest.mark.parametrize("stopped_by", ["down", "end"])
def test_a_connection_that_comes_while_it_stops_is_closed(stopped_by: str) -> None:
    with warnings.catch_warnings(record=True) as caught, background() as loop:
        warnings.simplefilter("always")
        service = Service(VictorProvider, SandboxSettings())
        loop.run(service.begin())
        stopping = service.ports.down(None) if stopped_by == "down" else service.end()
        run_as_a_connection_comes(loop, service.ports.api.port, stopping)
        if stopped_by == "down":
            loop.run(service.end())
        gc.collect()
    assert [str(each.message) for each in caught] == []
