"""A generated package, imported from where it lies and asked by use what it can do."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
import typing
import warnings
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import attrs
import httpx

ALIAS = "_package_under_check"


class Mark:
    """A value that can stand in any field of a model."""

    def to_dict(self) -> dict[str, Any]:
        return {}


class Operation:
    """One generated operation, with what it sends when every argument is given."""

    def __init__(self, module: ModuleType, package: Package) -> None:
        self._module = module
        self._package = package
        build: Callable[..., dict[str, Any]] = vars(module)["_get_kwargs"]
        self._parse: Callable[..., Any] = vars(module)["_parse_response"]
        signature = inspect.signature(build)
        marks = {name: f"~{number}~" for number, name in enumerate(signature.parameters)}
        self.hints = [*(each.annotation for each in signature.parameters.values())]
        self.hints.append(typing.get_type_hints(self._parse)["return"])
        request = build(
            **{name: self._argument(name, signature.parameters[name].annotation, marks[name]) for name in marks}
        )
        self.method: str = request["method"]
        self._url: str = request["url"]
        places = {"query": "params", "header": "headers", "cookie": "cookies"}
        self.sent = {
            (place, name)
            for place, key in places.items()
            for name, value in request.get(key, {}).items()
            if value in marks.values()
        }

    def _argument(self, name: str, annotation: Any, mark: str) -> Any:
        for each in _classes(annotation):
            if hasattr(each, "from_dict"):
                return each.from_dict({} if name == "body" else {mark: mark})
            if each.__name__ == "File":
                return each(payload=b"")
        return mark

    def serves(self, path: str) -> bool:
        """Whether the URL is this path, with each argument at the place of its parameter."""
        pattern = "".join(
            r"~\d+~" if part.startswith("{") else re.escape(part) for part in re.split(r"({[^}]+})", path)
        )
        if not re.fullmatch(pattern, self._url):
            return False
        self.sent |= {("path", name) for name in re.findall(r"{([^}]+)}", path)}
        return True

    def documents(self, status: str) -> bool:
        """Whether an answer with this status counts as documented, in both faces of the operation."""
        if not (hasattr(self._module, "sync_detailed") and hasattr(self._module, "asyncio_detailed")):
            return False
        code = 599 if status == "default" else int(status.upper().replace("X", "9"))
        client = self._package.load("client").Client(base_url="http://localhost", raise_on_unexpected_status=True)
        errors = self._package.load("errors")
        try:
            self._parse(client=client, response=httpx.Response(code, json={}))
        except errors.UnexpectedStatus:
            return False
        except errors.UnreadableBody:
            return True
        return True


class Package:
    """The package in a folder, under a name of its own, so that an installed one of that name is not disturbed.

    Importing it all is part of the check: what does not compile without a warning raises here.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fields: dict[Any, dict[str, Any]] = {}
        _forget()
        spec = importlib.util.spec_from_file_location(
            ALIAS, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        if spec is None or spec.loader is None:
            raise RuntimeError(f"{folder} is not a package.")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for path in sorted(folder.rglob("*.py")):
                compile(path.read_bytes(), str(path), "exec")
            root = sys.modules[ALIAS] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(root)
            names = [found.name for found in pkgutil.walk_packages([str(folder)], f"{ALIAS}.")]
            self._modules = [importlib.import_module(name) for name in names]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _forget()

    def load(self, name: str) -> Any:
        """One module of the package."""
        return importlib.import_module(f"{ALIAS}.{name}")

    @cached_property
    def classes(self) -> dict[str, Any]:
        """The models and enums by name."""
        models = self.load("models")
        return {name: getattr(models, name) for name in models.__all__}

    @cached_property
    def operations(self) -> list[Operation]:
        return [Operation(module, self) for module in self._modules if hasattr(module, "_get_kwargs")]

    def operation(self, method: str, path: str) -> Operation | None:
        """The generated operation of a method and a path."""
        return next((each for each in self.operations if each.method == method and each.serves(path)), None)

    def fields(self, model: Any) -> dict[str, Any]:
        """The names on the wire that a model both reads and writes, with the types of their fields."""
        if model not in self._fields:
            self._fields[model] = dict(_fields(model))
        return self._fields[model]

    def free(self, model: Any) -> Any:
        """The type of the properties that are not declared."""
        return _hints(model)["additional_properties"]


def _fields(model: Any) -> Iterator[tuple[str, Any]]:
    hints = _hints(model)
    for field in attrs.fields(model):
        if field.name == "additional_properties":
            continue
        filled = model.from_dict({})
        setattr(filled, field.name, Mark())
        for wire in filled.to_dict():
            if wire not in model.from_dict({wire: None}).additional_properties:  # null in a declared field is absent
                yield wire, hints[field.name]


def _hints(model: Any) -> dict[str, Any]:
    return typing.get_type_hints(model, vars(sys.modules[model.__module__]), {})


def _classes(hint: Any) -> list[Any]:
    own = [hint] if isinstance(hint, type) else []
    return own + [each for part in typing.get_args(hint) for each in _classes(part)]


def _forget() -> None:
    for name in [name for name in sys.modules if name == ALIAS or name.startswith(f"{ALIAS}.")]:
        del sys.modules[name]
