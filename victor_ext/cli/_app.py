"""The command tree and its exit statuses."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

import victor_ext
from victor_ext._values.exit_status import FAILED, INTERRUPTED, MISUSE, READER_GONE
from victor_ext.cli._output import OutputLost, guarded_output

from ._bulk import bulk
from ._doctor import doctor
from ._failures import CommandFailure, Misuse
from ._mcp import mcp
from ._operations import operations
from ._options import AsJson, argument, several, show_help
from ._outbox import outbox
from ._reconcile import reconcile
from ._rfp import rfp
from ._screen import at_terminal, complain, say
from ._session import Session, with_session
from ._wording import in_options, usage

# typer does not rewrap the lines after \b.
_EPILOG = """
\b
Settings come from the environment:
  VICTOR_ENVIRONMENT    staging (when it is not set) or production
  VICTOR_BASE_URL       another URL, such as a sandbox's
  VICTOR_CLIENT_ID, VICTOR_CLIENT_SECRET: OAuth credentials
  VICTOR_API_KEY, and VICTOR_PRIVATE_KEY or VICTOR_PRIVATE_KEY_FILE (and
  VICTOR_PRIVATE_KEY_PASSWORD, if it is encrypted): or your own key pair

\b
Exit status:
  0    done; after create: taken by the provider, neither sent nor paid yet
  1    refused, or a read that failed or could not be shown
  2    misuse: an option, a setting, a rule of the provider; nothing was sent
  3    the outcome is not known: the provider may have executed it
  75   not sent, or too many requests: run the same command again later
  130  Ctrl-C; 143: SIGTERM; 129: SIGHUP; 141: nobody reads the output
"""

_FORWARDED = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Settings of a command whose arguments another module reads."""
_ORDER = (
    *("rfp", "bulk", "outbox", "reconcile", "mcp", "key", "token", "sandbox", "doctor"),
    "operations",
)
"""The commands as the help lists them: what is used every day is above."""


class _CommandGroup(TyperGroup):
    """The commands in the order of `_ORDER`."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=_ORDER.index)


app = typer.Typer(
    name="victor",
    cls=_CommandGroup,
    epilog=_EPILOG,
    # Plain help: boxes would truncate long options.
    rich_markup_mode=None,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    # A traceback with local variables would show account numbers and keys.
    pretty_exceptions_enable=False,
)
app.add_typer(rfp, name="rfp")
app.add_typer(bulk, name="bulk")
app.add_typer(outbox, name="outbox")
app.add_typer(mcp, name="mcp")
app.command()(reconcile)
app.command()(doctor)
app.command()(operations)


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        say(f"victor {victor_ext.__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    *,
    version: Annotated[  # noqa: ARG001 - its callback shows it
        bool, typer.Option("--version", callback=_version, help="Show the version and exit.")
    ] = False,
) -> None:
    """Ask for money over the instant payment networks, and know what happened.

    \b
    For example, on this machine alone:
      victor sandbox --env-file sandbox.env      (in a second terminal)
      set -a; . ./sandbox.env; set +a
      victor rfp create --payee-account-number 043987673645 \\
        --payer-counterparty-id acceptsRfp --amount 44.23 \\
        --biller-type BUSINESS --due-date tomorrow \\
        --idempotency-key "$(victor key invoice 1042)"
    """
    show_help(context)


@app.command(context_settings=_FORWARDED, add_help_option=False)
def sandbox(context: typer.Context) -> int:
    """Run a local stand-in for the provider.

    `victor sandbox --help` lists its options.
    """
    try:
        run_sandbox = import_module("victor_ext.sandbox._command_line").run
    except ImportError as error:
        raise Misuse(f"{error}.") from error
    status: int = run_sandbox(context.args, prog="victor sandbox")
    return status


@app.command()
def key(
    facts: list[str] = argument(several("FACT")),
    *,
    as_json: AsJson = False,
) -> None:
    """Print the idempotency key of a business fact.

    FACTs are what identifies the payment, such as invoice 1042. The key is the same on every
    machine, every day. Leave out what changes between two attempts, such as the time. `victor key
    invoice 1042` prints what idempotency_key_for("invoice", 1042) returns in Python.
    """
    try:
        value = victor_ext.idempotency_key_for(*facts)
    except victor_ext.InvalidRequest as error:
        raise Misuse(in_options(error.problems, {})) from error
    say({"idempotency_key": value} if as_json else value)


@app.command()
@with_session
def token(session: Session) -> None:
    """Print the Authorization header of a request made now. It is a secret."""
    with session.client() as victor:
        value = victor.authorization()
        if at_terminal():
            complain("This is a secret: whoever has it can act in your name until it expires.")
        say({"authorization": value} if session.as_json else value)


def run(arguments: Sequence[str]) -> int:
    stdout: Any = sys.stdout
    if hasattr(stdout, "reconfigure"):
        # A character that the terminal cannot encode must not lose the output.
        stdout.reconfigure(errors="backslashreplace")
    with guarded_output(insists=True):
        return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    try:
        status = get_command(app)(list(arguments), prog_name="victor", standalone_mode=False)
        return status if isinstance(status, int) else 0
    except OutputLost as error:
        if error.reader_has_gone:
            return READER_GONE
        message = f"The output could not be written: {error}."
        failure = CommandFailure("OutputLost", message, FAILED)
    except typer.Abort:
        return INTERRUPTED
    except Misuse as error:
        failure = CommandFailure("Misuse", str(error), MISUSE)
    except typer.TyperException as error:
        # where the mistake is, if typer has got so far
        context: typer.Context | None = getattr(error, "ctx", None)
        message = usage(error.format_message(), None if context is None else context.command_path)
        failure = CommandFailure("Misuse", message, MISUSE)
    failure.report(as_json="--json" in arguments)
    return failure.exit_status
