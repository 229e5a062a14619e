"""What a generated package offers its user, read from the source without importing it; and which
type fits which.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

MODES = ("sync", "sync_detailed", "asyncio", "asyncio_detailed")

Member = tuple[str, tuple[Any, ...]]
Type = frozenset[Member]


class Part(NamedTuple):
    """An argument of a function, an attribute of a model, or a member of an enum."""

    type: Type
    """That of a member of an enum is its value."""
    required: bool = False
    positional: bool = False


class Owner(NamedTuple):
    """A module of functions, which differ only in how they wait and in how much they return; a
    model; or an enum.
    """

    kind: Literal["function", "model", "enum"]
    parts: dict[str, Part]
    """The arguments without the client."""
    returns: Type = frozenset()
    """What an answer is parsed into, without None."""
    modes: tuple[str, ...] = ()
    """The functions of MODES that there are."""
    base: str = "str"
    """The type that the members of an enum have, too."""


class Surface:
    """All that is public in a package and depends on its document; nothing, where there is no
    package.
    """

    def __init__(self, package: Path) -> None:
        self.owners: dict[str, Owner] = {}
        """By the name of a class, and by the module of a function, without that of the package:
        `api.cards.list_cards`.
        """
        self.webhooks = dict(_webhooks(package / "webhooks.py"))
        """What `read_webhook` returns, by the name of the webhook; "" stands for a call without a
        name.
        """
        for path in sorted((package / "api").glob("*/*.py")):
            function = _function(ast.parse(path.read_bytes()))
            if function is not None:
                self.owners[f"api.{path.parent.name}.{path.stem}"] = function
        for path in sorted((package / "models").glob("*.py")):
            for node in ast.parse(path.read_bytes()).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    self.owners[node.name] = _class(node)

    @cached_property
    def sent(self) -> set[str]:
        """The functions, and the classes that requests are made of: a user constructs them."""
        functions = {name for name, each in self.owners.items() if each.kind == "function"}
        parts = [part for name in functions for part in self.owners[name].parts.values()]
        return functions | self._reached(part.type for part in parts)

    @cached_property
    def received(self) -> set[str]:
        """The classes that answers and webhooks are made of: a user reads them."""
        returned = [owner.returns for owner in self.owners.values()]
        return self._reached([*returned, *self.webhooks.values()])

    def _reached(self, types: Iterable[Type]) -> set[str]:
        """The classes of some types, and those of their attributes."""
        reached: set[str] = set()
        pending = [*types]
        for type_ in pending:  # it grows
            for name in class_names(type_):
                if name in self.owners and name not in reached:
                    reached.add(name)
                    pending += [part.type for part in self.owners[name].parts.values()]
        return reached


def _webhooks(path: Path) -> Iterator[tuple[str, Type]]:
    """What each overload of `read_webhook` returns for the name that it declares."""
    if not path.exists():
        return
    for node in ast.parse(path.read_bytes()).body:
        if not isinstance(node, ast.FunctionDef) or node.name != "read_webhook":
            continue
        for argument in (*node.args.args, *node.args.kwonlyargs):
            declared = argument.annotation
            if argument.arg != "name":
                continue
            if isinstance(declared, ast.Subscript):
                yield ast.literal_eval(declared.slice), type_of(node.returns)
            elif isinstance(declared, ast.Constant) and declared.value is None:
                yield "", type_of(node.returns)


def _function(module: ast.Module) -> Owner | None:
    """What a module of an operation offers; None for any other module."""
    functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in MODES:
            functions[node.name] = node
    whole = functions.get("sync_detailed")
    if whole is None or not isinstance(whole.returns, ast.Subscript):
        return None
    modes = tuple(mode for mode in MODES if mode in functions)
    returns = type_of(whole.returns.slice) - {NONE}
    return Owner("function", dict(_arguments(whole.args)), returns, modes)


def _arguments(arguments: ast.arguments) -> Iterator[tuple[str, Part]]:
    """The arguments of a function, without the client."""
    plain = [*arguments.posonlyargs, *arguments.args]
    required = len(plain) - len(arguments.defaults)
    for number, argument in enumerate(plain):
        type_ = type_of(argument.annotation)
        yield argument.arg, Part(type_, number < required, positional=True)
    keyword_only = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    for argument, default in keyword_only:
        if argument.arg != "client":
            yield argument.arg, Part(type_of(argument.annotation), default is None)


def _class(node: ast.ClassDef) -> Owner:
    """A model with its public attributes, or an enum with its members."""
    bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
    parts: dict[str, Part] = {}
    for statement in node.body:
        if isinstance(statement, ast.Assign):
            value = ast.unparse(statement.value)
            for target in statement.targets:
                parts[ast.unparse(target)] = Part(frozenset([(value, ())]))
        elif isinstance(statement, ast.AnnAssign):
            name = ast.unparse(statement.target)
            is_of_class = ast.unparse(statement.annotation).startswith("ClassVar")
            if not is_of_class and not name.startswith("_"):
                parts[name] = Part(type_of(statement.annotation), required=statement.value is None)
    if not any(base.endswith("Enum") for base in bases):
        return Owner("model", parts)
    return Owner("enum", parts, base="int" if "OpenIntEnum" in bases else "str")


ANY: Member = ("Any", ())
NONE: Member = ("None", ())
UNSET: Member = ("Unset", ())
"""The marker of what is absent."""

_WIDER = {"bool": "int", "int": "float", "datetime.datetime": "datetime.date"}
"""What type checkers accept in the place of what."""


def type_of(node: ast.expr | None) -> Type:
    """The type that an annotation declares; Any where there is none."""
    if node is None:
        return frozenset([ANY])
    if isinstance(node, ast.BinOp):
        return type_of(node.left) | type_of(node.right)
    if not isinstance(node, ast.Subscript):
        # Operations take some classes from the package `models`, and import the others.
        name = ast.unparse(node).removeprefix("models.")
        return frozenset([(name, ())])
    name = ast.unparse(node.value)
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name == "Literal":
        values = map(ast.unparse, inner)
        return frozenset((f"Literal[{value}]", ()) for value in values)
    return frozenset([(name, tuple(map(type_of, inner)))])


def text_of(type_: Type) -> str:
    """A type as one would write it, Unset and None last."""
    last = (NONE[0], UNSET[0])
    texts: list[str] = []
    for name, inner in type_:
        texts.append(f"{name}[{', '.join(map(text_of, inner))}]" if inner else name)
    return " | ".join(sorted(texts, key=lambda text: (text in last, text)))


def class_names(type_: Type) -> Iterator[str]:
    """The names in a type, and in those within it."""
    for name, inner in type_:
        yield name
        for part in inner:
            yield from class_names(part)


def is_untyped(type_: Type, before: Type) -> bool:
    """Whether a type is Any, or has it within, and the one before did not: no type checker sees
    what code makes of such a value.
    """
    return ANY[0] in class_names(type_) and ANY[0] not in class_names(before)


def renamed(type_: Type, names: Mapping[str, str]) -> Type:
    """A type with other names of classes."""
    members: list[Member] = []
    for name, inner in type_:
        parts = tuple(renamed(part, names) for part in inner)
        members.append((names.get(name, name), parts))
    return frozenset(members)


def fits(value: Type, declared: Type, bases: Mapping[str, str]) -> bool:
    """Whether `mypy --strict` accepts a value of one type where another is declared.

    `bases` has the plain type of each enum. The items of a list have to be of equal types, as mypy
    wants them.
    """

    def is_accepted(member: Member) -> bool:
        return any(_member_fits(member, other, bases) for other in declared)

    return all(map(is_accepted, value))


def _member_fits(value: Member, declared: Member, bases: Mapping[str, str]) -> bool:
    """Whether one member of a type is accepted where another one is declared."""
    if ANY in (value, declared) or value == declared:
        return True
    name, inner = value
    other_name, other_inner = declared
    if inner and name == other_name and len(inner) == len(other_inner):
        pairs = zip(inner, other_inner, strict=True)
        return all(_is_equal(old, new, bases) for old, new in pairs)
    wider = bases.get(name) or _WIDER.get(name)
    if wider is None and name.startswith(("Literal['", 'Literal["')):
        wider = "str"
    return wider is not None and _member_fits((wider, ()), declared, bases)


def _is_equal(one: Type, other: Type, bases: Mapping[str, str]) -> bool:
    """Whether two types accept each other."""
    return fits(one, other, bases) and fits(other, one, bases)
