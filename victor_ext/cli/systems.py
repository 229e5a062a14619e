"""The payment systems that the command can be used with, and their profiles."""

from __future__ import annotations

import os
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


def use_profile(provider: str, name: str) -> None:
    """Set this process's variables of a system to those of a profile, and unset those that it does not have.

    A profile stands alone: a variable that the shell happens to have must not join the credentials of one environment
    with the name of another.

    Raises:
        Misuse: The system, the file or the profile cannot be used. No value is quoted.
    """
    from victor_ext import ConfigurationError  # noqa: PLC0415 - it knows the errors, which know httpx: 80 ms
    from victor_ext.profiles import profile_variables  # noqa: PLC0415 - as above

    system = system_of(provider)
    try:
        variables = profile_variables(system, name)
    except ConfigurationError as error:
        raise Misuse(error.message) from None
    for setting in system.settings:
        os.environ.pop(f"{system.prefix}{setting.upper()}", None)
    os.environ.update({variable: str(value) for variable, value in variables.items()})
