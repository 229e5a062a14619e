"""The sandbox without its server: all parts, put together once."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from victor_ext.sandbox.clock import Clock
from victor_ext.sandbox.directory import Directory
from victor_ext.sandbox.document import load_document
from victor_ext.sandbox.faults import FaultBox
from victor_ext.sandbox.journal import open_journal
from victor_ext.sandbox.ledger import Ledger
from victor_ext.sandbox.listing import Listing
from victor_ext.sandbox.received import ReceivedLog, operation_of
from victor_ext.sandbox.rules import CreateRules
from victor_ext.sandbox.shapes import Shapes
from victor_ext.sandbox.store import Store
from victor_ext.sandbox.tokens import Gate

if TYPE_CHECKING:
    from victor_ext.sandbox.received import Received
    from victor_ext.sandbox.settings import SandboxSettings

access = logging.getLogger("victor_ext.sandbox.access")
trouble = logging.getLogger("victor_ext.sandbox")
_LONG_NUMBER = re.compile(r"[0-9]{5,}(?=[0-9]{4})")


class Core:
    """State and rules of one sandbox. Used by one thread only, the one that serves."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.document = load_document()
        self.journal = open_journal(settings.state)
        self.clock = Clock(skew=settings.clock_skew)
        self.directory = Directory(self.journal)
        self.store = Store(self.journal)
        self.ledger = Ledger(settings, self.clock, self.store, self.directory)
        self.gate = Gate(settings, self.clock, self.directory)
        self.rules = CreateRules(settings, self.clock, self.directory)
        self.listing = Listing(settings, self.store)
        self.shapes = Shapes(quirks=settings.quirks)
        self.faults = FaultBox(settings.seed)
        self.log = ReceivedLog(settings.keep_received)
        self._restore()

    def _restore(self) -> None:
        saved = self.journal.load()
        for kind, name, value in saved.facts:
            if kind == "clock":
                self.clock.advanced = value
            else:
                self.directory.restore(kind, name, value)
        self.store.restore(saved.requests, saved.keys)
        self.ledger.life.expect(saved.requests)

    def reset(self) -> None:
        """Back to the state of a sandbox that has just been made, keys and accounts included."""
        self.journal.clear()
        self.directory.forget()
        self.store.clear()
        self.ledger.life.clear()
        self.faults.clear()
        self.log.clear()
        self.clock.advanced = 0.0
        self.clock.skew = self.settings.clock_skew

    def close(self) -> None:
        """Let go of the state file."""
        self.journal.close()

    def begin(self, method: str, path: str, key: str | None) -> Received:
        """Note an exchange whose head has arrived."""
        return self.log.begin(self.clock.wall(), method, path, operation_of(method, path), key)

    def finish(self, exchange: Received, status: int | None) -> None:
        """Note what was answered, and log one line for whoever is watching."""
        exchange.status = status
        exchange.milliseconds = max(0.0, round((self.clock.wall() - exchange.at) * 1000, 3))
        if access.isEnabledFor(logging.INFO):
            access.info("%s", _line(exchange))

    def complain(self, message: str) -> None:
        """Say that the sandbox itself is at fault."""
        trouble.error("%s", message)


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
