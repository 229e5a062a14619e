"""Profiles: named settings of a client in a file that only its owner can read, for Python and for
the command.
"""

import os
import stat
from pathlib import Path
from typing import Any, cast

from ._privacy import concealed_within
from ._systems import System
from .errors import ConfigurationError


def profile_variables(system: System, name: str) -> dict[str, str]:
    """The settings of a profile, by the names of the variables that they stand for.

    Args:
        system: The system that the profile is for: it names the settings.
        name: The name of the profile, which is a table of the file: `[staging]`.

    Raises:
        ConfigurationError: The file or the profile cannot be used; the message says what to do. No
            value is quoted.
    """
    path = profiles_file()
    profiles = _read(path)
    if name not in profiles:
        known = ", ".join(profiles) or "none"
        raise ConfigurationError(f"There is no profile {name!r} in {path}, which has: {known}.")
    settings = _checked(system, name, profiles[name], path)
    return {f"{system.prefix}{setting.upper()}": value for setting, value in settings.items()}


def profiles_file() -> Path:
    """The path of the file (XDG Base Directory Specification).

    Raises:
        ConfigurationError: This user has no home.
    """
    folder = os.environ.get("XDG_CONFIG_HOME", "")
    if os.path.isabs(folder):
        configuration = Path(folder)
    else:
        try:
            configuration = Path.home() / ".config"
        except RuntimeError:
            raise ConfigurationError(
                "The file of the profiles cannot be found: this user has no home folder. Set "
                "HOME, or XDG_CONFIG_HOME to the folder that has victor/profiles.toml; or leave "
                "the profile out, and use environment variables."
            ) from None
    return configuration / "victor" / "profiles.toml"


def _read(path: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - only who uses a profile pays for it

    try:
        with path.open("rb") as file:
            # Of the open file: what the path names may be replaced meanwhile.
            _require_private(path, os.fstat(file.fileno()))
            profiles: dict[str, Any] = concealed_within(tomllib.loads(file.read().decode()))
            return profiles
    except ConfigurationError:  # which is a ValueError, too
        raise
    except FileNotFoundError:
        problem = (
            f"{path}, the file of the profiles, does not exist. Create it with mode 600, and write "
            "[staging] with client_id and client_secret into it."
        )
        raise ConfigurationError(problem) from None
    except OSError as error:
        problem = f"{path} cannot be read: {error.strerror or error}."
        raise ConfigurationError(problem) from None
    except ValueError as error:  # the position, and no text of the file
        reason = error if isinstance(error, tomllib.TOMLDecodeError) else "it is not UTF-8"
        raise ConfigurationError(f"{path} is not a TOML file: {reason}.") from None


def why_not_private(path: Path, status: os.stat_result) -> str:
    """Why a file with secrets is not for its owner alone, with the command that mends it; empty: it
    is, or this system has other rights.
    """
    mode = stat.S_IMODE(status.st_mode)
    if os.name != "posix" or not mode & 0o077:
        return ""
    return (
        f"{path} holds secrets, and others may read or change it (mode {mode:o}): chmod 600 {path}"
    )


def _require_private(path: Path, status: os.stat_result) -> None:
    reason = why_not_private(path, status)
    if reason:
        raise ConfigurationError(reason)
    if os.name == "posix" and status.st_uid != os.geteuid():
        raise ConfigurationError(
            f"{path} holds secrets, and belongs to somebody else: make a file of your own, of "
            "mode 600."
        )


def _checked(system: System, name: str, profile: object, path: Path) -> dict[str, str]:
    if not isinstance(profile, dict):
        raise ConfigurationError(
            f"{path}: {name} is not a profile: write [{name}] above its settings."
        )
    values: dict[str, str] = {}
    for setting, value in cast("dict[str, object]", profile).items():
        where = f"{path}: [{name}]"
        if setting not in system.settings:
            known = ", ".join(system.settings)
            raise ConfigurationError(
                f"{where} has {setting}, which is not a setting of {system.title}: write one of "
                f"{known}."
            )
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            raise ConfigurationError(
                f"{where}: {setting} must be text: put it in quotes, or leave the line out."
            )
        values[setting] = os.path.expanduser(str(value)) if setting.endswith("_file") else value
    return values
