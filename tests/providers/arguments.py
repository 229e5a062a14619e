"""Each method of each system, and each part of a request, with arguments that are good: a test
changes one of them.
"""

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from types import UnionType
from typing import Any, Union, get_args, get_origin

import httpx
import pytest

from tests.providers.running import ONCE, Script
from tests.providers.systems import ADAPTERS, ARGUMENTS, CLIENTS
from tests.providers.test_introspection import methods_of
from tests.providers.test_operations_table import argument, arguments_of, types_of
from victor_ext import InvalidRequest, Outcome
from victor_ext.providers import Money

Types = frozenset[Any]
"""The types that an argument is declared with."""


REFUSAL = {name: value for system in CLIENTS for name, value in ADAPTERS[system].REFUSAL.items()}
REFUSAL["errors"] = [{"errorCode": "E1", "errorMessage": "no", "item1": "no"}]
"""A body that refuses in the formats of all systems at once: Velo and FlexFactor have `errors`."""


def _unknown(request):
    """What comes is JSON, where it says so."""
    if request.headers.get("content-type", "").startswith("application/json") and request.content:
        json.loads(request.content.decode("utf-8"))
    return httpx.Response(404, json=REFUSAL)


NOBODY_HOME = Script(_unknown)
"""Gives out tokens, and knows nothing else: no call waits for anything."""
MADE = {
    name: kinds[0](**ARGUMENTS[name], transport=NOBODY_HOME.transport, retry=ONCE)
    for name, kinds in CLIENTS.items()
}


@dataclass(frozen=True)
class Target:
    """Something that is called with arguments that are good, and the arguments to change."""

    call: Callable[..., Any]
    good: Mapping[str, Any]
    types: Mapping[str, Types] = field(default_factory=dict)

    @property
    def arguments(self):
        return sorted({*self.good, *self.types})

    def __call__(self, changes):
        result = self.call(**{**self.good, **changes})
        if hasattr(result, "pages"):
            list(result)


def targets(system):
    """Each method of a client; and each part of a request that is an object, such as a card or an
    address.
    """
    for path, method in methods_of(MADE[system]).items():
        if path.endswith("watch"):
            continue  # a generator, which reads as `wait` does
        name, good = f"{system} {path}", arguments_of(method)
        yield name, Target(method, good, declared_types(method))
        for parameter, kind in types_of(method).items():
            with contextlib.suppress(LookupError):
                value = argument(parameter, kind)
                [part] = value if isinstance(value, list) else [value]
                is_a_part = is_dataclass(part) and not isinstance(part, Money)
                if is_a_part and parameter != "receipt":  # that one is ours
                    call = changing(method, good, parameter, value)
                    yield f"{name}'s {parameter}", Target(call, {}, declared_types(type(part)))


def changing(method, good, name, value):
    """A call in which one part of the request, or the one in a list, has other values."""

    def call(**changes):
        is_listed = isinstance(value, list)
        part = replace(value[0] if is_listed else value, **changes)
        return method(**{**good, name: [part] if is_listed else part})

    return call


def declared_types(made_by):
    """The types of each argument of a method or a class."""
    return {
        name: frozenset(get_args(kind) if get_origin(kind) in (Union, UnionType) else [kind])
        for name, kind in types_of(made_by).items()
    }


TARGETS = {name: target for system in CLIENTS for name, target in targets(system)}


def refused(target, **changes):
    """What a call with these changes raises. It is not sent."""
    before = len(NOBODY_HOME.requests)
    with pytest.raises(InvalidRequest) as raised:
        target(changes)
    error = raised.value
    assert len(NOBODY_HOME.requests) == before
    assert isinstance(error, ValueError)
    assert (error.outcome, error.attempts) == (Outcome.NOT_SENT, 0)
    assert (error.request, error.status_code) == (None, None)
    for problem in error.problems:
        assert problem.field in problem.message
    return error


def last(problem):
    """The argument, or the field of a part, that a problem is of, without its place in a list."""
    return problem.field.rpartition(".")[2].partition("[")[0]
