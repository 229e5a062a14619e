"""What the server and the provider of a sandbox share: the clock, the record of calls, the faults."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from email.utils import formatdate

from victor_ext.sandbox.server.call import KeyLocation
from victor_ext.sandbox.server.changes import Changes
from victor_ext.sandbox.server.contents import ContentLog
from victor_ext.sandbox.server.faults import FaultQueue
from victor_ext.sandbox.server.operations import OTHER, Operation, OperationTable
from victor_ext.sandbox.server.paths import is_control, is_page
from victor_ext.sandbox.server.received import Received, ReceivedLog
from victor_ext.sandbox.server.settings import ServerSettings

access = logging.getLogger("victor_ext.sandbox.access")
logger = logging.getLogger("victor_ext.sandbox")


class Clock:
    """The wall clock with a skew, and the business clock, which can be advanced.

    Tokens and the `Date` header go by the wall clock; everything else goes by the business clock. So `advance` never
    makes a token expire, and a skew moves both clocks.
    """

    def __init__(self, *, skew: float = 0.0, advanced: float = 0.0) -> None:
        self.skew = skew
        self.advanced = advanced
        self._date_second = -1
        self._date_text = b""

    def wall(self) -> float:
        """Epoch seconds of the wall clock: this machine's clock and the skew."""
        return time.time() + self.skew

    def now(self) -> float:
        """Epoch seconds of the business clock: the wall clock and everything that was advanced."""
        return self.wall() + self.advanced

    def date_header(self) -> bytes:
        """The wall clock as an HTTP date; formatted once a second."""
        second = int(self.wall())
        if second != self._date_second:
            self._date_second = second
            self._date_text = formatdate(second, usegmt=True).encode("ascii")
        return self._date_text

    def to_dict(self) -> dict[str, float]:
        """Both clocks, for the control API."""
        return {"now": self.now(), "wall": self.wall(), "skew": self.skew, "advanced": self.advanced}


class SandboxContext:
    """State of a sandbox that belongs to no provider. Only the serving thread uses it."""

    def __init__(self, settings: ServerSettings, operations: Sequence[Operation], key: KeyLocation) -> None:
        self.settings = settings
        self.operations = OperationTable(operations)
        self.key = key
        self.clock = Clock(skew=settings.clock_skew)
        self.faults = FaultQueue(settings.seed)
        self.log = ReceivedLog(settings.keep_received)
        self.contents = ContentLog()
        self.changes = Changes()

    def reset(self) -> None:
        """Forget faults and received calls, and set the clocks back."""
        self.faults.clear()
        self.log.clear()
        self.contents.clear()
        self.clock.advanced = 0.0
        self.clock.skew = self.settings.clock_skew

    def is_own(self, method: str, path: str) -> bool:
        """Whether a call is for the control API or for the page: no fault touches it, and it is not recorded."""
        return is_control(path) or (is_page(method, path) and self.operations.name(method, path) == OTHER)

    def begin(self, method: str, path: str, operation: str, key: str | None) -> Received:
        """Record a call whose head has arrived."""
        self.changes.touch()
        return self.log.begin(self.clock.wall(), method, path, operation, key)

    def finish(self, exchange: Received, status: int | None) -> None:
        """Record the status of the response (None: there was none), and log the call."""
        exchange.status = status
        exchange.milliseconds = max(0.0, round((self.clock.wall() - exchange.at) * 1000, 3))
        self.changes.touch()
        if access.isEnabledFor(logging.INFO):
            access.info("%s", exchange.summary())

    def log_failure(self, message: str, error: BaseException | None = None) -> None:
        """Log a mistake of the sandbox itself."""
        logger.error("%s", message, exc_info=error)
