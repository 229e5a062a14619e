"""`victor spec`, with the one command that needs both the generator and the client: `victor spec operations`."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from victor_ext import ConfigurationError, HeaderKey
from victor_ext._exit_status import FAILED
from victor_ext.providers.connected.operations import UNDECLARED, Row, key_place, rows_of
from victor_ext.spec import command_line
from victor_ext.spec.commands import Command, add_copies, copies, show
from victor_ext.spec.operations import WARNINGS, Read, Warned, read_operations

_ADVICE = {
    "undeclared-key": UNDECLARED,
    "write-without-key": "After a lost response it is not repeated: look it up, or ask the provider.",
    **WARNINGS,
}
_SHOWN = 5
"""The places of a warning that are printed as text."""
_EVIDENCE_WIDTH = 60


def main(arguments: Sequence[str], *, prog: str) -> int:
    return command_line.main(arguments, prog=prog, also=(OPERATIONS,))


def _add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("documents", metavar="SPEC", nargs="+", type=Path, help="an OpenAPI 3 document")
    command.add_argument(
        "--key",
        metavar="NAME",
        type=_key_name,
        help="the header, or the member of the bodies, with the idempotency key (default: the declared one whose name "
        "has 'idempot' in it)",
    )
    command.add_argument("--json", action="store_true", help="print one line of JSON for each document")
    command.add_argument(
        "--skip",
        metavar="WARNING",
        choices=_ADVICE,
        action="append",
        default=[],
        help="leave a warning out; repeatable",
    )
    command.add_argument(
        "--fail-on-warning", action="store_true", help="end with 1 for a warning, or for what was left out"
    )
    add_copies(command)


def _key_name(text: str) -> str:
    try:
        return HeaderKey(text).name
    except ConfigurationError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _run(options: argparse.Namespace) -> int:
    return max(_show(document, options) for document in options.documents)


def _show(document: Path, options: argparse.Namespace) -> int:
    read = read_operations(document, copies(options))
    place = key_place(read.operations, options.key)
    rows = rows_of(read.operations, place)
    warned = [each for each in (*_of_keys(rows, options.key), *read.warnings) if each.rule not in options.skip]
    if options.json:
        operations = [{**row._asdict(), "evidence": each} for row, each in zip(rows, read.evidence, strict=True)]
        found = {"document": document.name, "key": _key(place), "operations": operations, "left_out": read.left_out}
        print(json.dumps({**found, "warnings": [each._asdict() for each in warned]}))
    else:
        show(*_table(rows, read), "", *_warnings(warned))
        writes = [each for each in rows if not each.reads]
        sent_once = sum(not each.repeated for each in writes)
        show(
            f"{document.name}: {len(rows)} operations, {len(writes)} writes, {sent_once} sent once; key: {_key(place)}"
        )
        show(*(f"LEFT OUT: {each}" for each in read.left_out))
    return FAILED if (warned or read.left_out) and options.fail_on_warning else 0


def _of_keys(rows: Sequence[Row], key: str | None) -> Iterator[Warned]:
    if key is not None and not any(each.declared for each in rows):
        yield Warned("undeclared-key", key, "no operation declares it")
    yield from (Warned("write-without-key", each.operation, each.why) for each in rows if not each.repeated)


def _key(place: Any) -> str | None:
    """What `connect` gets."""
    name = getattr(place, "name", None)
    return None if name is None else f"{'HeaderKey' if isinstance(place, HeaderKey) else 'BodyKey'}({name!r})"


def _table(rows: Sequence[Row], read: Read) -> Iterator[str]:
    """The rows in columns, each as wide as its widest cell."""
    cells = [("OPERATION", "REPEATED", "LOOK UP", "A GOOD RESPONSE")]
    for row, evidence in zip(rows, read.evidence, strict=True):
        good = "; ".join(f"{status}: {what}" for status, what in evidence.items()) or "none is declared"
        repeated = f"{'yes' if row.repeated else 'no'}: {row.why}"
        good = textwrap.shorten(good, _EVIDENCE_WIDTH, placeholder=" ...")
        cells.append((row.operation, repeated, row.look_up or "-", good))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _warnings(warned: Sequence[Warned]) -> Iterator[str]:
    for rule, count in Counter(each.rule for each in warned).items():
        yield f"{rule} ({count}): {_ADVICE[rule]}"
        places = [each for each in warned if each.rule == rule]
        yield from (f"    {each.place}: {each.what}" for each in places[:_SHOWN])
        if count > _SHOWN:
            yield f"    ... and {count - _SHOWN} more (--json)"


OPERATIONS = Command(
    "operations",
    "say of each operation whether it is repeated, what a good response has, and how to look it up",
    f"Warnings: {', '.join(_ADVICE)}. Exit status: 0, 1 for a warning with --fail-on-warning, 2 for misuse or an "
    "unreadable document.",
    _add_arguments,
    _run,
)
