"""The question before something in production asks for money or moves it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer

from .failures import FAILED, Failure, Misuse
from .screen import complain

if TYPE_CHECKING:
    from victor_ext import Victor

    from .session import Session


def confirm(session: Session, victor: Victor, question: Callable[[], str], *, yes: bool) -> None:
    """Ask a person before something in production; elsewhere, and with `yes`, do nothing.

    Args:
        session: The command's.
        victor: Its client.
        question: Makes the question; it is called only if it is asked, and may read what it is about.
        yes: Whether `--yes` was given.

    Raises:
        Misuse: There is nobody to ask.
    """
    if yes or victor.environment != "production":
        return
    stdin: Any = sys.stdin
    if stdin is None or not stdin.isatty():
        raise Misuse(
            "This is production, and nobody is there to be asked: write --yes if it is meant. Nothing was sent."
        )
    complain(question())
    # Nothing has been sent: Ctrl-C here ends like anywhere else.
    if not typer.confirm(f"Do it in production ({session.place(victor)})?", err=True):
        session.end(Failure(kind="Declined", message="It was not wanted. Nothing was sent.", exit_status=FAILED))
