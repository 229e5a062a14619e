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
from operator import or_
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec

from victor_ext.sandbox.server._exchange import JsonObject

_IN_JSON: dict[object, Any] = {Decimal: str, date: str, timedelta: float}
"""What comes as another type in JSON."""


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
        try:
            msgspec.convert(value, _in_json(known[name].type))
        except msgspec.ValidationError:
            kind = inspect.formatannotation(known[name].type)
            raise ValueError(f"{name} must be {kind}, not {value!r}") from None
    for name, parameter in known.items():
        if parameter.is_needed and name not in given:
            raise ValueError(f"{name} is missing")


def _in_json(declared: Any) -> Any:
    if get_origin(declared) in (Union, types.UnionType):
        return reduce(or_, map(_in_json, get_args(declared)))
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
