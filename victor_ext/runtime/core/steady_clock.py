"""The clock of waits, time-outs and deadlines."""

from __future__ import annotations

import time
from functools import partial

monotonic = partial(time.monotonic)
"""Seconds that always pass.

freezegun stops `time.monotonic` wherever it finds that function, and a wait by it would never end. It leaves a
partial alone.
"""
