"""The command line: `victor spec`, or `python -m victor_ext.spec`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from .commands import FAILURES
from .commands.documents import DIFF, LINT
from .commands.packages import CHECK, GENERATE
from .commands.update import UPDATE

READER_GONE = 141


def main(arguments: Sequence[str] | None = None, *, prog: str = "python -m victor_ext.spec") -> int:
    """Run one command line and return its exit status.

    2: misuse, or a document that cannot be read; 141: the reader of the output has gone, as after `| head`.
    """
    options = _parser(prog).parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone; at its exit the interpreter would try to write the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    except FAILURES as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{getattr(options, 'out', None) or error.filename} cannot be written: {error}", file=sys.stderr)
        return 2
    return status


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Typed Python packages from OpenAPI 3 documents, and what changes when a document does.",
        epilog="Exit status: 0 when all is well, 1 when something is missing or breaks, 2 when nothing could be done.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (GENERATE, CHECK, DIFF, LINT, UPDATE):
        title = f"{command.summary[0].upper()}{command.summary[1:]}."
        own = commands.add_parser(
            command.name, help=command.summary, description=title, epilog=command.epilog, allow_abbrev=False
        )
        command.add_arguments(own)
        own.set_defaults(run=command.run)
    return parser


def _interrupted(number: int, _frame: FrameType | None) -> None:
    """End with an exception, as Ctrl-C does, so that a half-made package is removed."""
    sys.exit(128 + number)


if __name__ == "__main__":
    for _number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(_number, _interrupted)
    sys.exit(main())
