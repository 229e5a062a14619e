"""The command `victor` (extra `cli`). See docs/cli.md.

`_app.py` has the tree of commands. Each command has a module of its name, and `_session.py` what
they have in common.
"""

import gc
import sys
from collections.abc import Sequence
from functools import partial

from victor_ext._values.exit_status import MISUSE
from victor_ext._version import missing_extra

from ._signals import ended_by_signals

__all__ = ["main"]

_EXTRA = ("typer", "rich")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status.

    Without `arguments`, run the command line of this process.
    """
    if arguments is not None:
        return ended_by_signals(partial(_run, list(arguments)))
    # Python's garbage collector looks for cycles every 700 objects: that takes 8 % of a bulk row.
    gc.set_threshold(10_000)
    return ended_by_signals(partial(_run, sys.argv[1:]))


def _run(arguments: Sequence[str]) -> int:
    """Run a command line, if the extra is installed; else say how to install it."""
    try:
        from ._app import run  # noqa: PLC0415 - without the extra, the import is what fails
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        print(f"{missing_extra('The command victor', str(error.name), 'cli')}.", file=sys.stderr)
        return MISUSE
    return run(arguments)
