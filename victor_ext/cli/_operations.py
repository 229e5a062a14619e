"""`victor operations`: what a generated package says of its operations, and what `connect` makes of
each.

`_table_of` reads a package, `_warnings_of` judges the table.
"""

from __future__ import annotations

import pkgutil
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

import victor_ext
from victor_ext._exit_status import FAILED

from ._failures import Misuse
from ._options import AsJson, flag, option
from ._screen import in_columns, plain, say

if TYPE_CHECKING:
    from victor_ext.providers._connected.operations import DescribedOperation

_ADVICE = {
    "undeclared-key": "",  # the client warns with it, too: `UNDECLARED`
    "write-without-key": "After a lost response it is not repeated: look it up, or ask the "
    "provider.",
    "id-not-told": "Name its place: connect(rows={...: OperationRow(made=...)}). Else its status "
    "is not followed.",
}
"""What follows for a caller, by the name of each warning."""
_WARNINGS = ", ".join(_ADVICE)
_PACKAGE = "The name or the folder of a generated package: victor_api, or clients/till_api."
_LISTED_PLACES = 5
"""The places of a warning that are printed as text."""
_MEMBERS_WIDTH = 60
"""Columns of the terminal for the members of a good response."""


class _Warning(NamedTuple):
    """A warning about an operation, or about the key of all operations."""

    rule: str
    """The name of the warning, such as `id-not-told`."""
    place: str
    """The operation, such as `POST /v1/payments`, or the name of the key."""
    reason: str


class _Table(NamedTuple):
    """What a package declares of its operations, and what `connect` makes of them."""

    package: str
    declarations: Sequence[Any]
    """What the package says of each operation; in the order of `rows`."""
    key_place: Any
    """Where writes take the idempotency key."""
    rows: Sequence[DescribedOperation]


def _table_of(package: str, key: str | None) -> _Table:
    """Return the table of a generated package.

    Args:
        package: The name of the package, or its folder.
        key: The name of the idempotency key; None: the key that the document declares.

    Raises:
        Misuse: There is no such package, or an older generator has made it.
    """
    from victor_ext.providers._connected.declared_keys import key_place  # noqa: PLC0415 - the help does without it
    from victor_ext.providers._connected.operations import rows_of  # noqa: PLC0415 - the same

    name = _importable_name(package)
    try:
        declarations = import_module(f"{name}.operations").OPERATIONS
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise Misuse(
            f"{package} is no generated package: {error}. Name one that can be imported, or its "
            "folder, such as clients/till_api."
        ) from error
    try:
        place = key_place(declarations, key)
    except victor_ext.ConfigurationError as error:
        raise Misuse(f"{package}: {error}") from error
    return _Table(name, declarations, place, rows_of(declarations, place))


def _importable_name(package: str) -> str:
    """Return the name by which a package can be imported. The parent of a folder is added to the
    places that Python imports from. A folder that only has packages in it is refused.
    """
    folder = Path(package).resolve()
    if not folder.is_dir():
        return package
    inside = sorted(each.parent.name for each in folder.glob("*/__init__.py"))
    if inside and not (folder / "__init__.py").exists():
        named = ", ".join(f"{package.rstrip('/')}/{name}" for name in inside)
        raise Misuse(f"{package} is a folder of packages, and no package: write one of {named}.")
    sys.path.insert(0, str(folder.parent))
    return folder.name


def _warnings_of(table: _Table, key: str | None) -> Iterator[_Warning]:
    """Yield what a caller should know before they use the package.

    `key` is the name of the idempotency key, if the caller gives one.
    """
    from victor_ext.providers._connected.declared_keys import says_key  # noqa: PLC0415 - the help does without it

    if key is not None and not any(row.declared for row in table.rows):
        yield _Warning("undeclared-key", key, "no operation declares it")
    elif key is not None and not says_key(table.declarations, table.key_place):
        reason = "the document does not say that it is a key"
        yield _Warning("undeclared-key", key, reason)
    for row in table.rows:
        if not row.repeated:
            yield _Warning("write-without-key", row.operation, row.why)
    # A write makes something if there is a read of one object below its path.
    operations = {row.operation for row in table.rows}
    for row, declaration in zip(table.rows, table.declarations, strict=True):
        path = row.operation.partition(" ")[2]
        is_create = not row.reads and f"GET {path}/{{}}" in operations
        if is_create and declaration.result_members and row.id is None:
            reason = "its answer has no id, or several"
            yield _Warning("id-not-told", row.operation, reason)


