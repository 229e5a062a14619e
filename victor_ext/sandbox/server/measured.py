"""A file of measurements, as `victor conform` writes it: the options that play the provider which was measured."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, cast

from victor_ext.sandbox.server.exchange import JsonObject
from victor_ext.sandbox.server.settings import ServerSettings, options_of

_FORMAT = 1


def read_measurements(
    path: str | os.PathLike[str], system: str, settings_type: type[ServerSettings]
) -> tuple[JsonObject, str]:
    """The measured options by name, and where they are from. `ValueError` says what is wrong with the file."""
    name = os.fspath(path)
    try:
        read: Any = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{name} cannot be read: {getattr(error, 'strerror', None) or 'it is not JSON'}") from error
    file = cast("JsonObject", read if isinstance(read, dict) else {})
    if "format" not in file or not isinstance(file.get("sandbox"), dict):
        raise ValueError(f"{name} has no measurements: 'victor conform' writes a file that has")
    if file["format"] != _FORMAT:
        raise ValueError(f"{name} has format {file['format']!r}, and this release reads {_FORMAT}: measure again")
    if file.get("system") != system:
        raise ValueError(f"{name} is about {file.get('system')!r}, and this sandbox plays {system!r}")
    values = cast("JsonObject", file["sandbox"])
    try:
        for option in values.keys() - _measurable(settings_type):
            raise ValueError(f"the sandbox of {system} has no measurable option {option!r}")
        settings_type(**values)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    place = ", ".join(str(file[each]) for each in ("environment", "base_url", "measured_at") if each in file)
    return values, f"{name} ({place})"


def described(settings: ServerSettings, values: JsonObject, source: str) -> str:
    """What a sandbox plays of the measured values, for people."""
    names = _measurable(type(settings))
    played = ", ".join(f"{name}={getattr(settings, name)}" for name in names if name in values)
    others = ", ".join(name for name in names if name not in values)
    return f"Like {source}: {played or 'nothing'}\nNot measured, as by default: {others or 'nothing'}"


def _measurable(settings_type: type[ServerSettings]) -> list[str]:
    return [name for name, option in options_of(settings_type).items() if option.measurable]
