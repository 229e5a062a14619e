"""`python -m victor_ext.sandbox`."""

import sys
from collections.abc import Sequence

import typer

from victor_ext.sandbox._command_line import run

_PROG = "python -m victor_ext.sandbox"
_MISUSE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve as the command line says; returns the exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        return run(words, prog=_PROG)
    except typer.TyperException as error:
        message = error.format_message().removesuffix(".")
        print(f"Error: {message}. See '{_PROG} --help'.", file=sys.stderr)
        return _MISUSE


if __name__ == "__main__":
    sys.exit(main())
