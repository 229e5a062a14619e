"""Which lines of a batch a person means, by the names that the file or the export gives them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from victor_ext import ConfigurationError, Problem, idempotency_key_for
from victor_ext.settlement.flow import MAY_EXIST

from .context import WorkerContext
from .deciding import Code
from .lines import Line, lines_of
from .payments import NEVER_LEFT
from .rows import RowOutcome
from .store import BatchRecord, Store


def is_in_doubt(line: Line) -> bool:
    """Whether nobody can tell if its payment exists."""
    return line.outcome in MAY_EXIST or line.restored


def has_never_left(line: Line) -> bool:
    """Whether nothing was sent for it."""
    return line.outcome.value in NEVER_LEFT


def can_be_over(line: Line) -> bool:
    """Whether it may be asked once more: the latest file has it, and its payment was decided, or it
    looks like another one.
    """
    decided = (RowOutcome.CREATED, RowOutcome.REJECTED)
    return line.number > 0 and (line.code == Code.LOOKS_LIKE or line.outcome in decided)


def value_of(line: Line) -> str:
    """Return what a person calls a row: its value in the key column, or its key if that is
    forgotten.
    """
    for row in (line.row, line.latest):
        if row is not None and row.value:
            return row.value
    return line.key


def lines_named(
    context: WorkerContext,
    store: Store,
    record: BatchRecord,
    names: Collection[str],
    is_meant: Callable[[Line], bool],
) -> list[Line]:
    """Return the lines of the batch that are named, by the value in the key column or by the key.

    One whose values are forgotten is known by the key that its value makes.

    Args:
        is_meant: Whether a line can be meant. It decides where several lines have one value, such
            as rows of an earlier key kind, or of two payors.

    Raises:
        ConfigurationError: The batch lacks one, or one value names several of them.
    """
    by_name = _by_name(context, store, record, set(names))
    chosen: dict[tuple[int, str], Line] = {}
    problems = list[Problem]()
    for name in sorted(set(names)):
        match = _only_one(store, name, by_name.get(name, []), is_meant)
        if isinstance(match, Problem):
            problems.append(match)
        else:
            chosen[match.number, match.key] = match
    if problems:
        raise ConfigurationError.of(problems)
    return sorted(chosen.values(), key=lambda line: line.number)


def _by_name(
    context: WorkerContext,
    store: Store,
    record: BatchRecord,
    names: set[str],
) -> dict[str, list[Line]]:
    """Return the lines that these names can mean."""
    by_key = {_key_of(context, record, name): name for name in names}
    by_name: dict[str, list[Line]] = {}
    for line in lines_of(store):
        own_names = _names_of(line) & names
        for name in own_names:
            by_name.setdefault(name, []).append(line)
        forgotten = by_key.get(line.key)
        if forgotten is not None and not own_names:
            by_name.setdefault(forgotten, []).append(_named(line, forgotten))
    return by_name


def _only_one(
    store: Store,
    name: str,
    lines: Sequence[Line],
    is_meant: Callable[[Line], bool],
) -> Line | Problem:
    """Return the line that a name means, or why there is none."""
    if not lines:
        return Problem("keys", "unknown", f"{store.batch} has no row {name}.")
    if len(lines) == 1:
        return lines[0]
    meant = [line for line in lines if is_meant(line)]
    return meant[0] if len(meant) == 1 else _several(name, meant or lines)


def _key_of(
    context: WorkerContext,
    record: BatchRecord,
    value: str,
) -> str | None:
    facts = context.kind.key_facts(context.settings.defaults, record.key_kind, value)
    return None if facts is None else idempotency_key_for(*facts)


def _names_of(line: Line) -> set[str]:
    names = {line.key, value_of(line)}
    return names if line.row is None else {*names, line.row.key}


def _named(line: Line, value: str) -> Line:
    """Return a line whose value is forgotten, with the one that a person names it by."""
    return line if line.row is None else replace(line, row=replace(line.row, value=value))


def _several(name: str, lines: Sequence[Line]) -> Problem:
    keys = [line.key if line.row is None else line.row.key for line in lines]
    shown = ", ".join(f"{key} ({line.outcome})" for key, line in zip(keys, lines, strict=True))
    return Problem(
        "keys", "several", f"{name} names {len(lines)} rows: write the key of one: {shown}."
    )
