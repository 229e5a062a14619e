"""The command line: `victor spec`, or `python -m victor_ext.spec`."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from victor_ext._output import guarded_output

from .commands import FAILURES, show
from .commands.documents import DIFF, LINT
from .commands.packages import CHECK, GENERATE
from .commands.update import UPDATE


def main(arguments: Sequence[str] | None = None, *, prog: str = "python -m victor_ext.spec") -> int:
    """Run one command line and return its exit status, whatever the output can take.

    2: misuse, or a document that cannot be read.
    """
    with guarded_output(insists=False) as stdout:
        status = _run(arguments, prog)
        stdout.flush()
        if stdout.lost is not None and not stdout.lost.reader_has_gone:
            print(f"Error: the output could not be written: {stdout.lost}.", file=sys.stderr)
    return status


def _run(arguments: Sequence[str] | None, prog: str) -> int:
    options = _parser(prog).parse_args(arguments)
    try:
        status: int = options.run(options)
    except FAILURES as error:
        show(str(error), to=sys.stderr)
        return 2
    except OSError as error:
        show(f"{getattr(options, 'out', None) or error.filename} cannot be written: {error}", to=sys.stderr)
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
    for _number in (getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP")):
        if _number is not None and signal.getsignal(_number) is not signal.SIG_IGN:
            signal.signal(_number, _interrupted)
    sys.exit(main())
