"""A generated package, imported from its folder under a name of its own."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
import typing
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import attrs

from victor_ext.spec.tree import is_list

_ALIAS = "_package_under_check"


class PackageError(Exception):
    """The package cannot be imported; the message says why."""


class Function:
    """The two functions of an operation: `sync_detailed` and `asyncio_detailed`."""

    def __init__(self, module: ModuleType) -> None:
        self.name = module.__name__.rpartition(".")[2]
        self.sync: Callable[..., Any] | None = vars(module).get("sync_detailed")
        self.awaited: Callable[..., Any] | None = vars(module).get("asyncio_detailed")
        self.short: Callable[..., Any] | None = vars(module).get("sync")
        """`sync`, which returns what was read; None where nothing is."""
        one = self.sync or self.awaited
        assert one is not None
        self.hints = hints_of(one, module)
        """The types of the arguments, without `client`."""
        self.hints.pop("return", None)
        self.hints.pop("client", None)
        parameters = inspect.signature(one).parameters
        self.required = {name for name in self.hints if parameters[name].default is inspect.Parameter.empty}


class Package:
    """The package in a folder, imported under another name, so that an installed one of its name stays as it is.

    A context manager, which forgets the modules at its end. Raises PackageError when a module cannot be imported, or
    warns.
    """

    def __init__(self, folder: Path) -> None:
        self._fields: dict[Any, dict[str, str]] = {}
        _forget()
        spec = importlib.util.spec_from_file_location(
            _ALIAS, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        if spec is None or spec.loader is None:
            raise PackageError(f"{folder} is not a package.")
        root = sys.modules[_ALIAS] = importlib.util.module_from_spec(spec)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                spec.loader.exec_module(root)
                names = [found.name for found in pkgutil.walk_packages([str(folder)], f"{_ALIAS}.")]
                self._modules = [importlib.import_module(name) for name in names]
                self.functions = [Function(each) for each in self._modules if _is_operation(each)]
        except Exception as error:
            _forget()
            raise PackageError(f"it cannot be imported: {type(error).__name__}: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _forget()

    def load(self, name: str) -> Any:
        """One module of the package."""
        return importlib.import_module(f"{_ALIAS}.{name}")

    def attributes(self, model: Any) -> dict[str, str]:
        """The attribute of each wire name that a model writes."""
        if model not in self._fields:
            self._fields[model] = _attributes(model)
        return self._fields[model]


def is_model(value: Any) -> bool:
    """Whether a value, or a class, is a model of a package."""
    return hasattr(value, "from_dict") and hasattr(value, "to_dict")


def classes_in(hint: Any) -> list[Any]:
    """All classes in a type, or in a list of types: `list[A] | Unset` has list, A and Unset."""
    if is_list(hint):
        return [each for part in hint for each in classes_in(part)]
    own = [hint] if isinstance(hint, type) else []
    return own + [each for part in typing.get_args(hint) for each in classes_in(part)]


def hints_of(owner: Any, module: ModuleType) -> dict[str, Any]:
    """The annotations of a function, resolved where they can be."""
    try:
        return typing.get_type_hints(owner, vars(module), {})
    except (NameError, TypeError):
        return dict(owner.__annotations__)


class _Marker:
    """A value for any field of a model; it is written as the name of its attribute."""

    def __init__(self, attribute: str) -> None:
        self.attribute = attribute

    def to_dict(self) -> dict[str, Any]:
        return {"attribute": self.attribute}

    def isoformat(self) -> str:
        return self.attribute


def _attributes(model: Any) -> dict[str, str]:
    """Write a model whose attributes are markers, and see under which name each comes out."""
    names = [each.name for each in attrs.fields(model) if each.name != "additional_properties"]
    try:
        return _written(model, names)
    except Exception:  # noqa: BLE001 - one attribute that cannot be written must not hide the others
        return {wire: each for name in names for wire, each in _written_alone(model, name).items()}


def _written_alone(model: Any, name: str) -> dict[str, str]:
    try:
        return _written(model, [name])
    except Exception:  # noqa: BLE001 - the attribute counts as one that is not there
        return {}


def _written(model: Any, names: list[str]) -> dict[str, str]:
    marked = model.from_dict({})
    for name in names:
        setattr(marked, name, _Marker(name))
    found: dict[str, str] = {}
    for wire, value in marked.to_dict().items():
        if isinstance(value, _Marker):
            found[wire] = value.attribute
        elif isinstance(value, dict) and "attribute" in value:
            found[wire] = str(typing.cast("dict[str, Any]", value)["attribute"])
    return found


def _is_operation(module: ModuleType) -> bool:
    return hasattr(module, "sync_detailed") or hasattr(module, "asyncio_detailed")


def _forget() -> None:
    for name in [name for name in sys.modules if name == _ALIAS or name.startswith(f"{_ALIAS}.")]:
        del sys.modules[name]
