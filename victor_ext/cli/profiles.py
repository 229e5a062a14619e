"""Profiles: named settings in a file that only its owner can read."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path
from typing import Any, cast

from .failures import Misuse

_SETTINGS = (
    "environment", "base_url", "client_id", "client_secret", "api_key", "private_key", "private_key_file",
    "private_key_password", "bulk_key",
)  # fmt: skip
"""What a profile may hold: the variables of the same names, without their prefix."""
_MOST_BYTES = 1_000_000


def use(name: str) -> None:
    """Set this process's variables to those of a profile, and unset those that it does not have.

    A profile stands alone: a variable that the shell happens to have must not join the credentials of one environment
    with the name of another.

    Raises:
        Misuse: The file or the profile cannot be used; the message says what to do. No value is quoted.
    """
    path = profiles_file()
    profiles = _read(path)
    if name not in profiles:
        known = ", ".join(profiles) or "none"
        raise Misuse(f"There is no profile {name!r} in {path}, which has: {known}.")
    values = _checked(name, profiles[name], path)
    for setting in _SETTINGS:
        variable = f"VICTOR_{setting.upper()}"
        os.environ.pop(variable, None)
        if setting in values:
            os.environ[variable] = values[setting]


def names() -> list[str]:
    """Return the names of the profiles; none if the file cannot be used."""
    try:
        return list(_read(profiles_file()))
    except Misuse:
        return []


def profiles_file() -> Path:
    """Return the path of the file (XDG Base Directory Specification)."""
    home = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(home) if os.path.isabs(home) else Path.home() / ".config") / "victor" / "profiles.toml"


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            # Of the open file: what the path names may be replaced meanwhile.
            _require_private(path, os.fstat(file.fileno()))
            return tomllib.loads(file.read(_MOST_BYTES).decode())
    except FileNotFoundError:
        raise Misuse(
            f"{path}, the file of the profiles, does not exist. Create it with mode 600, and write [staging] with "
            "client_id and client_secret into it."
        ) from None
    except OSError as error:
        raise Misuse(f"{path} cannot be read: {error.strerror or error}.") from None
    except ValueError as error:  # the position, and no text of the file
        reason = error if isinstance(error, tomllib.TOMLDecodeError) else "it is not UTF-8"
        raise Misuse(f"{path} is not a TOML file: {reason}.") from None


def _require_private(path: Path, status: os.stat_result) -> None:
    if os.name != "posix":
        return
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        raise Misuse(f"{path} holds secrets, and others may read or change it (mode {mode:o}): chmod 600 {path}")
    if status.st_uid != os.geteuid():
        raise Misuse(f"{path} holds secrets, and belongs to somebody else: make a file of your own, of mode 600.")


def _checked(name: str, profile: object, path: Path) -> dict[str, str]:
    if not isinstance(profile, dict):
        raise Misuse(f"{path}: {name} is not a profile: write [{name}] above its settings.")
    values: dict[str, str] = {}
    for setting, value in cast("dict[str, object]", profile).items():
        where = f"{path}: [{name}]"
        if setting not in _SETTINGS:
            raise Misuse(f"{where} has {setting}, which is not a setting: write one of {', '.join(_SETTINGS)}.")
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            raise Misuse(f"{where}: {setting} must be text: put it in quotes, or leave the line out.")
        values[setting] = os.path.expanduser(value) if setting == "private_key_file" else value
    return values
