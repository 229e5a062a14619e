"""A machine whose clock is wrong: put this folder into PYTHONPATH, and the seconds into SHIFTED_CLOCK.

Python imports a module of this name when it starts. The monotonic clock is left alone, as by whoever sets a clock. The
seconds are read each time: a process that is forked from one that has started may have others.
"""

import os
import time

_time, _time_ns = time.time, time.time_ns


def _ahead() -> float:
    return float(os.environ.get("SHIFTED_CLOCK", "0"))


time.time = lambda: _time() + _ahead()
time.time_ns = lambda: _time_ns() + int(_ahead() * 1e9)
