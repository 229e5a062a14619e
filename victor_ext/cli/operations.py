"""`victor operations`: what a generated package says of its operations, and what `connect` makes of
each.
"""

from __future__ import annotations

import json
from typing import Annotated

import typer

import victor_ext
from victor_ext._exit_status import FAILED

from . import packages
from .options import AsJson
from .screen import plain, say

_WARNINGS = ("undeclared-key", "write-without-key", "id-not-told")
"""The names of all warnings. `operation_table.py` has them, too: the help does not load that."""


def _key_name(text: str) -> str:
    """Parse --key: a name that a header can have."""
    try:
        return victor_ext.HeaderKey(text).name
    except victor_ext.ConfigurationError as error:
        raise typer.BadParameter(str(error)) from None


def _warning_name(text: str) -> str:
    """Parse --skip."""
    if text not in _WARNINGS:
        raise typer.BadParameter(f"{text!r} is no warning: {', '.join(_WARNINGS)}.")
    return text


def operations(
    package: Annotated[
        str,
        typer.Argument(
            metavar="PACKAGE",
            help=packages.IN_WORDS,
        ),
    ],
    *,
    key: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            parser=_key_name,
            help="The header, the parameter or the member of the bodies with the idempotency key "
            "(default: the one that the document says is a key).",
        ),
    ] = None,
    skip: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WARNING",
            parser=_warning_name,
            help=f"Leave a warning out: {', '.join(_WARNINGS)}; may be repeated.",
        ),
    ] = None,
    fail_on_warning: Annotated[
        bool, typer.Option("--fail-on-warning", help="End with 1 for a warning.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Print of each operation whether it is repeated, what a good response has, and how to look it
    up.

    The table is the one that connect makes of the package. With --json, it has the module of each
    operation.
    """
    from .operation_table import (  # noqa: PLC0415 - only this command needs it
        as_document,
        summary,
        table_lines,
        table_of,
        warning_lines,
        warnings_of,
    )

    table = table_of(package, key)
    skipped = skip or ()
    warnings = [warning for warning in warnings_of(table, key) if warning.rule not in skipped]
    if as_json:
        say(json.dumps(as_document(table, warnings)))
    else:
        for line in (*table_lines(table), "", *warning_lines(warnings), summary(table)):
            say(plain(line))
    return FAILED if warnings and fail_on_warning else 0
