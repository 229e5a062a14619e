"""The command `victor-spec`, which is `victor spec` where the client is installed, too."""

import gc
import signal
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, Any

import typer

from ._version import __version__
from .commands import FAILURES, show
from .commands.diff import diff
from .commands.packages import check, generate
from .commands.settings import settings, settings_schema
from .commands.update import update
from .exit_status import INTERRUPTED, MISUSE, SIGNALLED
from .output import guarded_output
from .progress import shown_on

ENDING_SIGNALS = ("SIGTERM", "SIGHUP")
ALLOCATIONS = 200_000
"""After how many new objects circles among them are looked for."""

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
    epilog="Exit status: 0 when nothing breaks, 1 when something does that is not approved, 2 for "
    "misuse or a document that cannot be read."
)(diff)
app.command(
    epilog="Exit status: 0 when nothing has to be decided, 1 when something has (the document is "
    "replaced), 2 when nothing was replaced."
)(update)
app.command()(settings)
app.command()(settings_schema)


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
    """Run a command and return its exit status, also if its output cannot be written.

    Without `arguments` it runs the command of this process, and lets SIGTERM and SIGHUP end it by
    `SystemExit`, so that unfinished files are removed.
    """
    if arguments is None:
        _end_by_signals()
        arguments = sys.argv[1:]
    with guarded_output(), shown_on(sys.stderr), _seldom_collected():
        return _run(list(arguments), prog)


@contextmanager
def _seldom_collected() -> Generator[None]:
    """Look for circles of objects seldom: a document of megabytes stays until its package is
    written.
    """
    usual = gc.get_threshold()
    gc.set_threshold(ALLOCATIONS)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


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
    except OSError as error:
        show(f"{error.filename or 'The output'} cannot be written: {error}", to=sys.stderr)
        return MISUSE
    return status or 0


def _end_by_signals() -> None:
    """Let SIGTERM and SIGHUP raise SystemExit, unless somebody else handles or ignores them."""
    for name in ENDING_SIGNALS:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> None:
    sys.exit(SIGNALLED + number)
