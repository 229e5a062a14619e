"""What a command takes, by the types that are annotated; and the rules of values that commands have
beside their types.
"""

from __future__ import annotations

import inspect
import math
import re
import types
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache, reduce
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from victor_ext.sandbox.server._exchange import JsonObject

_IN_JSON: dict[object, Any] = {Decimal: str, date: str, timedelta: float}
"""What comes as another type in JSON."""


@lru_cache(maxsize=256)
def parameters_of(work: Callable[..., object]) -> dict[str, Any]:
    """The types of what a command's body takes, by name; its keyword options are among them."""
    try:
        hints = get_type_hints(work)
    except NameError:  # a name that is imported for type checkers alone
        hints = {}
    parameters: dict[str, Any] = {}
    for each in [*inspect.signature(work).parameters.values()][1:]:
        hint = hints.get(each.name, Any)
        if each.kind is inspect.Parameter.VAR_KEYWORD:
            parameters |= get_type_hints(next(iter(get_args(hint)), object))
        else:
            parameters[each.name] = hint
    return parameters


def check_arguments(work: Callable[..., object], given: JsonObject) -> None:
    """Raise `ValueError` for an argument of another type than the body of a command takes."""
    known = parameters_of(work)
    for name in given.keys() & known.keys():
        try:
            msgspec.convert(given[name], _in_json(known[name]))
        except msgspec.ValidationError:
            kind = inspect.formatannotation(known[name])
            raise ValueError(f"{name} must be {kind}, not {given[name]!r}") from None


def _in_json(declared: Any) -> Any:
    if get_origin(declared) in (Union, types.UnionType):
        return reduce(lambda kind, other: kind | other, map(_in_json, get_args(declared)))
    return _IN_JSON.get(declared, declared)


def without_none(parameters: JsonObject) -> JsonObject:
    """The parameters of a command that have a value: None is the default everywhere but in `times`,
    where it means without end.
    """
    return {
        name: value for name, value in parameters.items() if value is not None or name == "times"
    }


def require_one_of(name: str, value: str, known: Iterable[str]) -> None:
    """Raise `ValueError` for an unknown word; it names those known."""
    words = list(known)
    if value not in words:
        raise ValueError(f"{name} must be one of {', '.join(words)}, not {value!r}")


def require_least(name: str, value: float, least: float, most: float = math.inf) -> None:
    """Raise `ValueError` for a number that is too small or too large, or is none."""
    if not least <= value <= most or value == math.inf:
        limit = "" if most == math.inf else f", and at most {most:g}"
        raise ValueError(f"{name} must be at least {least:g}{limit}, not {value!r}")


def require_form(name: str, value: str, pattern: str, what: str) -> None:
    """Raise `ValueError` for a text that does not match a pattern, which `what` says in words."""
    if not re.fullmatch(pattern, value):
        raise ValueError(f"{name} must be {what}, not {value!r}")


def require_filled(name: str, value: str) -> None:
    """Raise `ValueError` for a text without a character that can be seen."""
    if not value.strip():
        raise ValueError(f"{name} must not be empty: write a text")


def require_new(name: str, value: str, known: Iterable[str]) -> None:
    """Raise `ValueError` for a name that something has already."""
    if value in known:
        raise ValueError(f"{name} {value!r} is taken already: write another one")
