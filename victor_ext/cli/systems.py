"""The payment systems that the command can be used with, and their clients from the process environment."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from victor_ext.systems import System, entry_points_of

from .failures import Misuse
from .session import Session, values


def _names(incomplete: str) -> list[str]:
    return values(*entry_points_of())(incomplete)


Provider = Annotated[
    str,
    typer.Option(
        help="The payment system.",
        metavar="NAME",
        autocompletion=_names,
    ),
]


class ProviderCommand(TyperCommand):
    """A command with `--provider`. It looks for the installed systems when its help is shown, not at each start."""

    def get_help(self, ctx: Any) -> str:
        """Return the help, with the names of the systems."""
        for parameter in self.params:
            if parameter.name == "provider":
                parameter.help = f"One of {', '.join(entry_points_of())}."  # type: ignore[attr-defined] # an option
        return super().get_help(ctx)


def client_of(session: Session, provider: str, **options: Any) -> tuple[System, Any]:
    """Return a system and its blocking client. Options of the command take precedence over `options`, and those over
    the environment.

    Raises:
        Misuse: The system is not installed, or does not take an option of the command.
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
