"""The payment systems that the command can be used with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from victor_ext.systems import System, entry_points_of

from .failures import Misuse


def values(*words: str) -> Callable[[str], list[str]]:
    """Return what a shell offers for an option with these values."""
    return lambda incomplete: [word for word in words if word.startswith(incomplete)]


def _names(incomplete: str) -> list[str]:
    return values(*entry_points_of())(incomplete)


Provider = Annotated[str, typer.Option(help="The payment system.", metavar="NAME", autocompletion=_names)]


def system_of(provider: str) -> System:
    """Return an installed system. Raises `Misuse`."""
    installed = entry_points_of()
    if provider not in installed:
        raise Misuse(f"--provider is {provider!r}: write one of {', '.join(installed)}.")
    system: System = installed[provider].load()
    return system
