"""A generated package, imported from its folder: what its models and operations read and send, for tests."""

from __future__ import annotations

import inspect
import re
import sys
import typing
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl

import httpx

from victor_ext.spec.checking import package as checking
from victor_ext.spec.checking.package import hints_of


class Operation:
    """A generated operation, and the request that it makes when every argument is given."""

    def __init__(self, module: ModuleType, package: Package) -> None:
        self._module = module
        self._package = package
        build: Callable[..., dict[str, Any]] = vars(module)["_get_kwargs"]
        self._parse: Callable[..., Any] = vars(module)["_parse_response"]
        signature = inspect.signature(build)
        given = [name for name, each in signature.parameters.items() if each.default is not None]
        markers = {name: f"~{number}~" for number, name in enumerate(given)}
        self.hints = [each.annotation for each in signature.parameters.values()]
        """The types of the arguments and of the answers."""
        self.hints.append(typing.get_type_hints(self._parse)["return"])
        request = build(
            **{name: _argument(name, signature.parameters[name].annotation, marker) for name, marker in markers.items()}
        )
        self.method: str = request["method"]
        self._url: str = request["url"].partition("?")[0]
        self.sent = set(_sent(request, set(markers.values())))
        """The place and wire name of each parameter that reached the request."""

    def has_path(self, path: str) -> bool:
        """Whether the request's URL is this path of the document, with an argument for each parameter."""
        pattern = "".join(
            r"[.;\w=]*~\d+~" if part.startswith("{") else re.escape(part) for part in re.split(r"({[^}]+})", path)
        )
        if not re.fullmatch(f"(https?://[^~]*)?{pattern}", self._url):
            return False
        self.sent |= {("path", name) for name in re.findall(r"{([^}]+)}", path)}
        return True

    def knows_status(self, status: str) -> bool:
        """Whether the sync and the async function read an answer with this status of the document."""
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


def _sent(request: dict[str, Any], markers: set[str]) -> Iterator[tuple[str, str]]:
    """The place and wire name of each parameter whose marker is in the request; of an object, the marker is a key."""
    for name, value in parse_qsl(request["url"].partition("?")[2]):
        base, _, key = name.rpartition("[")
        if key.rstrip("]") in markers:
            yield "query", base
        elif any(marker in value for marker in markers):
            yield "query", name
    for place, key in (("header", "headers"), ("cookie", "cookies")):
        for name, value in request.get(key, {}).items():
            if any(marker in value for marker in markers):
                yield place, name


def _argument(name: str, annotation: Any, marker: str) -> Any:
    for each in _classes_in(annotation):
        if hasattr(each, "from_dict"):
            return each.from_dict({} if name == "body" else {marker: marker})
        if each.__name__ == "File":
            return each(payload=b"")
    return marker


def _classes_in(hint: Any) -> list[Any]:
    """All classes in a type, or in a list of types: `list[A] | Unset` has list, A and Unset."""
    if isinstance(hint, list):
        return [each for part in hint for each in _classes_in(part)]
    own = [hint] if isinstance(hint, type) else []
    return own + [each for part in typing.get_args(hint) for each in _classes_in(part)]


class Package(checking.Package):
    """A package as the check imports it, with what tests ask of its models and operations."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._types: dict[Any, dict[str, Any]] = {}

    @cached_property
    def classes(self) -> dict[str, Any]:
        """The models and enums by name."""
        models = self.load("models")
        return {name: getattr(models, name) for name in models.__all__}

    @cached_property
    def operations(self) -> list[Operation]:
        return [Operation(module, self) for module in self._modules if hasattr(module, "_get_kwargs")]

    def operation(self, method: str, path: str) -> Operation | None:
        """The operation of a method and a path of the document; None when the package has none."""
        return next((each for each in self.operations if each.method == method and each.has_path(path)), None)

    def fields(self, model: Any) -> dict[str, Any]:
        """The wire names that a model reads and writes, with the types of their fields."""
        if model not in self._types:
            hints = hints_of(model, sys.modules[model.__module__])
            self._types[model] = {wire: hints[name] for wire, name in self.attributes(model).items()}
        return self._types[model]

    def additional(self, model: Any) -> Any:
        """The type of the undeclared properties."""
        return hints_of(model, sys.modules[model.__module__])["additional_properties"]
