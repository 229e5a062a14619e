"""Which generated names the client of this project uses, found in its source without importing it.

A client uses its generated package by imports (`from victor_api.models import Origin`, `models.Origin`), by names of
modules in texts (`"victor_api.api.payment_requests.get_payment_request"`), by constructors (`Origin(name=...)`) and by
names of fields in texts (`text("payee.account_number")`). A field is known by its name alone: a part that reads a field
of that name in another model is told, too. Of a record that declares its fields, at least half must be in the model.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from .surface import Surface

CLIENT = Path(__file__).resolve().parents[2]


@dataclass
class _Part:
    """A function, a method or a declared field, or what is outside of them in a module."""

    name: str
    """As a user would write it: `victor_ext.PaymentRequest.notes`."""
    record: str = ""
    """The class whose declared field this is."""
    texts: set[str] = field(default_factory=set[str])
    """Texts without the module's constants: `victor_api.api.payments.pay`, `payee.account_number`."""
    names: set[str] = field(default_factory=set[str])
    """Attributes with what they are read from, and imported models: `models.Origin`."""
    keywords: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """The arguments of each call by the name of what is called, those of calls inside it included."""


class Wrapper:
    """The use that the client makes of one generated package; empty for a package that it does not know."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._parts = _parts(package)

    def users(self, name: str, surface: Surface) -> list[str]:
        """The parts of the client that use `models.Card`, `models.Card.price` or `api.cards.list_cards(limit)`.

        `surface` is the old package: nobody uses what is new.
        """
        found: list[_Part] = []
        if name.startswith("api."):
            module, _, argument = name.rstrip(")").partition("(")
            function = surface.functions.get(module)
            if function is not None and (not argument or argument in function.arguments):
                found = [each for each in self._parts if self._calls(each, module, argument)]
        else:
            model, _, attribute = name.removeprefix("models.").partition(".")
            if not attribute:
                found = [each for each in self._parts if name in each.names]
            elif model in surface.models:
                found = self._field_users(model, attribute, surface)
            else:
                found = [each for each in self._parts if f"{model}.{attribute}" in each.names]
        return sorted({each.name for each in found})

    def _calls(self, part: _Part, module: str, argument: str) -> bool:
        short = module.removeprefix("api.")
        called = not part.texts.isdisjoint({f"{self._package}.{module}", short})
        return called and (not argument or any(argument in keys for keys in part.keywords.values()))

    def _field_users(self, model: str, attribute: str, surface: Surface) -> list[_Part]:
        fields = set(surface.models[model].attributes)
        if attribute not in fields:
            return []
        constructing = [each for each in self._parts if attribute in each.keywords.get(model, ())]
        if constructing and model not in surface.received:
            return constructing
        return [*constructing, *(each for each in self._parts if self._reads(each, attribute, fields))]

    def _reads(self, part: _Part, attribute: str, fields: set[str]) -> bool:
        paths = [text.split(".") for text in part.texts]
        if not part.record or any(attribute in path[1:] for path in paths):
            return any(attribute in path for path in paths)
        roots = [text.partition(".")[0] for each in self._parts if each.record == part.record for text in each.texts]
        return any(attribute == path[0] for path in paths) and 2 * len(fields.intersection(roots)) >= len(roots)


@cache
def _parts(package: str) -> tuple[_Part, ...]:
    """The parts of the modules beside those that name the package."""
    paths = [path for path in sorted(CLIENT.rglob("*.py")) if "spec" not in path.relative_to(CLIENT).parts]
    named = re.compile(rf"\b{re.escape(package)}\b")
    folders = {path.parent for path in paths if named.search(path.read_text(encoding="utf-8"))} - {CLIENT}
    public = _public_names()
    return tuple(part for path in paths if path.parent in folders for part in _parts_of(path, public))


def _public_names() -> set[str]:
    """What can be imported from `victor_ext` itself, each with its module."""
    tree = ast.parse((CLIENT / "__init__.py").read_bytes())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {f"{CLIENT.name}.{node.module}.{alias.name}" for node in imports for alias in node.names}


def _parts_of(path: Path, public: set[str]) -> Iterator[_Part]:
    tree = ast.parse(path.read_bytes())
    module = ".".join((CLIENT.name, *path.relative_to(CLIENT).with_suffix("").parts)).removesuffix(".__init__")
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            whole = f"{module}.{node.name}"
            name = f"{CLIENT.name}.{node.name}" if whole in public else whole
            for member in node.body:
                yield _part(member, name, constants, record=name)
        elif not isinstance(node, ast.Assign):
            yield _part(node, module, constants)


def _part(node: ast.stmt, owner: str, constants: dict[str, str], *, record: str = "") -> _Part:
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    name = target.id if isinstance(target, ast.Name) else getattr(node, "name", "")
    declared = isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
    found = _Part(f"{owner}.{name}" if name else owner, record if declared else "")
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            found.texts.add(each.value)
        elif isinstance(each, ast.Name):
            found.texts.update([constants[each.id]] if each.id in constants else [])
        elif isinstance(each, ast.JoinedStr):
            found.texts.add(_joined(each, constants))
        elif isinstance(each, ast.ImportFrom) and (each.module or "").endswith("_api.models"):
            found.names.update(f"models.{alias.name}" for alias in each.names)
        elif isinstance(each, ast.Attribute):
            found.names.add(f"{ast.unparse(each.value).rpartition('.')[2]}.{each.attr}")
        elif isinstance(each, ast.Call):
            called = ast.unparse(each.func).rpartition(".")[2]
            calls = [inner for inner in ast.walk(each) if isinstance(inner, ast.Call)]
            found.keywords.setdefault(called, set()).update(
                key.arg for call in calls for key in call.keywords if key.arg
            )
    return found


def _joined(node: ast.JoinedStr, constants: dict[str, str]) -> str:
    """A formatted text, with the constants of the module filled in."""
    filled = ""
    for each in node.values:
        if isinstance(each, ast.Constant):
            filled += str(each.value)
        elif isinstance(each, ast.FormattedValue) and isinstance(each.value, ast.Name):
            filled += constants.get(each.value.id, "{}")
    return filled
