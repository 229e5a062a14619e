"""Whether a row may be asked once more: its payment has to be over, and nobody can have paid it."""

from __future__ import annotations

from collections.abc import Sequence

from victor_ext import ConfigurationError, Problem
from victor_ext.settlement.flow import MAY_EXIST, SETTLED

from .deciding import Code
from .lines import Line
from .named_lines import value_of
from .row_kind import RowKind
from .rows import RowOutcome


def require_over(kind: RowKind, lines: Sequence[Line]) -> None:
    """Read each payment. Raises `ConfigurationError` if one of them is not over."""
    problems = list[Problem]()
    for line in lines:
        reason = _why_not_since(line) or _why_not_again(kind, line)
        if reason:
            problems.append(Problem("keys", "not_over", reason))
    if problems:
        raise ConfigurationError.of(problems)


def _why_not_since(line: Line) -> str:
    """Return why what a restored state has of a row is too little to ask once more; or nothing."""
    if not line.restored or line.outcome not in SETTLED:
        return ""
    return (
        f"{value_of(line)} may have been asked since the backup of the state: look at the "
        "provider's records, and resolve it. If there is none but what the state has: as "
        "not-created."
    )


def _why_not_again(kind: RowKind, line: Line) -> str:
    """Return why a row must not be asked once more, as a sentence; empty: it can be."""
    if line.number == 0:
        return f"{value_of(line)} is not in the latest file of the batch: send a file that has it."
    if _has_nothing(line):
        return _why_not_asked(line)
    if line.result.outcome is RowOutcome.CREATED:
        return _why_created_stays(kind, line) or _why_not_asked(line)
    return _why_not_over(line)


def _has_nothing(line: Line) -> bool:
    """Whether the provider has nothing of the row: it was rejected, or refused for its looks."""
    looks_alike = line.code == Code.LOOKS_LIKE and line.result.outcome is RowOutcome.REFUSED
    return looks_alike or line.result.outcome is RowOutcome.REJECTED


def _why_created_stays(kind: RowKind, line: Line) -> str:
    value = value_of(line)
    if line.result.id is None:
        return (
            f"{value} was created, and its id is not known: it cannot be read whether it is over. "
            "Look for it at the provider, and name its id: resolve it as created with that id."
        )
    status = kind.read_status(line.result.id).status
    if status is not None and status.lower() in kind.unpaid_end_statuses:
        return ""
    return f"{value} is {status or 'not known to the provider'}: it would be asked twice."


def _why_not_asked(line: Line) -> str:
    """Return why nothing can be asked for, as a sentence; empty: the values are known."""
    if line.latest is not None and line.latest.arguments is not None:
        return ""
    return (
        f"{value_of(line)}: what it asks for is not valid in the latest file, or forgotten. Send "
        "a file that has it, and then ask again."
    )


def _why_not_over(line: Line) -> str:
    value = value_of(line)
    if line.outcome in MAY_EXIST:
        return f"{value} may have been sent: resume looks it up, or resolve says what you know."
    if line.outcome is RowOutcome.REFUSED:
        return f"{value} is refused, and was not created: send a file that has it, or drop it."
    return f"{value} is {line.outcome}: send or resume sends it."
