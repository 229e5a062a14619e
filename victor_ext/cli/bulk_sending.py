"""One run of `victor bulk send`, and what a person reads before rows are sent."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .bulk_output import announce, dry_run_status, show_check, summary_of, without_password
from .screen import complain, plain
from .session import system_of
from .wording import rows_text

if TYPE_CHECKING:
    from victor_ext.bulk import BulkSender, Check, RowFile
    from victor_ext.bulk.row_kind import RowKind

    from .bulk_session import SendSession

_SQLITE = "sqlite:///"
_SEARCHED_ROWS = 10_000
"""How many rows are searched for a reference."""


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
        self._warnings = list[str]()
        self._was_told = False
        """Whether the person knows the rows and the warnings."""

    @property
    def _file(self) -> RowFile:
        """The file, whose options are read where their errors are shown: in the session's block."""
        return self._session.row_file

    def try_out(self) -> int:
        """Check the file, and send nothing; returns the exit status."""
        session = self._session
        with session.sender(self._batch, in_production=self._warn_of_first_batch) as sender:
            check = sender.check(self._file, **self._totals)
            self._warn_of_references(check)
            status = dry_run_status(check, skip_invalid=session.skip_invalid)
            show_check(check, status, self._file, self._warnings, as_json=session.as_json)
        return status

    def send(self) -> int:
        """Send the file, once a person has agreed; returns the exit status."""
        session = self._session
        with session.sender(
            self._batch, self._question, in_production=self._warn_of_first_batch
        ) as sender:
            with session.interruptible(sender, self._batch) as show:
                status = sender.send(
                    self._file, on_check=self._on_check, on_progress=show, **self._totals
                )
            session.show_result(status, sender, self._warnings)
        return status.exit_status

    def _question(self, sender: BulkSender) -> str:
        """Return what a person is asked in production, below the warnings, which are printed."""
        check = sender.check(self._file, **self._totals)
        self._warn_of_references(check)
        self._print_warnings()
        self._was_told = True
        return f"{summary_of(check, self._file)} {sender.effect}"

    def _on_check(self, check: Check) -> None:
        """Announce the rows, and print the warnings, unless the question has named them, or this
        was done before: sending starts again if another process has made the state.
        """
        if self._was_told:
            return
        self._was_told = True
        self._warn_of_references(check)
        if not self._session.as_json:
            announce(self._batch, check, self._file)
            self._print_warnings()

    def _print_warnings(self) -> None:
        for warning in self._warnings:
            complain(warning)

    def _warn_of_first_batch(self, sender: BulkSender) -> None:
        """Warn that the state is new, if it has no batch of this system in production."""
        if sender.batches():
            return
        state = self._session.state
        place = without_password(state)
        if state.startswith(_SQLITE):
            place = str(Path(state.removeprefix(_SQLITE)).resolve())
        title = system_of(self._session.provider).title
        self._warnings.append(
            f"Warning: this is the first batch of {title} in production in the state "
            f"{plain(place)}. A state protects from asking twice for what was sent from it alone: "
            "what another state, or a copy elsewhere, has sent is not known here."
        )

    def _warn_of_references(self, check: Check) -> None:
        """Warn that no row of the file has a reference, or that rows share theirs."""
        kind = system_of(self._session.provider).load("bulk")
        warning = _reference_warning(self._file, kind, self._session.key_column)
        if warning is not None:
            self._warnings.append(warning)
        if check.sharing:
            column = self._file.columns.get(kind.reference) or kind.reference
            self._warnings.append(
                f"Warning: {rows_text(check.sharing)} of the file have the {plain(column)} of "
                "another one. If a response is lost, it does not tell which of them was created, "
                "and 'victor reconcile' cannot, either. Give each row a reference of its own."
            )


def _reference_warning(rows: RowFile, kind: type[RowKind], key_column: str | None) -> str | None:
    """Return a warning if no row of a file has a reference, by which its payment could be looked
    up; else None.

    What else is wrong with the file is said by its check: no warning then.
    """
    from victor_ext import ConfigurationError  # noqa: PLC0415 - `victor --help` does not need it
    from victor_ext.tables.row_file import SourceBroken  # noqa: PLC0415 - the same reason
    from victor_ext.tables.sources import records_of  # noqa: PLC0415 - the same reason

    if kind.reference in kind.required:
        return None
    records = records_of(
        rows, encoding=None, known=kind.columns, check=lambda _heading, _line: None
    )
    has_rows = False
    try:
        for record in islice(records, _SEARCHED_ROWS):
            # Without an amount, the columns of the file are not named yet: the check says that.
            if record.fields.get(kind.reference) or "amount" not in record.fields:
                return None
            has_rows = True
    except (SourceBroken, ConfigurationError):
        return None
    if not has_rows:
        return None
    column = key_column or "NAME"
    return (
        f"Warning: no row has a {kind.reference}. Without one, a row that may have been created "
        "cannot be looked up, and 'victor reconcile' compares only an export, by its ids. Send a "
        f"column as the reference with --column {kind.reference}={column}."
    )
