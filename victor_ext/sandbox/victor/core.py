"""Victor's side of the sandbox without HTTP: all parts, put together once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from victor_ext.sandbox.victor.directory import Directory
from victor_ext.sandbox.victor.document import load_document
from victor_ext.sandbox.victor.due_dates import DueDates
from victor_ext.sandbox.victor.journal import open_journal
from victor_ext.sandbox.victor.ledger import Ledger
from victor_ext.sandbox.victor.listing import Listing
from victor_ext.sandbox.victor.rules import CreateRules
from victor_ext.sandbox.victor.shapes import Shapes
from victor_ext.sandbox.victor.store import Store
from victor_ext.sandbox.victor.tokens import Gate

if TYPE_CHECKING:
    from victor_ext.sandbox.server.stage import SandboxContext
    from victor_ext.sandbox.victor.settings import SandboxSettings


class Core:
    """State and rules. Used by one thread only, the one that serves."""

    def __init__(self, stage: SandboxContext, settings: SandboxSettings) -> None:
        self.settings = settings
        self.document = load_document()
        self.journal = open_journal(settings.state)
        self.log = stage.log
        self.clock = stage.clock
        self.complain = stage.complain
        self.directory = Directory(self.journal)
        self.store = Store(self.journal)
        self.due_dates = DueDates(self.clock, settings.due_date_zone)
        self.ledger = Ledger(settings, self.clock, self.store, self.directory, self.due_dates)
        self.gate = Gate(settings, self.clock, self.directory)
        self.rules = CreateRules(settings, self.due_dates, self.directory)
        self.listing = Listing(settings, self.store)
        self.shapes = Shapes(quirks=settings.quirks)
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

    def advance(self, seconds: float) -> int:
        """Set the business clock forward and make every move that has become due; returns how many there were."""
        self.journal.put("clock", "advanced", self.clock.advanced + seconds)
        self.clock.advanced += seconds
        return self.ledger.life.pass_time(self.clock.now())

    def reset(self) -> None:
        """Forget requests, keys, credentials and accounts."""
        self.journal.clear()
        self.directory.forget()
        self.store.clear()
        self.ledger.life.clear()

    def close(self) -> None:
        """Let go of the state file."""
        self.journal.close()
