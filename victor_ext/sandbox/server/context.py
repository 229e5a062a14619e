"""What the server and the provider of a sandbox share: the clock, the record of calls, the faults."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate

from victor_ext.sandbox.server.exchange import KeyLocation, Response
from victor_ext.sandbox.server.faults import FaultQueue
from victor_ext.sandbox.server.operations import Operation, OperationTable
from victor_ext.sandbox.server.received import Received, ReceivedLog
from victor_ext.sandbox.server.redaction import shown_headers
from victor_ext.sandbox.server.settings import ServerSettings

access = logging.getLogger("victor_ext.sandbox.access")
logger = logging.getLogger("victor_ext.sandbox")
_KEPT = 200
_LARGEST = 64 * 1024


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


class Changes:
    """Wakes the pages that are open. Only the serving thread uses it."""

    def __init__(self) -> None:
        self._watchers: set[asyncio.Event] = set()

    def touch(self) -> None:
        """Wake every watcher."""
        for watcher in self._watchers:
            watcher.set()

    @contextmanager
    def watch(self) -> Generator[asyncio.Event]:
        """An event that is set by each change; the watcher clears it."""
        watcher = asyncio.Event()
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)


@dataclass(frozen=True, slots=True)
class Content:
    """The bodies of one call; of a body over 64 KiB, its beginning."""

    body: bytes
    response: Response | None
    """None: there was no response. It is kept as it was made, also when a fault kept it from arriving."""


class ContentLog:
    """The contents of the last calls by their number in the record. They are redacted when they are shown."""

    def __init__(self) -> None:
        self._kept: dict[int, Content] = {}

    def keep(self, number: int, body: bytes, response: Response | None) -> None:
        """Keep the content of a call, and forget that of the oldest one."""
        self._kept[number] = Content(body[:_LARGEST], response)
        if len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]

    def get(self, number: int) -> Content | None:
        """The content of one call, while it is remembered."""
        return self._kept.get(number)

    def clear(self) -> None:
        self._kept.clear()


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

    def begin(
        self, method: str, path: str, operation: str, key: str | None, headers: Iterable[tuple[bytes, bytes]]
    ) -> Received:
        """Record a call whose head has arrived."""
        self.changes.touch()
        return self.log.begin(self.clock.wall(), method, path, operation, key, shown_headers(headers))

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
