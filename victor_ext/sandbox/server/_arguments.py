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
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from victor_ext.sandbox.server._exchange import JsonObject

_IN_JSON: dict[object, Any] = {
    **dict.fromkeys((str, Decimal, date), str),
    **dict.fromkeys((float, timedelta), int | float),
    **{kind: kind for kind in (bool, int, list, dict, type(None))},
}
"""What a JSON value of a type is. Of any other type, each value is right."""


class Parameter(NamedTuple):
    """What a command takes under one name."""

    name: str
    type: object
    """The annotation."""
    is_needed: bool


@lru_cache(maxsize=256)
def parameters_of(work: Callable[..., object]) -> tuple[Parameter, ...]:
    """The parameters of a command's body; its keyword options are a parameter each."""
    try:
        hints = get_type_hints(work)
    except NameError:  # a name that is imported for type checkers alone
        hints = dict(getattr(work, "__annotations__", {}))
    parameters: list[Parameter] = []
    for each in [*inspect.signature(work).parameters.values()][1:]:
        hint = hints.get(each.name, Any)
        if each.kind is inspect.Parameter.VAR_KEYWORD:
            options = get_type_hints(next(iter(get_args(hint)), object))
            parameters += [Parameter(*option, is_needed=False) for option in options.items()]
        else:
            is_needed = each.default is inspect.Parameter.empty
            parameters.append(Parameter(each.name, hint, is_needed))
    return tuple(parameters)


def check_arguments(work: Callable[..., object], given: JsonObject) -> None:
    """Raise `ValueError` for arguments that the body of a command does not take."""
    known = {parameter.name: parameter for parameter in parameters_of(work)}
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"{name} is no parameter: write {', '.join(known) or 'none'}")
        if not _fits(value, known[name].type):
            raise ValueError(f"{name} must be {_in_words(known[name].type)}, not {value!r}")
    for name, parameter in known.items():
        if parameter.is_needed and name not in given:
            raise ValueError(f"{name} is missing")


def _fits(value: object, declared: object) -> bool:
    origin = get_origin(declared)
    if origin in (Union, types.UnionType):
        return any(_fits(value, each) for each in get_args(declared))
    if origin is Literal:
        return value in get_args(declared)
    kind = _IN_JSON.get(origin or declared)
    # A bool is an int in Python, but neither a count nor a number of seconds.
    return kind is None or (isinstance(value, kind) and isinstance(value, bool) is (kind is bool))


def _in_words(declared: object) -> str:
    parts = get_args(declared)
    if get_origin(declared) is Literal:
        return f"one of {', '.join(map(str, parts))}"
    if get_origin(declared) in (Union, types.UnionType):
        words = [_in_words(part) for part in parts if part is not type(None)]
        return " or ".join(dict.fromkeys(words))
    return getattr(_IN_JSON.get(declared), "__name__", "a number")


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
