"""A machine whose clock is wrong: put this folder into PYTHONPATH, and the seconds into SHIFTED_CLOCK.

Python imports a module of this name when it starts. The monotonic clock is left alone, as by whoever sets a clock.
"""

import os
import time

_AHEAD = float(os.environ.get("SHIFTED_CLOCK", "0"))
_time, _time_ns = time.time, time.time_ns

time.time = lambda: _time() + _AHEAD
time.time_ns = lambda: _time_ns() + int(_AHEAD * 1e9)
