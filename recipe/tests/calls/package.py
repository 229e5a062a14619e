"""A generated package: imported under a name of its own, called without a server, and the values of
its arguments.

Its httpx clients record the request, or give one answer, and send nothing. No coroutine waits for
anything, so that none needs a loop of events.
"""

import contextlib
import datetime
import functools
import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
import types
import typing
import warnings
from decimal import Decimal
from enum import Enum
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs
import httpx

from victor_spec.tree import is_list, is_mapping

from .expected import Request

_ALIAS = "_package_under_check"


class PackageError(Exception):
    """The package cannot be imported; the message says why."""


class Function:
    """The module of an operation."""

    def __init__(self, module, models):
        self.module = module
        self.name = module.__name__.rpartition(".")[2]
        self.method = self.module.OPERATION.method.lower()
        self.path = self.module.OPERATION.path
        """With the name of an argument for each parameter."""
        # With `late_models`, the module itself has only the names of the models that it calls.
        names = {**models, **vars(module)}
        hints = typing.get_type_hints(self.module.sync_detailed, names, {})
        self.hints = {
            name: hint for name, hint in hints.items() if name not in ("return", "client")
        }
        parameters = inspect.signature(self.module.sync_detailed).parameters
        self.required = {
            name for name in self.hints if parameters[name].default is inspect.Parameter.empty
        }


