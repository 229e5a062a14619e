"""What every stand-in stands on: the clock, the record of calls, the faults."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from victor_ext.sandbox.server.clock import Clock
from victor_ext.sandbox.server.faults import FaultBox
from victor_ext.sandbox.server.paths import PathTable
from victor_ext.sandbox.server.received import ReceivedLog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from victor_ext.sandbox.server.keys import KeyPlace
    from victor_ext.sandbox.server.paths import Operation
    from victor_ext.sandbox.server.received import Received
    from victor_ext.sandbox.server.settings import ServerSettings

access = logging.getLogger("victor_ext.sandbox.access")
trouble = logging.getLogger("victor_ext.sandbox")
_LONG_NUMBER = re.compile(r"[0-9]{5,}(?=[0-9]{4})")


class SandboxContext:
    """One sandbox without its server and its provider. Used by one thread only, the one that serves."""

    def __init__(self, settings: ServerSettings, operations: Sequence[Operation], key: KeyPlace) -> None:
        self.settings = settings
        self.paths = PathTable(operations)
        self.key = key
        self.clock = Clock(skew=settings.clock_skew)
        self.faults = FaultBox(settings.seed)
        self.log = ReceivedLog(settings.keep_received)

    def reset(self) -> None:
        """Forget faults and what was received, and set the clocks back."""
        self.faults.clear()
        self.log.clear()
        self.clock.advanced = 0.0
        self.clock.skew = self.settings.clock_skew

    def begin(self, method: str, path: str, operation: str, key: str | None) -> Received:
        """Note an exchange whose head has arrived."""
        return self.log.begin(self.clock.wall(), method, path, operation, key)

    def finish(self, exchange: Received, status: int | None) -> None:
        """Note what was answered, and log one line for whoever is watching."""
        exchange.status = status
        exchange.milliseconds = max(0.0, round((self.clock.wall() - exchange.at) * 1000, 3))
        if access.isEnabledFor(logging.INFO):
            access.info("%s", _line(exchange))

    def complain(self, message: str, error: BaseException | None = None) -> None:
        """Say that the sandbox itself is at fault."""
        trouble.error("%s", message, exc_info=error)


def _line(exchange: Received) -> str:
    key = exchange.idempotency_key
    parts = [
        f"{exchange.method:<4}",
        _shown(exchange.path),
        "-" if exchange.status is None else str(exchange.status),
        f"{exchange.milliseconds:.1f} ms",
    ]
    if key is not None:
        parts.append(f"key={_shown(key[:8])}{'…' if len(key) > 8 else ''} attempt={exchange.attempt}")
    if exchange.replayed:
        parts.append("replayed")
    if exchange.fault:
        parts.append(f"fault={exchange.fault}")
    return "  ".join(parts)


def _shown(text: str) -> str:
    """A path or key as it may stand in a log: no line breaks, and of a long number the last four digits."""
    plain = "".join(c if c.isprintable() else "?" for c in text[:200])
    return _LONG_NUMBER.sub(lambda match: "*" * len(match[0]), plain)
