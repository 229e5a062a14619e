"""What a value may be, by the type that is annotated: the check, and the words of its error."""

from __future__ import annotations

import math
import re
import types
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal, Union, get_args, get_origin

_KINDS: dict[object, tuple[Any, str]] = {
    str: (str, "a text"),
    Decimal: (str, "a text"),
    date: (str, "a text"),
    bool: (bool, "true or false"),
    int: (int, "a whole number"),
    float: (int | float, "a number"),
    timedelta: (int | float, "a number"),
    list: (list, "an array"),
    dict: (dict, "an object"),
}
"""What a JSON value of a type is, and how it is called. Of any other type, each value is right."""


def check_type(name: str, value: object, declared: Any) -> None:
    """Raise `ValueError` for a value of another type than the declared one."""
    if _is_accepted(value, declared):
        return
    choices = _choices(declared)
    if str(value) in choices:
        raise ValueError(f'{name} must be a text: write "{value}", not {value!r}')
    if choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, not {value!r}")
    raise ValueError(f"{name} must be {in_words(declared)}, not {value!r}")


def in_words(declared: Any) -> str:
    """What to write for a value of a type. None is left out: it is what is not written."""
    words = dict.fromkeys(_KINDS[each][1] for each in _members(declared) if each in _KINDS)
    return " or ".join(words) or "a JSON value"


def _is_accepted(value: object, declared: Any) -> bool:
    return any(_is_one(value, each) for each in _members(declared))


def _is_one(value: object, declared: Any) -> bool:
    if declared is type(None):
        return value is None
    if get_origin(declared) is Literal:
        return value in get_args(declared)
    if declared not in _KINDS:
        return True
    kind, _ = _KINDS[declared]
    # A bool is an int in Python, but neither a count nor a number of seconds.
    return isinstance(value, kind) and isinstance(value, bool) is (kind is bool)


def _members(declared: Any) -> list[Any]:
    """The types of a union, each without its arguments; or the only one."""
    origin = get_origin(declared)
    if origin in (Union, types.UnionType):
        return [member for part in get_args(declared) for member in _members(part)]
    return [declared if origin in (None, Literal) else origin]


def _choices(declared: Any) -> list[str]:
    literals = (each for each in _members(declared) if get_origin(each) is Literal)
    return [str(choice) for each in literals for choice in get_args(each)]


# The rules of values that commands have, beside their types


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