def _key_name(text: str) -> str:
    """Parse --key: a name that a header can have."""
    try:
        return victor_ext.HeaderKey(text).name
    except victor_ext.ConfigurationError as error:
        raise typer.BadParameter(str(error)) from None


def _warning_name(text: str) -> str:
    """Parse --skip."""
    if text not in _ADVICE:
        raise typer.BadParameter(f"{text!r} is no warning: {_WARNINGS}.")
    return text


def operations(
    package: Annotated[str, typer.Argument(metavar="PACKAGE", help=_PACKAGE)],
    *,
    key: str | None = option(
        "The header, the parameter or the member of the bodies with the idempotency key "
        "(default: the one that the document says is a key).",
        "NAME",
        parser=_key_name,
    ),
    skip: list[str] | None = option(
        f"Leave a warning out: {_WARNINGS}; may be repeated.",
        "WARNING",
        parser=_warning_name,
    ),
    fail_on_warning: bool = flag("--fail-on-warning", "End with 1 for a warning."),
    as_json: AsJson = False,
) -> int:
    """Print what can be promised of each operation.

    It says whether it is repeated, what a good response has, and how to look it up. The table is
    the one that connect makes of the package. With --json, it has the module of each operation.
    """
    table = _table_of(package, key)
    skipped = skip or ()
    warnings = [warning for warning in _warnings_of(table, key) if warning.rule not in skipped]
    key_text = repr(table.key_place) if hasattr(table.key_place, "name") else None
    if as_json:
        operations = _operations_as_dicts(table)
        shown = [{"rule": rule, "place": place, "what": why} for rule, place, why in warnings]
        document = {
            "package": table.package,
            "key": key_text,
            "operations": operations,
            "warnings": shown,
        }
        say(document)
    else:
        writes = [row for row in table.rows if not row.reads]
        sent_once = [row for row in writes if not row.repeated]
        counts = f"{len(table.rows)} operations, {len(writes)} writes, {len(sent_once)} sent once"
        summary = f"{table.package}: {counts}; key: {key_text}"
        lines = (*_table_lines(table), "", *_warning_lines(warnings), summary)
        say(*map(plain, lines))
    return FAILED if warnings and fail_on_warning else 0


def _operations_as_dicts(table: _Table) -> list[dict[str, Any]]:
    """Return the operations for JSON, each with the module that is to import for it."""
    api = import_module(f"{table.package}.api")
    modules: dict[tuple[str, str], str] = {}
    for info in pkgutil.walk_packages(api.__path__, f"{api.__name__}."):
        operation = getattr(import_module(info.name), "OPERATION", None)
        if operation is not None:
            modules[operation.method, operation.path] = info.name
    return [
        {
            **row._asdict(),
            "members": declaration.result_members,
            "module": modules[declaration.method, declaration.path],
        }
        for row, declaration in zip(table.rows, table.declarations, strict=True)
    ]


def _table_lines(table: _Table) -> Iterator[str]:
    """Return a heading and the rows."""
    lines = [("OPERATION", "REPEATED", "LOOK UP", "A GOOD RESPONSE")]
    for row, declaration in zip(table.rows, table.declarations, strict=True):
        answer = "yes" if row.repeated else "no"
        members = ", ".join(declaration.result_members)
        short_members = textwrap.shorten(members, _MEMBERS_WIDTH, placeholder=" ...")
        repeated = f"{answer}: {row.why}"
        lines.append((row.operation, repeated, row.look_up or "-", short_members or "-"))
    return in_columns(lines)


def _warning_lines(warnings: Sequence[_Warning]) -> Iterator[str]:
    """Yield the warnings: under the name and the advice of each rule, its first places."""
    from victor_ext.providers._connected.operations import UNDECLARED  # noqa: PLC0415 - the help does without it

    for rule, count in Counter(warning.rule for warning in warnings).items():
        yield f"{rule} ({count}): {_ADVICE[rule] or UNDECLARED}"
        warnings_of_rule = [warning for warning in warnings if warning.rule == rule]
        for warning in warnings_of_rule[:_LISTED_PLACES]:
            yield f"    {warning.place}: {warning.reason}"
        if count > _LISTED_PLACES:
            yield f"    ... and {count - _LISTED_PLACES} more (--json)"
