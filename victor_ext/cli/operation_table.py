"""What a generated package says of its operations, and what `connect` makes of each."""

from __future__ import annotations

import pkgutil
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from victor_ext.providers.connected.declared_keys import key_place, says_key
from victor_ext.providers.connected.operations import UNDECLARED, Row, rows_of

from .failures import Misuse

_ADVICE = {
    "undeclared-key": UNDECLARED,
    "write-without-key": "After a lost response it is not repeated: look it up, or ask the "
    "provider.",
    "id-not-told": "Name its place: connect(made={...}). Else its status is not followed.",
}
"""What follows for a caller, by the name of each warning."""
_PLACES = 5
"""The places of a warning that are printed as text."""
_MEMBERS_WIDTH = 60


class Warned(NamedTuple):
    """A warning about an operation, such as `POST /v1/payments`."""

    rule: str
    place: str
    what: str


class Table(NamedTuple):
    """What a package declares of its operations, and what `connect` makes of them."""

    package: str
    declared: Sequence[Any]
    key: Any
    """The place of the idempotency key."""
    rows: Sequence[Row]


def table_of(package: str, key: str | None) -> Table:
    """The table of a package. Raises `Misuse`: it is no generated package."""
    name, declared = _declared_in(package)
    place = key_place(declared, key)
    return Table(name, declared, place, rows_of(declared, place))


def _declared_in(package: str) -> tuple[str, Sequence[Any]]:
    """The name of a package, and what it declares of its operations. Raises Misuse."""
    name = package
    folder = Path(package).resolve()
    if folder.is_dir():
        name = folder.name
        sys.path.insert(0, str(folder.parent))
    try:
        declared = import_module(f"{name}.operations").OPERATIONS
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise Misuse(
            f"{package} is no generated package: {error}. Name one that can be imported, or its "
            "folder, such as clients/till_api."
        ) from error
    return name, declared


def warnings_of(table: Table, key: str | None) -> Iterator[Warned]:
    """What a caller should know before the package is used; `key` is the one that they name."""
    if key is not None and not any(row.declared for row in table.rows):
        yield Warned("undeclared-key", key, "no operation declares it")
    elif key is not None and not says_key(table.declared, table.key):
        yield Warned("undeclared-key", key, "the document does not say that it is a key")
    for row in table.rows:
        if not row.repeated:
            yield Warned("write-without-key", row.operation, row.why)
    yield from _untold_ids(table)


def _untold_ids(table: Table) -> Iterator[Warned]:
    """Writes that make something, where the document does not tell the place of its id."""
    names = {row.operation for row in table.rows}
    for row, declared in zip(table.rows, table.declared, strict=True):
        path = row.operation.partition(" ")[2]
        makes = not row.reads and f"GET {path}/{{}}" in names
        if makes and declared.result_members and row.id is None:
            yield Warned("id-not-told", row.operation, "its answer has no id, or several")


def _key_text(table: Table) -> str | None:
    """What `connect` gets as its key."""
    return repr(table.key) if hasattr(table.key, "name") else None


def as_document(table: Table, warnings: Iterable[Warned]) -> dict[str, Any]:
    """The table and its warnings as one JSON object."""
    modules = _modules_of(table.package)
    operations = [
        {
            **row._asdict(),
            "members": declared.result_members,
            "module": modules[declared.method, declared.path],
        }
        for row, declared in zip(table.rows, table.declared, strict=True)
    ]
    return {
        "package": table.package,
        "key": _key_text(table),
        "operations": operations,
        "warnings": [warned._asdict() for warned in warnings],
    }


def _modules_of(package: str) -> dict[tuple[str, str], str]:
    """The module of each operation, by its method and its path."""
    api = import_module(f"{package}.api")
    modules: dict[tuple[str, str], str] = {}
    for info in pkgutil.walk_packages(api.__path__, f"{api.__name__}."):
        operation = getattr(import_module(info.name), "OPERATION", None)
        if operation is not None:
            modules[operation.method, operation.path] = info.name
    return modules


def table_lines(table: Table) -> Iterator[str]:
    """The rows in columns, each as wide as its widest cell."""
    lines = [("OPERATION", "REPEATED", "LOOK UP", "A GOOD RESPONSE")]
    for row, declared in zip(table.rows, table.declared, strict=True):
        repeated = f"{'yes' if row.repeated else 'no'}: {row.why}"
        members = textwrap.shorten(
            ", ".join(declared.result_members), _MEMBERS_WIDTH, placeholder=" ..."
        )
        lines.append((row.operation, repeated, row.look_up or "-", members or "-"))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        yield "  ".join(cells).rstrip()


def warning_lines(warnings: Sequence[Warned]) -> Iterator[str]:
    for rule, count in Counter(warned.rule for warned in warnings).items():
        yield f"{rule} ({count}): {_ADVICE[rule]}"
        places = [warned for warned in warnings if warned.rule == rule]
        for warned in places[:_PLACES]:
            yield f"    {warned.place}: {warned.what}"
        if count > _PLACES:
            yield f"    ... and {count - _PLACES} more (--json)"


def summary(table: Table) -> str:
    writes = [row for row in table.rows if not row.reads]
    sent_once = [row for row in writes if not row.repeated]
    counts = f"{len(table.rows)} operations, {len(writes)} writes, {len(sent_once)} sent once"
    return f"{table.package}: {counts}; key: {_key_text(table)}"
