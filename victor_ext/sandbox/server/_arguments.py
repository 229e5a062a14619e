"""What a command takes, and what an option may be, by the types that are annotated: the check of a
value, the words of its error, and the rows of the page of the control API.
"""

from __future__ import annotations

import inspect
import json
import math
import re
import types
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from victor_ext.sandbox.server._exchange import JsonObject

_KINDS: dict[object, tuple[Any, tuple[str, ...]]] = {
    str: (str, ("a text",)),
    Decimal: (str, ("a text",)),
    date: (str, ("a text",)),
    bool: (bool, ("`true`", "`false`")),
    int: (int, ("a whole number",)),
    float: (int | float, ("a number",)),
    timedelta: (int | float, ("a number",)),
    list: (list, ("an array",)),
    dict: (dict, ("an object",)),
    type(None): (type(None), ("`null`",)),
}
"""What a JSON value of a type is, and how it is called; words of code are in backticks. Of any
other type, each value is right.
"""


def check_type(name: str, value: object, declared: object) -> None:
    """Raise `ValueError` for a value of another type than the declared one."""
    parts = _parts(declared)
    if any(_is_one(value, part) for part in parts):
        return
    literals = [part for part in parts if get_origin(part) is Literal]
    choices = [str(choice) for part in literals for choice in get_args(part)]
    if str(value) in choices:
        raise ValueError(f'{name} must be a text: write "{value}", not {value!r}')
    if choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, not {value!r}")
    raise ValueError(f"{name} must be {_to_write(declared)}, not {value!r}")


def _is_one(value: object, declared: object) -> bool:
    if get_origin(declared) is Literal:
        return value in get_args(declared)
    if declared not in _KINDS:
        return True
    kind, _ = _KINDS[declared]
    # A bool is an int in Python, but neither a count nor a number of seconds.
    return isinstance(value, kind) and isinstance(value, bool) is (kind is bool)


def _parts(declared: object) -> list[object]:
    """The types of a union, each without its arguments; or the only one."""
    origin = get_origin(declared)
    if origin in (Union, types.UnionType):
        return [part for each in get_args(declared) for part in _parts(each)]
    return [declared if origin in (None, Literal) else origin]


def _in_words(parts: Iterable[object]) -> str:
    words: dict[str, None] = {}
    for part in parts:
        if get_origin(part) is Literal:
            words |= dict.fromkeys(f"`{choice}`" for choice in get_args(part))
        else:
            _, of_kind = _KINDS.get(part, (None, ("a JSON value",)))
            words |= dict.fromkeys(of_kind)
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def _to_write(declared: object) -> str:
    """What to write for a value of a type. None is left out: it is what is not written."""
    parts = [part for part in _parts(declared) if part is not type(None)]
    return _in_words(parts).replace("`", "")


class Parameter(NamedTuple):
    """What a command takes under one name."""

    name: str
    type: object
    """The annotation."""
    default: str | None
    """The default in JSON. None: it must be given, or what is left out is said elsewhere."""
    is_needed: bool = False
    is_option: bool = False
    """Whether it is one of the keyword options of the command's body."""

    @property
    def takes(self) -> str:
        """The JSON values that it may have; words of code are in backticks."""
        return _in_words(_parts(self.type))


@lru_cache(maxsize=256)
def parameters_of(work: Callable[..., object]) -> tuple[Parameter, ...]:
    """The parameters of a command's body; its keyword options are a parameter each."""
    try:
        hints = get_type_hints(work)
    except NameError:  # a name that is imported for type checkers alone
        hints = dict(getattr(work, "__annotations__", {}))
    found: list[Parameter] = []
    for each in [*inspect.signature(work).parameters.values()][1:]:
        hint = hints.get(each.name, Any)
        if each.kind is inspect.Parameter.VAR_KEYWORD:
            options = get_type_hints(next(iter(get_args(hint)), object))
            found += [Parameter(*option, None, is_option=True) for option in options.items()]
        elif each.default is inspect.Parameter.empty:
            found.append(Parameter(each.name, hint, None, is_needed=True))
        else:
            default = json.dumps(each.default, default=str, ensure_ascii=False)
            found.append(Parameter(each.name, hint, default))
    return tuple(found)


def check_arguments(work: Callable[..., object], given: JsonObject) -> None:
    """Raise `ValueError` for arguments that the body of a command does not take: it names the
    parameter, what came and what to write.
    """
    known = {parameter.name: parameter for parameter in parameters_of(work)}
    for name, value in given.items():
        if name not in known:
            others = f"write {', '.join(known)}" if known else "it takes none"
            raise ValueError(f"{name} is no parameter of this command: {others}")
        check_type(name, value, known[name].type)
    for name, parameter in known.items():
        if parameter.is_needed and name not in given:
            raise ValueError(f"{name} is missing: write {_to_write(parameter.type)}")


def without_none(parameters: JsonObject) -> JsonObject:
    """The parameters of a command that have a value: None is the default everywhere but in `times`,
    where it means without end.
    """
    return {
        name: value for name, value in parameters.items() if value is not None or name == "times"
    }


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
