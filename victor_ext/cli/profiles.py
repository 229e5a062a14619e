"""Profiles, as the command uses them: in place of the environment variables of this process."""

from __future__ import annotations

import os

from victor_ext.systems import DEFAULT, System, entry_points_of

from .failures import Misuse


def names() -> list[str]:
    """Return the names of the profiles; none if the file cannot be used."""
    from victor_ext.profiles import profile_names  # noqa: PLC0415 - it knows the errors, which know httpx: 80 ms

    return profile_names()


def use(name: str) -> None:
    """Set this process's variables to those of a profile, and unset those that it does not have.

    A profile stands alone: a variable that the shell happens to have must not join the credentials of one environment
    with the name of another.

    Raises:
        Misuse: The file or the profile cannot be used; the message says what to do. No value is quoted.
    """
    from victor_ext import ConfigurationError  # noqa: PLC0415 - as above
    from victor_ext.profiles import profile_variables  # noqa: PLC0415 - as above

    system: System = entry_points_of()[DEFAULT].load()
    try:
        values = profile_variables(system, name)
    except ConfigurationError as error:
        raise Misuse(error.message) from None
    for setting in system.settings:
        os.environ.pop(f"{system.prefix}{setting.upper()}", None)
    os.environ.update({variable: str(value) for variable, value in values.items()})
