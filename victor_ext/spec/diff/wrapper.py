"""Which generated names the client of this project uses, found in its source without importing it.

- A function is used by the parts that name its module (`from victor_api.api.payment_requests import ...`).
- A field of a model that is sent is used by the parts that construct the model and name the field
  (`models.Origin(name=...)`).
- A field of a model that is received is used by the members of records whose paths lead there
  (`text("payee.account_number")`). A record reads the models that its `raw` names, or the one with its own name, or
  those that have at least half of the fields that it declares.

A private name of the client is reported as the public name that uses it within its module. A part of the client is a
method, a declared field of a record, a function, or a constant of a module.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

from .surface import Surface, class_names

Key = tuple[str, str]
"""A model and its attribute."""


class Wrapper:
    """The use that the client makes of one generated package; empty for a package that it does not know.

    `surface` is the old package: nobody uses what is new.
    """

    def __init__(self, package: str, surface: Surface) -> None:
        self._package = package
        self._surface = surface
        self._parts = parts_of(package)

    def users(self, name: str) -> list[str]:
        """The parts of the client that use `models.Card`, `models.Card.price` or `api.cards.list_cards(limit)`."""
        if name.startswith("api."):
            found = self._callers(name)
        else:
            model, _, attribute = name.removeprefix("models.").partition(".")
            if not attribute:
                found = [each for each in self._parts if name in each.names]
            elif model in self._surface.models:
                found = [*self._builders(model, attribute), *self._readers_of(model, attribute)]
            else:
                found = [each for each in self._parts if f"{model}.{attribute}" in each.names]
        return sorted({public for each in found for public in self._public(each, set()) or {_around(each)}})

    def _callers(self, name: str) -> list[Part]:
        module, _, argument = name.rstrip(")").partition("(")
        function = self._surface.functions.get(module)
        if function is None or (argument and argument not in function.arguments):
            return []
        callers = [each for each in self._parts if f"{self._package}.{module}" in each.texts]
        return [each for each in callers if not argument or any(argument in keys for keys in each.keywords.values())]

    # ---- What is sent ----

    def _builders(self, model: str, attribute: str) -> list[Part]:
        """The parts that construct a model with an attribute."""
        if model not in self._surface.sent or attribute not in self._surface.models[model].attributes:
            return []
        named = [each for each in self._parts if f"models.{model}" in each.names and each.keywords]
        exact = [each for each in named if attribute in each.keywords.get(model, ())]
        return exact or [each for each in named if attribute in self._passed(each)]

    def _passed(self, part: Part) -> set[str]:
        """The names of arguments that a part may pass on, also by `**`."""
        beside = [each for each in self._parts if part.owner and each.owner == part.owner]
        parts = [part, *(each for each in beside if each.is_function and part.refers_to(each.simple_name))]
        found = {name for each in parts for name in each.texts.union(*each.keywords.values())}
        if any("members_of" in each.keywords for each in parts):  # all fields of the dataclass
            found |= {each.simple_name for each in beside}
        return found

    # ---- What is received ----

    def _readers_of(self, model: str, attribute: str) -> list[Part]:
        """The members of records that read an attribute, else the functions that name both it and its model."""
        if model not in self._surface.received or attribute not in self._surface.models[model].attributes:
            return []
        modules = self._modules_that_read(model)
        naming = (
            each
            for each in self._parts
            if not each.owner and (f"models.{model}" in each.names or each.module in modules)
        )
        others = [
            each
            for each in naming
            if attribute in each.texts or any(name.endswith(f".{attribute}") for name in each.names)
        ]
        return self._readers.get((model, attribute), others)

    def _modules_that_read(self, model: str) -> set[str]:
        """The modules that call an operation whose answer is a model: they may read it as JSON."""
        answers = [name for name, each in self._surface.functions.items() if model in class_names(each.returns)]
        return {part.module for name in answers for part in self._callers(name)}

    @cached_property
    def _readers(self) -> dict[Key, list[Part]]:
        """The members of records by what they read."""
        found: dict[Key, list[Part]] = {}
        for owner in dict.fromkeys(each.owner for each in self._parts if each.declares_field):
            members = [each for each in self._parts if each.owner == owner]
            roots = self._roots(members)
            for part in members:
                if not (part.is_function or part.declares_field) or part.simple_name.startswith("__"):
                    continue
                for key in self._read(self._texts(part, set()), roots):
                    found.setdefault(key, []).append(part)
        return found

    def _roots(self, members: list[Part]) -> list[str]:
        """The models that a record with these members reads."""
        models = sorted(self._surface.received & self._surface.models.keys())
        own = members[0].owner.rpartition(".")[2]
        raw = {name for each in members if each.simple_name in ("raw", "__init__") for name in each.names}
        for part in self._parts:  # a name that the module gives to several models
            if part.module == members[0].module == part.name and not raw.isdisjoint(part.names):
                raw |= part.names
        named = [model for model in models if model == own or f"models.{model}" in raw]
        fields = [each for each in members if each.declares_field and _paths(each.texts)]
        alike = [
            model
            for model in models
            if fields and 2 * sum(self._resolves(each, model) for each in fields) >= len(fields)
        ]
        return named or alike

    def _resolves(self, part: Part, model: str) -> bool:
        return any(len(list(self._steps(path, model))) == len(path) for path in _paths(part.texts))

    def _read(self, texts: set[str], roots: list[str]) -> set[Key]:
        """What is read by some paths. Each begins at the record, or where another one ends."""
        paths = _paths(texts)
        found: set[Key] = set()
        starts = list(roots)
        for start in starts:  # it grows
            for path in paths:
                steps = list(self._steps(path, start))
                if len(steps) == len(path):
                    found.update(steps)
                    ends = class_names(self._surface.models[steps[-1][0]].attributes[steps[-1][1]].type)
                    starts += [end for end in ends if end in self._surface.models and end not in starts]
        return found

    def _steps(self, path: list[str], model: str) -> Iterator[Key]:
        """The attributes that a path leads through, as far as the models have them."""
        models = [model]
        for step in path:
            at = next(
                (
                    (each, attribute)
                    for each in models
                    for attribute in self._surface.models[each].attributes
                    if _plain(attribute) == _plain(step)
                ),
                None,
            )
            if at is None:
                return
            yield at
            reached = class_names(self._surface.models[at[0]].attributes[at[1]].type)
            models = [each for each in reached if each in self._surface.models]

    def _texts(self, part: Part, seen: set[str]) -> set[str]:
        """The texts of a part and of the private parts that it uses."""
        seen.add(part.name)
        found = set(part.texts)
        for each in self._parts:
            if each.module == part.module and each.name not in seen and each.simple_name in each.private_names:
                beside = not each.owner or each.owner == part.owner
                if beside and part.refers_to(each.simple_name):
                    found |= self._texts(each, seen)
        return found

    # ---- Names for users ----

    def _public(self, part: Part, seen: set[str]) -> set[str]:
        """The name of a part; of what uses it, if it is private."""
        seen.add(part.name)
        private = part.private_names
        if not private:
            return {part.name}
        users = [
            each
            for each in self._parts
            if each.module == part.module and each.name not in seen and any(map(each.refers_to, private))
        ]
        return {name for each in users for name in self._public(each, seen)}


def _around(part: Part) -> str:
    """What is around a private part: its class or its module."""
    return part.name.partition(f".{part.private_names[0]}")[0]


def _paths(texts: set[str]) -> list[list[str]]:
    """The texts that may be paths of names."""
    paths = [text.split(".") for text in sorted(texts)]
    return [path for path in paths if all(step.isidentifier() for step in path)]


def _plain(name: str) -> str:
    """A name as it is compared: records use that of the generated model, or that on the wire."""
    return name.replace("_", "").lower()


# ---- The parts of the client's source. Nothing is imported ----

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
    """Attributes with what they are read from, and plain names: `models.Origin`, `_as_payer`."""
    keywords: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """The arguments of each call by the name of what is called."""

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
        if isinstance(node, ast.Assign) and (value := _text(node.value, constants)):
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
            found.texts.add(_text(each, constants))
        elif isinstance(each, ast.Attribute):
            found.names.add(f"{ast.unparse(each.value).rpartition('.')[2]}.{each.attr}")
        elif isinstance(each, ast.Call):
            called = ast.unparse(each.func).rpartition(".")[2]
            found.keywords.setdefault(called, set()).update(key.arg for key in each.keywords if key.arg)
    return found


def _text(node: ast.expr, constants: dict[str, str]) -> str:
    """A text, a formatted one with the constants of the module filled in; "" for what is neither."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(each, constants) for each in node.values)
    if isinstance(node, ast.FormattedValue):
        return constants.get(node.value.id, "{}") if isinstance(node.value, ast.Name) else ""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
