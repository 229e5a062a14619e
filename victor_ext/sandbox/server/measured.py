"""A file of measurements, as `victor conform` writes it: the options that play the provider which was measured."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args, get_type_hints

from victor_ext.sandbox.server.exchange import JsonObject
from victor_ext.sandbox.server.settings import Option, ServerSettings, options_of

_FORMAT = 1


@dataclass(frozen=True)
class Measurements:
    source: str
    """The file, and where and when it was measured."""
    values: JsonObject
    """The measured options by name."""
    assumed: tuple[str, ...]
    """The names of the measurable options that were not measured, and keep their defaults."""

    def lines(self, settings: ServerSettings) -> str:
        """What a sandbox with these settings plays, for people."""
        played = ", ".join(f"{name}={getattr(settings, name)}" for name in self.values) or "nothing"
        return f"Like {self.source}: {played}\nNot measured, as by default: {', '.join(self.assumed) or 'nothing'}"


def read_measurements(path: str | os.PathLike[str], system: str, settings_type: type[ServerSettings]) -> Measurements:
    """Read a file of measurements of one system. `ValueError` says what is wrong with it, and with which option."""
    name = os.fspath(path)
    try:
        read: Any = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{name} cannot be read: {getattr(error, 'strerror', None) or 'it is not JSON'}") from error
    file = cast("JsonObject", read if isinstance(read, dict) else {})
    played = file.get("sandbox")
    if "format" not in file or not isinstance(played, dict):
        raise ValueError(f"{name} has no measurements: 'victor conform' writes a file that has")
    if file["format"] != _FORMAT:
        raise ValueError(f"{name} has format {file['format']!r}, and this release reads {_FORMAT}: measure again")
    if file.get("system") != system:
        raise ValueError(f"{name} is about {file.get('system')!r}, and this sandbox plays {system!r}")
    known = {option: each for option, each in options_of(settings_type).items() if each.measurable}
    values = cast("JsonObject", played)
    types = get_type_hints(settings_type)
    for option, value in values.items():
        if option not in known:
            raise ValueError(f"{name}: the sandbox of {system} has no measurable option {option!r}")
        _check(name, option, known[option], types[option], value)
    place = ", ".join(str(file[each]) for each in ("environment", "base_url", "measured_at") if each in file)
    return Measurements(f"{name} ({place})", values, tuple(option for option in known if option not in values))


def _check(file: str, name: str, option: Option, declared: Any, value: object) -> None:
    allowed = {float: (int, float)}
    types = [kind for each in get_args(declared) or (declared,) for kind in allowed.get(each, (each,))]
    if not option.choices and type(value) not in types:
        words = " or ".join("null" if each is type(None) else each.__name__ for each in types)
        raise ValueError(f"{file}: {name} must be {words}, not {value!r}")
    try:
        option.validate(name, value)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None
