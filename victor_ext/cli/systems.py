"""The payment systems that the command can be used with, and their clients from the process environment."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from victor_ext.systems import System, entry_points_of

from .failures import Misuse
from .session import Session, values

_NAMES = tuple(entry_points_of())
Provider = Annotated[
    str, typer.Option(help=f"One of {', '.join(_NAMES)}.", metavar="NAME", autocompletion=values(*_NAMES))
]


def client_of(session: Session, provider: str, **options: Any) -> tuple[System, Any]:
    """Return a system and its blocking client; what the command's options give wins over `options`, and those over the
    environment.

    Raises:
        Misuse: There is no such system, or it takes no environment.
        VictorError: The settings are incomplete or wrong.
    """
    installed = entry_points_of()
    if provider not in installed:
        raise Misuse(f"--provider is {provider!r}: write one of {', '.join(installed)}.")
    system: System = installed[provider].load()
    for option, instead in system.refuses.items():
        if getattr(session, option) is not None:
            raise Misuse(instead)
    return system, system.load("client").from_env(**{**options, **session.given()})
