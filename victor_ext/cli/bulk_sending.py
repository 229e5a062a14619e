"""One run of `victor bulk send`, and what a person reads before rows are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import bulk_output
from .bulk_batches import Send
from .chosen_system import system_of
from .row_files import reference_warning
from .screen import complain

if TYPE_CHECKING:
    from victor_ext.bulk import BulkSender, Check


class Sending:
    """One run of `victor bulk send`, with what a person reads before rows are sent."""

    def __init__(self, kept: Send, batch: str, totals: dict[str, Any]) -> None:
        self._kept = kept
        self._batch = batch
        self._totals = totals
        self._warnings = Warnings(kept)
        self._is_announced = False

    def try_out(self) -> int:
        """Check the file, and send nothing; returns the exit status."""
        kept, warnings = self._kept, self._warnings
        with kept.sender(self._batch, in_production=warnings.note_first) as sender:
            rows = kept.rows
            check = sender.check(rows, **self._totals)
            warnings.note_references(check)
            status = bulk_output.exit_status_of(check, skip_invalid=kept.skip_invalid)
            bulk_output.show_check(check, status, rows, warnings.known, as_json=kept.as_json)
        return status

    def send(self) -> int:
        """Send the file, once a person has agreed; returns the exit status."""
        kept, warnings = self._kept, self._warnings
        with kept.sender(self._batch, self._question, in_production=warnings.note_first) as sender:
            with kept.run(sender, self._batch) as show:
                status = sender.send(
                    kept.rows, on_check=self._announce, on_progress=show, **self._totals
                )
            kept.show(status, sender, warnings.known)
        return status.exit_status

    def _question(self, sender: BulkSender) -> str:
        check = sender.check(self._kept.rows, **self._totals)
        self._warnings.note_references(check)
        self._warnings.say()
        self._is_announced = True
        return f"{bulk_output.summary_of(check)} {sender.effect}"

    def _announce(self, check: Check) -> None:
        self._warnings.note_references(check)
        if self._kept.as_json:
            return
        if not self._is_announced:
            bulk_output.announce(self._batch, check)
        self._warnings.say()


class Warnings:
    """What a person should know before a file is sent.

    Attributes:
        known: All of it, in order.
    """

    def __init__(self, kept: Send) -> None:
        self._kept = kept
        self._shown = 0
        self.known = list[str]()

    def note_first(self, sender: BulkSender) -> None:
        """Note that the state has no batch of this system in production yet, if it has none."""
        if not sender.batches():
            title = system_of(self._kept.provider).title
            self._note(bulk_output.first_warning(self._kept.state, title))

    def note_references(self, check: Check) -> None:
        """Note that no row of the file has a reference, or that rows share theirs."""
        kept = self._kept
        kind = system_of(kept.provider).load("bulk")
        self._note(reference_warning(kept.rows, kind, kept.key_column))
        self._note(bulk_output.shared_warning(check, kept.rows, kind.reference))

    def say(self) -> None:
        """Print what was not printed yet."""
        for warning in self.known[self._shown :]:
            complain(warning)
        self._shown = len(self.known)

    def _note(self, warning: str | None) -> None:
        if warning is not None and warning not in self.known:
            self.known.append(warning)
