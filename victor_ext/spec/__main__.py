"""The command line: `victor spec`, or `python -m victor_ext.spec`."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from . import check_command
from .checking.acceptance import AcceptanceError
from .document import DocumentError
from .generate import generate


def main(arguments: Sequence[str] | None = None, *, prog: str = "python -m victor_ext.spec") -> int:
    """Run one command line and return its exit status.

    0: nothing is missing; 1: something was left out, or a check failed; 2: misuse, or nothing could be generated.
    """
    options = _parser(prog).parse_args(arguments)
    if options.name is not None and len(options.documents) > 1:
        print("NAME is the name of one package: give SPEC, the document to make it of, too.", file=sys.stderr)
        return 2
    status = 0
    for document in options.documents:
        try:
            status = max(status, options.run(document, options))
        except (DocumentError, AcceptanceError, RuntimeError) as error:
            print(error, file=sys.stderr)
            return 2
        except OSError as error:
            print(f"{options.out} cannot be written: {error}", file=sys.stderr)
            return 2
    return status


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Typed Python packages from OpenAPI 3 documents.",
        epilog="Exit status: 0 when nothing is missing, 1 when something is, 2 when no package could be made.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, summary, out_help in (
        ("generate", _generate, "write a package for each document", "the folder for the packages"),
        (
            "check",
            check_command.run,
            "call every operation, decode every answer, and compare the package in OUT with a fresh one",
            "the folder of the packages (default: compare with none)",
        ),
    ):
        command = commands.add_parser(name, help=summary, description=summary.capitalize() + ".", allow_abbrev=False)
        command.add_argument("documents", metavar="SPEC", nargs="+", type=Path, help="an OpenAPI 3 document")
        command.add_argument("--out", metavar="OUT", type=Path, required=run is _generate, help=out_help)
        command.add_argument("--name", metavar="NAME", help="the name of the package (default: <document>_api)")
        if run is check_command.run:
            check_command.add_arguments(command)
        command.set_defaults(run=run)
    return parser


def _generate(document: Path, options: argparse.Namespace) -> int:
    result = generate(document, options.out, name=options.name)
    for line in result.log.lines():
        print(f"  {line}")
    for line in result.left_out:
        print(f"  LEFT OUT: {line}", file=sys.stderr)
    if not result.written:
        print(f"{document.name}: no package was made, and {result.package} is as it was.", file=sys.stderr)
        return 2
    print(f"{document.name} -> {result.package}")
    return int(bool(result.left_out))


def _interrupted(number: int, _frame: FrameType | None) -> None:
    """End with an exception, as Ctrl-C does, so that a half-made package is removed."""
    sys.exit(128 + number)


if __name__ == "__main__":
    for _number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(_number, _interrupted)
    sys.exit(main())
