"""What a generated package says of its operations, and what `connect` makes of each.

`table_of` reads a package, `warnings_of` judges the table. The other functions show both.
"""

from __future__ import annotations

import pkgutil
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from victor_ext.providers.connected.declared_keys import key_place, says_key
from victor_ext.providers.connected.operations import UNDECLARED, Row, rows_of

from .failures import Misuse
from .packages import importable_name

_ADVICE = {
    "undeclared-key": UNDECLARED,
    "write-without-key": "After a lost response it is not repeated: look it up, or ask the "
    "provider.",
    "id-not-told": "Name its place: connect(rows={...: OperationRow(made=...)}). Else its status "
    "is not followed.",
}
"""What follows for a caller, by the name of each warning."""
_LISTED_PLACES = 5
"""The places of a warning that are printed as text."""
_MEMBERS_WIDTH = 60
"""Columns of the terminal for the members of a good response."""


class OperationWarning(NamedTuple):
    """A warning about an operation, or about the key of all operations."""

    rule: str
    """The name of the warning, such as `id-not-told`."""
    place: str
    """The operation, such as `POST /v1/payments`, or the name of the key."""
    reason: str


class Table(NamedTuple):
    """What a package declares of its operations, and what `connect` makes of them."""

    package: str
    declarations: Sequence[Any]
    """What the package says of each operation; in the order of `rows`."""
    key_place: Any
    """Where writes take the idempotency key."""
    rows: Sequence[Row]


def table_of(package: str, key: str | None) -> Table:
    """Return the table of a generated package.

    Args:
        package: The name of the package, or its folder.
        key: The name of the idempotency key; None: the key that the document declares.

    Raises:
        Misuse: There is no such package.
    """
    name = importable_name(package)
    try:
        declarations = import_module(f"{name}.operations").OPERATIONS
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise Misuse(
            f"{package} is no generated package: {error}. Name one that can be imported, or its "
            "folder, such as clients/till_api."
        ) from error
    place = key_place(declarations, key)
    return Table(name, declarations, place, rows_of(declarations, place))


def warnings_of(table: Table, key: str | None) -> Iterator[OperationWarning]:
    """Yield what a caller should know before they use the package.

    `key` is the name of the idempotency key, if the caller gives one.
    """
    if key is not None and not any(row.declared for row in table.rows):
        yield OperationWarning("undeclared-key", key, "no operation declares it")
    elif key is not None and not says_key(table.declarations, table.key_place):
        reason = "the document does not say that it is a key"
        yield OperationWarning("undeclared-key", key, reason)
    for row in table.rows:
        if not row.repeated:
            yield OperationWarning("write-without-key", row.operation, row.why)
    yield from _missing_id_warnings(table)


def _missing_id_warnings(table: Table) -> Iterator[OperationWarning]:
    """Warn of writes that make something, where the document does not tell the place of its id.

    A write makes something if there is a read of one object below its path.
    """
    operations = {row.operation for row in table.rows}
    for row, declaration in zip(table.rows, table.declarations, strict=True):
        path = row.operation.partition(" ")[2]
        is_create = not row.reads and f"GET {path}/{{}}" in operations
        if is_create and declaration.result_members and row.id is None:
            reason = "its answer has no id, or several"
            yield OperationWarning("id-not-told", row.operation, reason)


def _key_text(table: Table) -> str | None:
    """Return the argument `key` of `connect`, as Python; None: the table has no key."""
    return repr(table.key_place) if hasattr(table.key_place, "name") else None


def as_document(table: Table, warnings: Iterable[OperationWarning]) -> dict[str, Any]:
    """Return the table and its warnings as one JSON object."""
    modules = _modules_of(table.package)
    operations: list[dict[str, Any]] = []
    for row, declaration in zip(table.rows, table.declarations, strict=True):
        operation = {
            **row._asdict(),
            "members": declaration.result_members,
            "module": modules[declaration.method, declaration.path],
        }
        operations.append(operation)
    return {
        "package": table.package,
        "key": _key_text(table),
        "operations": operations,
        "warnings": [_warning_as_dict(warning) for warning in warnings],
    }


def _warning_as_dict(warning: OperationWarning) -> dict[str, str]:
    return {"rule": warning.rule, "place": warning.place, "what": warning.reason}


def _modules_of(package: str) -> dict[tuple[str, str], str]:
    """Return the name of the module of each operation, by its method and its path."""
    api = import_module(f"{package}.api")
    modules: dict[tuple[str, str], str] = {}
    for info in pkgutil.walk_packages(api.__path__, f"{api.__name__}."):
        operation = getattr(import_module(info.name), "OPERATION", None)
        if operation is not None:
            modules[operation.method, operation.path] = info.name
    return modules


def table_lines(table: Table) -> Iterator[str]:
    """Yield a heading and the rows, in columns that are as wide as their widest cells."""
    lines = [("OPERATION", "REPEATED", "LOOK UP", "A GOOD RESPONSE")]
    for row, declaration in zip(table.rows, table.declarations, strict=True):
        answer = "yes" if row.repeated else "no"
        members = ", ".join(declaration.result_members)
        short_members = textwrap.shorten(members, _MEMBERS_WIDTH, placeholder=" ...")
        cells = (
            row.operation,
            f"{answer}: {row.why}",
            row.look_up or "-",
            short_members or "-",
        )
        lines.append(cells)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        yield "  ".join(padded).rstrip()


def warning_lines(warnings: Sequence[OperationWarning]) -> Iterator[str]:
    """Yield the warnings: under the name and the advice of each rule, its first places."""
    for rule, count in Counter(warning.rule for warning in warnings).items():
        yield f"{rule} ({count}): {_ADVICE[rule]}"
        warnings_of_rule = [warning for warning in warnings if warning.rule == rule]
        for warning in warnings_of_rule[:_LISTED_PLACES]:
            yield f"    {warning.place}: {warning.reason}"
        if count > _LISTED_PLACES:
            yield f"    ... and {count - _LISTED_PLACES} more (--json)"


def summary(table: Table) -> str:
    """Return the last line: how many operations there are, and what the key is."""
    writes = [row for row in table.rows if not row.reads]
    sent_once = [row for row in writes if not row.repeated]
    counts = f"{len(table.rows)} operations, {len(writes)} writes, {len(sent_once)} sent once"
    return f"{table.package}: {counts}; key: {_key_text(table)}"
