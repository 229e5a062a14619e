"""The command `victor-spec`."""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from ._version import __version__
from .commands import FAILURES, show
from .commands.diff import diff
from .commands.packages import check, generate
from .commands.update import update
from .exit_status import INTERRUPTED, MISUSE

app = typer.Typer(
    help="Typed Python packages from OpenAPI 3 documents, and what changes when a document does.",
    epilog="Exit status: 0 when all is well, 1 when something is missing or breaks, 2 when nothing "
    "could be done.",
    # Plain help: boxes would truncate long options.
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.command(
    epilog="Exit status: 0 for packages that lack nothing but what is accepted, 1 when something "
    "else cannot be sent or read, 2 when no package was made."
)(generate)
app.command(
    epilog="Exit status: 0 for a complete package, 1 for one that lacks something or has other "
    "files than a fresh one, 2 for misuse or an unreadable document."
)(check)
app.command(
    epilog="Exit status: 0 when nothing breaks, 1 when something does that is not accepted, 2 for "
    "misuse or a document that cannot be read."
)(diff)
app.command(
    epilog="Exit status: 0 when nothing has to be decided, 1 when something has (the document is "
    "replaced), 2 when nothing was replaced."
)(update)


def _show_version(is_wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if is_wanted:
        show(f"victor-spec {__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, help="Show the version and exit.")
    ] = False,
) -> None:
    """Typed Python packages from OpenAPI 3 documents, and what changes when a document does."""


def main(arguments: Sequence[str] | None = None, *, prog: str = "victor-spec") -> int:
    """Run a command and return its exit status; None: that of this process."""
    try:
        status = _run(list(sys.argv[1:] if arguments is None else arguments), prog)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has ended, as `head` does: the work is done
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _run(arguments: list[str], prog: str) -> int:
    try:
        status: int | None = app(arguments, prog_name=prog, standalone_mode=False)
    except typer.TyperException as error:
        # What typer raises shows its usage, too; its public class does not declare that.
        usage_error: Any = error
        usage_error.show()
        return MISUSE
    except typer.Abort:
        return INTERRUPTED
    except FAILURES as error:
        show(str(error), to=sys.stderr)
        return MISUSE
    except BrokenPipeError:
        raise
    except OSError as error:
        show(f"{error.filename or 'The output'} cannot be written: {error}", to=sys.stderr)
        return MISUSE
    return status or 0