class Package(contextlib.AbstractContextManager):
    """The package in a folder, imported under another name, so that an installed one of its name
    stays as it is.

    Its end forgets the modules. Raises PackageError when a module cannot be imported, or warns.
    """

    def __init__(self, folder: Path):
        self.attributes = functools.cache(_attributes)
        """The attribute of each wire name that a model writes."""
        _forget()
        spec = importlib.util.spec_from_file_location(
            _ALIAS, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        root = sys.modules[_ALIAS] = importlib.util.module_from_spec(spec)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                spec.loader.exec_module(root)
                found = [*pkgutil.walk_packages([str(folder)], f"{_ALIAS}.")]
                modules = [importlib.import_module(each.name) for each in found]
                package = self.load("models")
                models = {name: getattr(package, name) for name in dir(package)}
                self.functions = [
                    Function(module, models) for module in modules if hasattr(module, "OPERATION")
                ]
        except Exception as error:
            _forget()
            raise PackageError(f"it cannot be imported: {type(error).__name__}: {error}") from error

    def __exit__(self, *_):
        _forget()

    def load(self, name):
        return importlib.import_module(f"{_ALIAS}.{name}")


class _RecordedError(Exception):
    """Ends a call whose request, its only argument, is all that is wanted."""


def _end(coroutine):
    """What a coroutine that waits for nothing returns. Raises RuntimeError when it waits."""
    try:
        coroutine.send(None)
    except StopIteration as ended:
        return ended.value
    coroutine.close()
    raise RuntimeError("it waits for something that is no answer")


class Caller(contextlib.AbstractContextManager):
    def __init__(self, package: Package, base_url):
        self._answer = None
        transport = httpx.MockTransport(self._handle)
        client = package.load("client")
        self._client = client.Client(base_url=base_url, httpx_args={"transport": transport})
        self.calls = 0

    def _handle(self, request: httpx.Request) -> httpx.Response:
        """Give the answer, as a response of its own: the same one may be read by another call."""
        if self._answer is None:
            raise _RecordedError(request)
        return httpx.Response(
            self._answer.status_code, headers=self._answer.headers, content=self._answer.content
        )

    def __exit__(self, *_):
        self._client.get_httpx_client().close()
        _end(self._client.get_async_httpx_client().aclose())

    def request(self, function: Function, arguments, way="sync_detailed") -> Request:
        """The request of a call of `sync_detailed` or `asyncio_detailed`.

        Raises what the function raises, and RuntimeError when it sends nothing.
        """
        self._answer = None
        try:
            self._call(function, arguments, way)
        except _RecordedError as recorded:
            return Request(recorded.args[0])
        raise RuntimeError("no request was sent")

    def answer(self, function: Function, arguments, answer: httpx.Response, way):
        """What a call of `sync`, `sync_detailed` or `asyncio_detailed` reads.

        Raises what the function raises.
        """
        self._answer = answer
        result = self._call(function, arguments, way)
        return result if way == "sync" else result.parsed

    def _call(self, function: Function, arguments, way):
        self.calls += 1
        result = getattr(function.module, way)(client=self._client, **arguments)
        return _end(result) if way == "asyncio_detailed" else result


def is_model(value):
    return hasattr(value, "from_dict") and hasattr(value, "to_dict")


def misread(model):
    """The attributes of a model whose values are of another type than the declared one; none of
    anything else.
    """
    return model._misread() if is_model(model) else set()


def _attributes(model):
    """Write a model whose values are the names of its attributes, and see under which name each
    comes out.
    """
    marked = model.from_dict({})
    for each in attrs.fields(model):
        if each.init:
            setattr(marked, each.name, each.name)
    return marked.to_dict()


def _forget():
    for name in [name for name in sys.modules if name == _ALIAS or name.startswith(f"{_ALIAS}.")]:
        del sys.modules[name]


class NoArgumentError(ValueError):
    """The type of an argument has no value for the JSON value."""


def build(hint, value):
    """The value of a type that a caller would pass for a JSON value: the model that holds it best.

    Raises NoArgumentError when there is none.
    """
    built = [each for option in options(hint) for each in _of_option(option, value)]
    if not built:
        raise NoArgumentError(f"{type(value).__name__} is no value of {hint}")
    return min(built, key=misfit)


def options(hint):
    """The members of a union, without None and Unset; first those that hold less: Any holds every
    value, and a text may be meant for a date or an enum.
    """
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    members = typing.get_args(hint) if is_union else [hint]
    absent = ("Unset", "NoneType")
    valued = [each for each in members if getattr(each, "__name__", "") not in absent]
    return sorted(valued, key=_generality)


def _generality(option):
    return 2 if option is Any else int(option is str)


def misfit(value):
    """How badly a model fits the values it was built of: what it, or a model in it, has no
    attribute or no word of an enum for, and its fields that are absent. Anything else fits less.
    """
    if not is_model(value):
        return 1000, 0
    free = len(getattr(value, "additional_properties", ())) + len(misread(value))
    absent = 0
    for name in getattr(value, "__slots__", ()):
        member = getattr(value, name, None)
        absent += type(member).__name__ == "Unset"
        for item in member if is_list(member) else [member]:
            if is_model(item):
                free += misfit(item)[0]
            elif isinstance(item, Enum):
                free += item not in type(item).__members__.values()
    return free, absent


def enum_values(hint):
    """The values of all enums and literals in a type."""
    inner = typing.get_args(hint)
    if typing.get_origin(hint) is typing.Literal:
        return set(inner)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {member.value for member in hint}
    values = set()
    for part in inner:
        values |= enum_values(part)
    return values


def _of_option(option, value):
    """The value of one type for a JSON value; none when it has none."""
    origin = typing.get_origin(option)
    inner = typing.get_args(option)
    is_literal = origin is typing.Literal and value in inner
    if option in (Any, object) or is_literal:
        yield value
    elif is_list(value) and isinstance(origin, type) and issubclass(list, origin):
        with contextlib.suppress(NoArgumentError):
            yield [build(inner[0], item) for item in value]
    elif isinstance(option, type):
        yield from _of_class(option, value)


def _of_class(option, value):
    """The value of one class for a JSON value; none when it has none."""
    if is_mapping(value) and is_model(option):
        yield option.from_dict(value)
    elif isinstance(value, bytes) and option.__name__ == "File":
        yield option(payload=BytesIO(value))
    elif issubclass(option, Enum):
        yield from (member for member in option if member.value == value)
    elif isinstance(value, str) and option in _PARSERS:
        form, parse = _PARSERS[option]
        if re.fullmatch(form, value, re.ASCII | re.IGNORECASE):
            with contextlib.suppress(ValueError):
                yield parse(value.upper())
    elif type(value) in (int, float) and option is Decimal:
        yield Decimal(str(value))
    elif type(value) is option or (option is float and type(value) is int):
        yield value


_PARSERS = {
    datetime.datetime: (
        r"[\d-]{10}T[\d:]{8}(\.\d+)?(Z|[+-]\d\d:\d\d)",
        datetime.datetime.fromisoformat,
    ),
    datetime.date: (r"\d{4}-\d\d-\d\d", datetime.date.fromisoformat),
    UUID: (r"[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}", UUID),
}
"""What a text must be, and what reads it. RFC 3339: a time has a zone."""
