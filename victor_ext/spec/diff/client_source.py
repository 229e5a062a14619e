"""The parts of the client's source: what each names, reads, calls and passes on. Nothing is imported.

A part is a method, a declared field of a record, a function, or a constant of a module.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

CLIENT = Path(__file__).resolve().parents[2]


@dataclass(eq=False)
class Part:
    """A part, and what its source says."""

    name: str
    """As a user would write it: `victor_ext.PaymentRequest.notes`."""
    module: str
    owner: str = ""
    """The class whose member this is."""
    declares_field: bool = False
    is_function: bool = False
    texts: set[str] = field(default_factory=set[str])
    """Texts, imported operations included, without the module's constants: `victor_api.api.cards.get`, `payee.name`."""
    names: set[str] = field(default_factory=set[str])
    """Attributes with what they are read from, imported models, and plain names: `models.Origin`, `_as_payer`."""
    keywords: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """The arguments of each call by the name of what is called, those of calls inside it included."""

    @property
    def simple_name(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def private_names(self) -> list[str]:
        """The parts of the name that are not for users."""
        return [each for each in self.name.split(".") if each.startswith("_") and not each.startswith("__")]

    def refers_to(self, name: str) -> bool:
        """Whether the part uses something of its module or its class by this name."""
        return name in self.names or f"self.{name}" in self.names


@cache
def parts_of(package: str) -> tuple[Part, ...]:
    """The parts of the modules beside those that name the generated package; () for a package that nobody names."""
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


def _parts_of(path: Path, public: set[str]) -> Iterator[Part]:
    tree = ast.parse(path.read_bytes())
    module = ".".join((CLIENT.name, *path.relative_to(CLIENT).with_suffix("").parts)).removesuffix(".__init__")
    constants: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and (value := _constant(node.value, constants)):
            constants.update({target.id: value for target in node.targets if isinstance(target, ast.Name)})
        elif isinstance(node, ast.ImportFrom) and "_api.api." in (node.module or ""):  # operations of a document
            constants.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    bases = {base for node in classes.values() for base in _bases(node)}
    for node in tree.body:
        if not isinstance(node, ast.ClassDef):
            yield _part(node, module, module, constants)
        elif not (node.name.startswith("_") and node.name in bases):  # its members are those of its subclasses
            whole = f"{module}.{node.name}"
            name = f"{CLIENT.name}.{node.name}" if whole in public else whole
            for member in _members(node, classes):
                yield _part(member, name, module, constants, owner=whole)


def _members(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> list[ast.stmt]:
    """The members of a class, with those of the private classes of its module that it is made of."""
    private = [classes[base] for base in _bases(node) if base.startswith("_") and base in classes]
    return [*(member for each in private for member in _members(each, classes)), *node.body]


def _bases(node: ast.ClassDef) -> list[str]:
    return [each.id for base in node.bases for each in ast.walk(base) if isinstance(each, ast.Name)]


def _part(node: ast.stmt, prefix: str, module: str, constants: dict[str, str], *, owner: str = "") -> Part:
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    name = target.id if isinstance(target, ast.Name) else getattr(node, "name", "")
    declares = bool(owner) and isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
    is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    found = Part(f"{prefix}.{name}" if name else prefix, module, owner, declares, is_function)
    inside = {id(each) for joined in ast.walk(node) if isinstance(joined, ast.JoinedStr) for each in ast.walk(joined)}
    for each in ast.walk(node):
        if id(each) in inside and isinstance(each, ast.Constant | ast.Name):
            continue  # a piece of a formatted text
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            found.texts.add(each.value)
        elif isinstance(each, ast.Name):
            found.names.add(each.id)
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
            given = {key.arg for call in calls for key in call.keywords if key.arg}
            found.keywords.setdefault(called, set()).update(given)
    return found


def _constant(value: ast.expr, constants: dict[str, str]) -> str:
    """The text of a constant; a list of names, or a text that is split into one, is a path: `payee.account_number`."""
    if isinstance(value, ast.Constant):
        return value.value if isinstance(value.value, str) else ""
    if isinstance(value, ast.JoinedStr):
        return _joined(value, constants)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "split":
        return _constant(value.func.value, constants)
    if isinstance(value, ast.List):
        return ".".join(_constant(each, constants) for each in value.elts)
    return ""


def _joined(node: ast.JoinedStr, constants: dict[str, str]) -> str:
    """A formatted text, with the constants of the module filled in."""
    filled = ""
    for each in node.values:
        if isinstance(each, ast.Constant):
            filled += str(each.value)
        elif isinstance(each, ast.FormattedValue) and isinstance(each.value, ast.Name):
            filled += constants.get(each.value.id, "{}")
    return filled
