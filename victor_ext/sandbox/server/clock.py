"""The sandbox's two notions of time.

`wall()` is this machine's clock plus the configured skew. Tokens are judged by it and the `Date` header tells
it. `now()` is the wall clock plus everything that `advance()` added. Requests are created, fall due and
expire by it. Advancing therefore never makes a token expire, and a skewed clock is skewed everywhere.
"""

from __future__ import annotations

import time
from email.utils import formatdate


class Clock:
    """Wall time with a skew, and business time that can be advanced."""

    def __init__(self, *, skew: float = 0.0, advanced: float = 0.0) -> None:
        self.skew = skew
        self.advanced = advanced
        self._date_second = -1
        self._date_text = b""

    def wall(self) -> float:
        """Epoch seconds as this server believes them."""
        return time.time() + self.skew

    def now(self) -> float:
        """Epoch seconds of the business clock."""
        return time.time() + self.skew + self.advanced

    def date_header(self) -> bytes:
        """The wall clock as an HTTP date; made once a second."""
        second = int(self.wall())
        if second != self._date_second:
            self._date_second = second
            self._date_text = formatdate(second, usegmt=True).encode("ascii")
        return self._date_text
