"""A file of measurements, as `victor conform` writes it: the options that play the provider which was measured."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_type_hints

from victor_ext.sandbox.server.exchange import JsonObject
from victor_ext.sandbox.server.settings import ServerSettings, check_type, options_of

_FORMAT = 1


@dataclass(frozen=True)
class Measurements:
    source: str
    """The file, and where and when it was measured."""
    values: JsonObject
    """The measured options by name. The others keep their defaults."""

    def lines(self, settings: ServerSettings) -> str:
        """What a sandbox with these settings plays, for people."""
        measurable = [name for name, option in options_of(type(settings)).items() if option.measurable]
        played = ", ".join(f"{name}={getattr(settings, name)}" for name in measurable if name in self.values)
        others = ", ".join(name for name in measurable if name not in self.values)
        return f"Like {self.source}: {played or 'nothing'}\nNot measured, as by default: {others or 'nothing'}"


def read_measurements(path: str | os.PathLike[str], system: str, settings_type: type[ServerSettings]) -> Measurements:
    """Read a file of measurements of one system. `ValueError` says what is wrong with it, and with which option."""
    name = os.fspath(path)
    try:
        read: Any = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{name} cannot be read: {getattr(error, 'strerror', None) or 'it is not JSON'}") from error
    file = cast("JsonObject", read if isinstance(read, dict) else {})
    values = file.get("sandbox")
    if "format" not in file or not isinstance(values, dict):
        raise ValueError(f"{name} has no measurements: 'victor conform' writes a file that has")
    if file["format"] != _FORMAT:
        raise ValueError(f"{name} has format {file['format']!r}, and this release reads {_FORMAT}: measure again")
    if file.get("system") != system:
        raise ValueError(f"{name} is about {file.get('system')!r}, and this sandbox plays {system!r}")
    options, types = options_of(settings_type), get_type_hints(settings_type)
    played = cast("JsonObject", values)
    for option, value in played.items():
        if option not in options or not options[option].measurable:
            raise ValueError(f"{name}: the sandbox of {system} has no measurable option {option!r}")
        try:
            check_type(option, value, types[option])
            options[option].validate(option, value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name}: {error}") from None
    place = ", ".join(str(file[each]) for each in ("environment", "base_url", "measured_at") if each in file)
    return Measurements(f"{name} ({place})", played)
