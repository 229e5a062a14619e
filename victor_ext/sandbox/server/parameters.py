"""What a command takes, in words: the rows of the page of the control API."""

from __future__ import annotations

import inspect
import json
import types
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

_WORDS: dict[object, tuple[str, ...]] = {
    str: ("a text",),
    Decimal: ("a text",),
    date: ("a text",),
    bool: ("`true`", "`false`"),
    int: ("a whole number",),
    float: ("a number",),
    timedelta: ("a number",),
    list: ("an array",),
    dict: ("an object",),
    type(None): ("`null`",),
}
"""What JSON has for a type."""


class Parameter(NamedTuple):
    name: str
    takes: str
    """The JSON values that it may have; words of code are in backticks."""
    default: str | None
    """As JSON. None: it must be given, or what is left out is said elsewhere."""


def parameters_of(work: Callable[..., object]) -> list[Parameter]:
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
            found += [Parameter(name, _takes(kind), None) for name, kind in options.items()]
        else:
            given = each.default is inspect.Parameter.empty
            default = None if given else json.dumps(each.default, default=str, ensure_ascii=False)
            found.append(Parameter(each.name, _takes(hint), default))
    return found


def _takes(hint: object) -> str:
    *others, last = dict.fromkeys(_kinds(hint))
    return f"{', '.join(others)} or {last}" if others else last


def _kinds(hint: object) -> Iterator[str]:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        for part in get_args(hint):
            yield from _kinds(part)
    elif origin is Literal:
        yield from (f"`{value}`" for value in get_args(hint))
    else:
        yield from _WORDS.get(origin or hint, ("a JSON value",))
