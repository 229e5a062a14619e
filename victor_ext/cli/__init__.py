"""The command `victor` (extra `cli`). See docs/cli.md."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

from .signals import ended_by_signals

__all__ = ["main"]

_EXTRA = ("typer", "rich")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (default: `sys.argv`) and return its exit status."""
    return ended_by_signals(partial(_run, sys.argv[1:] if arguments is None else list(arguments)))


def _run(arguments: Sequence[str]) -> int:
    try:
        from .app import run  # noqa: PLC0415 - without the extra, the import is what fails
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        extra = "spec" if arguments[:1] == ["spec"] else "cli"  # spec includes cli
        print(
            f"The command victor needs {error.name}: install its extra, pip install 'victor-ext[{extra}]'.",
            file=sys.stderr,
        )
        return 2
    return run(arguments)
