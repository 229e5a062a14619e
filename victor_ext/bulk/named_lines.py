"""Find the lines of a batch that a person names (`lines_named`), by the value in the key column or
by the key that the export has.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from victor_ext import ConfigurationError, Problem
from victor_ext.settlement.flow import MAY_EXIST
from victor_ext.tables.texts import text_of_cell

from .context import BulkContext
from .deciding import Code
from .lines import Line, lines_of
from .payments import NEVER_LEFT
from .rows import RowOutcome
from .store import BatchRecord, Store

CHANGED_MEANWHILE = (
    "It was changed meanwhile: look at the status, and do this again if it is meant."
)
"""The message if a line, or its payment, was changed after it was read."""


def is_in_doubt(line: Line) -> bool:
    """Whether nobody can tell if a payment of this line exists: `resolve` is for such lines."""
    return line.outcome in MAY_EXIST or line.restored


def has_never_left(line: Line) -> bool:
    """Whether nothing was sent for this line: `drop` is for such lines."""
    return line.outcome.value in NEVER_LEFT


def can_be_asked_again(line: Line) -> bool:
    """Whether this line may be asked once more: `ask_again` is for such lines.

    The latest file has the line; and the provider has decided about it, or it was refused because
    it looks like another payment.
    """
    decided = (RowOutcome.CREATED, RowOutcome.REJECTED)
    return line.number > 0 and (line.code == Code.LOOKS_LIKE or line.result.outcome in decided)


def value_of(line: Line) -> str:
    """Return what a person calls a row: the value in the key column, or the key of the row if the
    value is forgotten.
    """
    for row in (line.row, line.latest):
        if row is not None and row.value:
            return row.value
    return line.key


def lines_named(
    context: BulkContext,
    store: Store,
    record: BatchRecord,
    names: Collection[str],
    is_meant: Callable[[Line], bool],
) -> list[Line]:
    """Return the lines of the batch with these names, in their order.

    A name is the value in the key column, also as an export has it, or a key. A line whose values
    are forgotten is still found by its value, because the value makes the key.

    Args:
        is_meant: Whether a person can mean a line. It chooses if several lines have one value, such
            as rows of an earlier key kind, or of two payors.

    Raises:
        ConfigurationError: No line has one of the names, or several lines have it.
    """
    texts = {text_of_cell(name) for name in names}
    by_name = _by_name(context, store, record, texts)
    matches: dict[tuple[int, str], Line] = {}
    problems = list[Problem]()
    for name in sorted(texts):
        match = _line_meant(store, name, by_name.get(name, []), is_meant)
        if isinstance(match, Problem):
            problems.append(match)
        else:
            matches[match.number, match.key] = match
    if problems:
        raise ConfigurationError.of(problems)
    return sorted(matches.values(), key=lambda line: line.number)


def _by_name(
    context: BulkContext,
    store: Store,
    record: BatchRecord,
    names: set[str],
) -> dict[str, list[Line]]:
    """Return the lines that these names can mean, by name."""
    names_by_key = {_key_of(context, record, name): name for name in names}
    by_name: dict[str, list[Line]] = {}
    for line in lines_of(store):
        own_names = _names_of(line) & names
        for name in own_names:
            by_name.setdefault(name, []).append(line)
        forgotten_value = names_by_key.get(line.key)
        if forgotten_value is not None and not own_names:
            by_name.setdefault(forgotten_value, []).append(_with_value(line, forgotten_value))
    return by_name


def _line_meant(
    store: Store,
    name: str,
    lines: Sequence[Line],
    is_meant: Callable[[Line], bool],
) -> Line | Problem:
    """Return the line that a name means, or the problem with the name.

    Args:
        lines: The lines with this name.
    """
    if not lines:
        return Problem("keys", "unknown", f"{store.batch} has no row {name}.")
    if len(lines) == 1:
        return lines[0]
    meant = [line for line in lines if is_meant(line)]
    if len(meant) == 1:
        return meant[0]
    return _ambiguous_name(name, meant or lines)


def _key_of(
    context: BulkContext,
    record: BatchRecord,
    value: str,
) -> str | None:
    """Return the key that a value in the key column makes; None: it makes none."""
    return context.kind.key_of(context.settings.defaults, record.key_kind, value)


def _names_of(line: Line) -> set[str]:
    """Return the names of a line: its first key, the key that it is sent with, and its value."""
    names = {line.key, value_of(line)}
    if line.row is not None:
        names.add(line.row.key)
    return names


def _with_value(line: Line, value: str) -> Line:
    """Return a line whose value is forgotten, with the value by which a person names it."""
    if line.row is None:
        return line
    return replace(line, row=replace(line.row, value=value))


def _ambiguous_name(name: str, lines: Sequence[Line]) -> Problem:
    """Return the problem with a name that several lines have."""
    keys = [line.key if line.row is None else line.row.key for line in lines]
    shown = ", ".join(f"{key} ({line.outcome})" for key, line in zip(keys, lines, strict=True))
    return Problem(
        "keys", "several", f"{name} names {len(lines)} rows: write the key of one: {shown}."
    )
