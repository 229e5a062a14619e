"""The command `victor` (extra `cli`). See docs/cli.md."""

import gc
import os
import sys
import threading
from collections.abc import Sequence
from functools import partial

from victor_ext._exit_status import MISUSE

from .signals import ended_by_signals
from .wording import SPEC_IS_ELSEWHERE

__all__ = ["main"]

_EXTRA = ("typer", "rich")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status.

    Without one, run the process's own, and end the process.
    """
    if arguments is not None:
        return ended_by_signals(partial(_run, list(arguments)))
    # search for cycles more rarely than every 700 objects: that takes 8 % of a bulk row
    gc.set_threshold(10_000)
    status = ended_by_signals(partial(_run, sys.argv[1:]))
    if _has_workers():
        # Python would wait for them: after a second Ctrl-C, a thread may still be in a call.
        os._exit(status)
    return status


def _has_workers() -> bool:
    """Whether there are threads that send rows."""
    return any(thread.name.startswith(("victor-bulk", "dbos")) for thread in threading.enumerate())


def _run(arguments: Sequence[str]) -> int:
    try:
        from .app import run  # noqa: PLC0415 - without the extra, the import is what fails
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        message = (
            f"The command victor needs {error.name}: install its extra, pip install "
            "'victor-ext[cli]'."
        )
        if arguments[:1] == ["spec"]:
            message = f"{message} {SPEC_IS_ELSEWHERE}"
        print(message, file=sys.stderr)
        return MISUSE
    return run(arguments)
