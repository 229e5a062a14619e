"""What a command takes: the check of its arguments, and the rows of the page of the control
API.
"""

from __future__ import annotations

import inspect
import json
import re
import types
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from victor_ext.sandbox.server.accepted import check_type, in_words
from victor_ext.sandbox.server.exchange import JsonObject

_CODE: dict[object, tuple[str, ...]] = {bool: ("`true`", "`false`"), type(None): ("`null`",)}
"""What JSON has for a type that has no other values."""


class Parameter(NamedTuple):
    name: str
    takes: str
    """The JSON values that it may have; words of code are in backticks."""
    default: str | None
    """As JSON. None: it must be given, or what is left out is said elsewhere."""


def parameters_of(work: Callable[..., object]) -> list[Parameter]:
    """The parameters of a command's body; its keyword options are a parameter each."""
    hints = _hints_of(work)
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


def check_arguments(work: Callable[..., object], given: JsonObject) -> None:
    """Raise `ValueError` for arguments that the body of a command does not take: it names the
    parameter, what came and what to write.
    """
    hints = _hints_of(work)
    parameters = {each.name: each for each in [*inspect.signature(work).parameters.values()][1:]}
    options = [each for each in parameters.values() if each.kind is each.VAR_KEYWORD]
    for each in options:  # the body reads them itself
        del parameters[each.name]
    for name in given.keys() - parameters.keys():
        if not options:
            known = f"write {', '.join(parameters)}" if parameters else "it takes none"
            raise ValueError(f"{name} is no parameter of this command: {known}")
    for name, parameter in parameters.items():
        hint = hints.get(name, Any)
        if name in given:
            check_type(name, given[name], hint)
        elif parameter.default is parameter.empty:
            raise ValueError(f"{name} is missing: write {in_words(hint)}")


def read_path(work: Callable[..., object], texts: dict[str, str]) -> JsonObject:
    """The parameters in a path, the whole numbers among them as numbers."""
    hints = _hints_of(work)
    return {
        name: int(text) if hints.get(name) is int and re.fullmatch("[0-9]{1,18}", text) else text
        for name, text in texts.items()
    }


@lru_cache(maxsize=256)
def _hints_of(work: Callable[..., object]) -> dict[str, Any]:
    try:
        return get_type_hints(work)
    except NameError:  # a name that is imported for type checkers alone
        return dict(getattr(work, "__annotations__", {}))


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
        kind = origin or hint
        yield from _CODE.get(kind, (in_words(kind),))
