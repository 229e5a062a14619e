"""The recorder closes what it has accepted, at whatever moment it is closed itself."""

from __future__ import annotations

import gc
import warnings

from tests.faults.raw_sockets import background, run_as_a_connection_comes
from tests.security.recorder import Recorder


def test_a_connection_that_comes_while_it_closes_is_closed() -> None:
    with warnings.catch_warnings(record=True) as caught, background() as loop:
        warnings.simplefilter("always")
        recorder = Recorder(loop)
        run_as_a_connection_comes(loop, recorder.port, recorder.shut())
        gc.collect()
    assert [str(each.message) for each in caught] == []
