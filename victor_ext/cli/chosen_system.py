"""The payment system that a command line chooses with `--provider`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from victor_ext.systems import DEFAULT, System, entry_points_of

from .failures import Misuse
from .options import option


def provider_of(context: Any) -> str:
    """Return the name of the system that a command line chooses, in the command or in its group.

    `context` is a context of typer, or None.
    """
    while context is not None:
        if "provider" in context.params:
            return str(context.params["provider"])
        context = context.parent
    return DEFAULT


def system_of(provider: str) -> System:
    """Return an installed system. Raises `Misuse`."""
    installed = entry_points_of()
    if provider not in installed:
        raise Misuse(f"--provider is {provider!r}: write one of {', '.join(installed)}.")
    system: System = installed[provider].load()
    return system


def environments(context: typer.Context) -> Iterable[str]:
    """Return the environments of the chosen system, for a shell to complete."""
    return system_of(provider_of(context)).environments


Provider = Annotated[
    str,
    option(
        "The payment system. Its variables begin with its name, such as VELO_ENVIRONMENT.",
        "NAME",
        known=lambda _context: entry_points_of(),
    ),
]
