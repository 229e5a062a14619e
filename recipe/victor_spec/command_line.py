"""The command line of `victor spec`."""

import argparse
import sys
from collections.abc import Sequence

from victor_ext._exit_status import MISUSE
from victor_ext._output import guarded_output

from .commands import FAILURES, Command, show
from .commands.diff import DIFF
from .commands.packages import CHECK, GENERATE
from .commands.update import UPDATE

COMMANDS = (GENERATE, CHECK, DIFF, UPDATE)


def main(
    arguments: Sequence[str], *, prog: str = "victor spec", also: Sequence[Command] = ()
) -> int:
    """Run one command line and return its exit status, whatever the output can take. `also` are
    commands of others.

    2 is misuse, or a document that cannot be read.
    """
    with guarded_output(insists=False) as stdout:
        options = _parser(prog, (*COMMANDS, *also)).parse_args(arguments)
        try:
            status: int = options.run(options)
        except (*FAILURES, OSError) as error:
            file = getattr(options, "out", None) or getattr(error, "filename", None)
            show(
                f"{file} cannot be written: {error}" if isinstance(error, OSError) else str(error),
                to=sys.stderr,
            )
            status = MISUSE
        stdout.flush()
        if stdout.lost is not None and not stdout.lost.reader_has_gone:
            print(f"Error: the output could not be written: {stdout.lost}.", file=sys.stderr)
    return status


def _parser(prog: str, known: Sequence[Command]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Typed Python packages from OpenAPI 3 documents, and what changes when a "
        "document does.",
        epilog="Exit status: 0 when all is well, 1 when something is missing or breaks, 2 when "
        "nothing could be done.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in known:
        title = f"{command.summary[0].upper()}{command.summary[1:]}."
        own = commands.add_parser(
            command.name,
            help=command.summary,
            description=title,
            epilog=command.epilog,
            allow_abbrev=False,
        )
        command.add_arguments(own)
        own.set_defaults(run=command.run)
    return parser
