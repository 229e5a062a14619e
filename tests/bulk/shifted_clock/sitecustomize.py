"""A machine whose clock is wrong: put this folder into PYTHONPATH, and the seconds into
SHIFTED_CLOCK.

Python imports a module of this name when it starts. The monotonic clock is left alone, as by
whoever sets a clock. In place of the seconds there may be the path of a file with them: then the
clock can be moved while the process runs.
"""

import os
import time
from pathlib import Path

_time, _time_ns = time.time, time.time_ns


def _ahead() -> float:
    ahead = os.environ.get("SHIFTED_CLOCK", "0")
    return float(Path(ahead).read_text("ascii") if os.sep in ahead else ahead)


time.time = lambda: _time() + _ahead()
time.time_ns = lambda: _time_ns() + int(_ahead() * 1e9)
