"""One run of `victor bulk send`, and what a person reads before rows are sent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .bulk_check import announce, dry_run_status, show_check, summary_of
from .bulk_output import without_password
from .row_files import reference_warning
from .screen import complain, plain
from .session import system_of
from .wording import rows_text

if TYPE_CHECKING:
    from victor_ext.bulk import BulkSender, Check, RowFile

    from .bulk_session import SendSession

_SQLITE = "sqlite:///"


class Sending:
    """One run of `victor bulk send`.

    Args:
        session: The session of the command.
        batch: The name of the batch.
        totals: What the file must have, as the sender takes it: `expect_rows`, `expect_total`.
    """

    def __init__(self, session: SendSession, batch: str, totals: dict[str, Any]) -> None:
        self._session = session
        self._batch = batch
        self._totals = totals
        self._warnings = Warnings(session)
        self._was_asked = False

    def try_out(self) -> int:
        """Check the file, and send nothing; returns the exit status."""
        session = self._session
        warnings = self._warnings
        with session.sender(self._batch, in_production=warnings.note_first_batch) as sender:
            file = session.row_file
            check = sender.check(file, **self._totals)
            warnings.note_references(check)
            status = dry_run_status(check, skip_invalid=session.skip_invalid)
            show_check(check, status, file, warnings.noted, as_json=session.as_json)
        return status

    def send(self) -> int:
        """Send the file, once a person has agreed; returns the exit status."""
        session = self._session
        warnings = self._warnings
        with session.sender(
            self._batch, self._question, in_production=warnings.note_first_batch
        ) as sender:
            with session.interruptible(sender, self._batch) as show:
                status = sender.send(
                    session.row_file, on_check=self._on_check, on_progress=show, **self._totals
                )
            session.show_result(status, sender, warnings.noted)
        return status.exit_status

    def _question(self, sender: BulkSender) -> str:
        """Return what a person is asked in production, below the warnings, which are printed."""
        check = sender.check(self._session.row_file, **self._totals)
        self._warnings.note_references(check)
        self._warnings.print_new()
        self._was_asked = True
        return f"{summary_of(check, self._session.row_file)} {sender.effect}"

    def _on_check(self, check: Check) -> None:
        """Announce the rows, unless the question has named them, and print the warnings."""
        self._warnings.note_references(check)
        if self._session.as_json:
            return
        if not self._was_asked:
            announce(self._batch, check, self._session.row_file)
        self._warnings.print_new()


class Warnings:
    """What a person should know before a file is sent.

    Attributes:
        noted: All warnings so far, in order, each once.
    """

    def __init__(self, session: SendSession) -> None:
        self._session = session
        self._printed_count = 0
        self.noted = list[str]()

    def note_first_batch(self, sender: BulkSender) -> None:
        """Note that the state is new, if it has no batch of this system in production."""
        if not sender.batches():
            title = system_of(self._session.provider).title
            self._note(_first_batch_warning(self._session.state, title))

    def note_references(self, check: Check) -> None:
        """Note that no row of the file has a reference, or that rows share theirs."""
        session = self._session
        kind = system_of(session.provider).load("bulk")
        file = session.row_file
        self._note(reference_warning(file, kind, session.key_column))
        self._note(_shared_reference_warning(check, file, kind.reference))

    def print_new(self) -> None:
        """Print the warnings that were not printed yet."""
        for warning in self.noted[self._printed_count :]:
            complain(warning)
        self._printed_count = len(self.noted)

    def _note(self, warning: str | None) -> None:
        if warning is not None and warning not in self.noted:
            self.noted.append(warning)


def _first_batch_warning(state: str, title: str) -> str:
    """Return the warning before the first batch of a system (its `title`) in production."""
    return (
        f"Warning: this is the first batch of {title} in production in the state "
        f"{plain(_place_of(state))}. A state protects from asking twice for what was sent from "
        "it alone: what another state, or a copy elsewhere, has sent is not known here."
    )


def _place_of(state: str) -> str:
    """Return the file of a state, or its URL without passwords."""
    if not state.startswith(_SQLITE):
        return without_password(state)
    file = Path(state.removeprefix(_SQLITE))
    return str(file.resolve())


def _shared_reference_warning(check: Check, file: RowFile, reference: str) -> str | None:
    """Return a warning if rows of a file have one reference; else None.

    `reference` is our name of the column of references.
    """
    if not check.sharing:
        return None
    column = file.columns.get(reference) or reference
    return (
        f"Warning: {rows_text(check.sharing)} of the file have the {plain(column)} of another "
        "one. If a response is lost, it does not tell which of them was created, and "
        "'victor reconcile' cannot, either. Give each row a reference of its own."
    )
