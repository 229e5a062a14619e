"""A generated package: imported under a name of its own, called without a server, and the values of
its arguments.

Its httpx clients record the request, or give one answer, and send nothing. No coroutine waits for
anything, so that none needs a loop of events.
"""

import contextlib
import functools
import importlib
import importlib.util
import inspect
import pkgutil
import sys
import types
import typing
import warnings
from decimal import Decimal
from enum import Enum
from io import BytesIO
from pathlib import Path
from typing import Any

import attrs
import httpx

from victor_spec.tree import is_list, is_mapping

from .expected import Request
from .schemas import TYPED

BASE = "https://server.example/base"
_ALIAS = "_package_under_check"


class Function:
    """The module of an operation."""

    def __init__(self, module, models):
        self.module = module
        self.name = module.__name__.rpartition(".")[2]
        self.method = module.OPERATION.method.lower()
        self.path = module.OPERATION.path
        """With the name of an argument for each parameter."""
        # With `late_models`, the module itself has only the names of the models that it calls.
        names = {**models, **vars(module)}
        hints = typing.get_type_hints(module.sync_detailed, names, {})
        self.hints = {
            name: hint for name, hint in hints.items() if name not in ("return", "client")
        }
        parameters = inspect.signature(module.sync_detailed).parameters
        self.required = {
            name for name in self.hints if parameters[name].default is inspect.Parameter.empty
        }


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


class Package(contextlib.AbstractContextManager):
    """The package in a folder, imported under another name, so that an installed one of its name
    stays as it is.

    Its end forgets the modules.
    """

    def __init__(self, folder: Path):
        self.attributes = functools.cache(_attributes)
        """The attribute of each wire name that a model writes."""
        self.calls = 0
        self._answer = None
        _forget()
        spec = importlib.util.spec_from_file_location(
            _ALIAS, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        root = sys.modules[_ALIAS] = importlib.util.module_from_spec(spec)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            spec.loader.exec_module(root)
            found = [*pkgutil.walk_packages([str(folder)], f"{_ALIAS}.")]
            modules = [importlib.import_module(each.name) for each in found]
        package = self.load("models")
        models = {name: getattr(package, name) for name in dir(package)}  # some come when asked for
        self.functions = [
            Function(module, models) for module in modules if hasattr(module, "OPERATION")
        ]
        self.plain = self.load("decoding").plain
        """What a decoded value is in JSON."""
        transport = httpx.MockTransport(self._handle)
        self._client = self.load("client").Client(
            base_url=BASE, httpx_args={"transport": transport}
        )

    def __exit__(self, *_):
        _forget()

    def load(self, name):
        return importlib.import_module(f"{_ALIAS}.{name}")

    def _handle(self, request: httpx.Request) -> httpx.Response:
        """Give the answer, as a response of its own: the same one may be read by another call."""
        if self._answer is None:
            raise _RecordedError(request)
        status, kind, content = self._answer
        return httpx.Response(status, headers={"content-type": kind}, content=content)

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

    def answer(self, function: Function, arguments, answer, way):
        """What a call of `sync`, `sync_detailed` or `asyncio_detailed` makes of a status, a content
        type and a content.

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


def built(hint, value):
    """The values of a type that a caller would pass for a JSON value; first the model that holds it
    best.
    """
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    options = typing.get_args(hint) if is_union else [hint]
    # Any holds every value, and a text may be meant for a date
    options = sorted(options, key=lambda each: 2 if each is Any else int(each is str))
    values = [each for option in options for each in _of_option(option, value)]
    return sorted(values, key=_misfit)


def _misfit(value):
    """How badly a model fits the values it was built of: what it, or a model in it, has no
    attribute for, and its fields that are absent. Anything else fits less.
    """
    if not is_model(value):
        return 1000, 0
    free = len(value.additional_properties) + len(value._misread())
    absent = 0
    for each in attrs.fields(type(value)):
        member = getattr(value, each.name)
        absent += type(member).__name__ == "Unset"
        for item in member if is_list(member) else [member]:
            if is_model(item):
                free += _misfit(item)[0]
    return free, absent


def _of_option(option, value):
    """The value of one type for a JSON value; none when it has none."""
    inner = typing.get_args(option)
    if option in (Any, object) or (typing.get_origin(option) is typing.Literal and value in inner):
        yield value
    elif is_list(value) and typing.get_origin(option) is list:
        items = [built(inner[0], item) for item in value]
        if all(items):
            yield [best for best, *_ in items]
    elif not isinstance(option, type):
        return
    elif is_mapping(value) and is_model(option):
        yield option.from_dict(value)
    elif isinstance(value, bytes) and option.__name__ == "File":
        yield option(payload=BytesIO(value))
    elif issubclass(option, Enum):
        yield from (member for member in option if member.value == value)
    elif isinstance(value, str) and value in TYPED and type(TYPED[value]) is option:
        yield TYPED[value]
    elif type(value) in (int, float) and option is Decimal:
        yield Decimal(str(value))
    elif type(value) is option or (option is float and type(value) is int):
        yield value
