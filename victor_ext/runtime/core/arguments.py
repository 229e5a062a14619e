"""Arguments that a function does not have: the error names the argument that was probably meant, as
Python 3.13 does.
"""

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def unexpected_argument(function: str, name: str, known: Iterable[str]) -> TypeError:
    """The error of a call with an argument that is not among the known ones."""
    message = f"{function}() got an unexpected keyword argument {name!r}"
    return TypeError(message + hint_at(name, known))


def hint_at(name: str, known: Iterable[str]) -> str:
    """The end of a message, with the known name that is nearest to this one; empty without one."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    near = get_close_matches(name, list(known), 1)
    return f". Did you mean {near[0]!r}?" if near else ""


def refuse_unknown(function: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raise `TypeError` for the first argument that is not known."""
    names = list(known)
    unknown = next((name for name in given if name not in names), None)
    if unknown is not None:
        raise unexpected_argument(function, unknown, names)


def hinting(method: Callable[P, T]) -> Callable[P, T]:
    """Decorate a method that takes keywords alone: a wrong one is refused with the nearest name."""
    parameters = inspect.signature(method).parameters
    names = [
        name for name, parameter in parameters.items() if parameter.kind is parameter.KEYWORD_ONLY
    ]

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        owner: Any = args[0]
        refuse_unknown(f"{type(owner).__name__}.{method.__name__}", kwargs, names)
        return method(*args, **kwargs)

    return call
