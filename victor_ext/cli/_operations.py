"""`victor operations`: what `connect` makes of each operation of a generated package."""

from __future__ import annotations

import sys
import textwrap
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

import victor_ext

from ._failures import Misuse
from ._options import AsJson, option
from ._screen import in_columns, plain, say

_PACKAGE = "The name or the folder of a generated package: victor_api, or clients/till_api."
_MEMBERS_WIDTH = 60
"""Columns of the terminal for the members of a good response."""


def operations(
    package: Annotated[str, typer.Argument(metavar="PACKAGE", help=_PACKAGE)],
    *,
    key: str | None = option(
        "The header, the parameter or the member of the bodies with the idempotency key "
        "(default: the one that the document says is a key).",
        "NAME",
    ),
    as_json: AsJson = False,
) -> None:
    """Print what can be promised of each operation.

    It says whether it is repeated, what a good response has, and how to look it up. The table is
    the one that connect makes of the package.
    """
    from victor_ext.providers._connected.declared_keys import key_place, named_place  # noqa: PLC0415 - the help does without it
    from victor_ext.providers._connected.operations import rows_of  # noqa: PLC0415 - the same

    try:
        declarations = import_module(f"{_importable_name(package)}.operations").OPERATIONS
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise Misuse(f"{package} is no generated package: {error}.") from error
    try:
        place = key_place(declarations) if key is None else named_place(declarations, key)
    except victor_ext.ConfigurationError as error:
        raise Misuse(f"{package}: {error}") from error
    key_text = repr(place) if hasattr(place, "name") else None
    rows = rows_of(declarations, place)
    members = [declaration.result_members for declaration in declarations]
    if as_json:
        listed = [{**row._asdict(), "members": has} for row, has in zip(rows, members, strict=True)]
        say({"package": package, "key": key_text, "operations": listed})
        return
    lines = [("OPERATION", "REPEATED", "LOOK UP", "A GOOD RESPONSE")]
    for row, has in zip(rows, members, strict=True):
        repeated = f"{'yes' if row.repeated else 'no'}: {row.why}"
        short_members = textwrap.shorten(", ".join(has), _MEMBERS_WIDTH, placeholder=" ...")
        lines.append((row.operation, repeated, row.look_up or "-", short_members or "-"))
    say(*map(plain, in_columns(lines)))


def _importable_name(package: str) -> str:
    """Return the name by which a package can be imported. The parent of a folder is added to the
    places that Python imports from.
    """
    folder = Path(package).resolve()
    if not folder.is_dir():
        return package
    sys.path.insert(0, str(folder.parent))
    return folder.name
