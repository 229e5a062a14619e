"""Types as the generated code writes them, and which value can be used where which type is declared.

A type is the set of the members of a union; a member is a name with its arguments: `list[Card] | Unset` is
`{("list", ({("Card", ())},)), ("Unset", ())}`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

Member = tuple[str, tuple[Any, ...]]
Type = frozenset[Member]

ANY: Member = ("Any", ())
NONE: Member = ("None", ())
UNSET: Member = ("Unset", ())

_WIDER = {"bool": "int", "int": "float", "datetime.datetime": "datetime.date"}
"""What type checkers accept in the place of what."""


def type_of(node: ast.expr | None) -> Type:
    """The type that an annotation declares; Any where there is none."""
    if node is None:
        return frozenset([ANY])
    if isinstance(node, ast.BinOp):
        return type_of(node.left) | type_of(node.right)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return type_of(ast.parse(node.value, mode="eval").body)
    if isinstance(node, ast.Subscript):
        name = ast.unparse(node.value)
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if name == "Literal":
            return frozenset((f"Literal[{ast.unparse(each)}]", ()) for each in inner)
        return frozenset([(name, tuple(type_of(each) for each in inner))])
    # Operations take some classes from the package `models`, and import the others.
    return frozenset([(ast.unparse(node).removeprefix("models."), ())])


def text_of(type_: Type) -> str:
    """A type as one would write it, Unset and None last."""
    last = (NONE[0], UNSET[0])
    return " | ".join(sorted((_member_text(each) for each in type_), key=lambda text: (text in last, text)))


def _member_text(member: Member) -> str:
    name, inner = member
    return f"{name}[{', '.join(map(text_of, inner))}]" if inner else name


def class_names(type_: Type) -> Iterator[str]:
    """All names in a type."""
    for name, inner in type_:
        yield name
        for each in inner:
            yield from class_names(each)


def renamed(type_: Type, names: Mapping[str, str]) -> Type:
    """A type with other names for some classes."""
    return frozenset((names.get(name, name), tuple(renamed(each, names) for each in inner)) for name, inner in type_)


def fits(value: Type, declared: Type, bases: Mapping[str, str]) -> bool:
    """Whether `mypy --strict` accepts a value of one type where another is declared.

    `bases` has the plain type of each enum. The items of a list have to be of equal types, as mypy wants them.
    """
    return all(any(_member_fits(each, other, bases) for other in declared) for each in value)


def _member_fits(value: Member, declared: Member, bases: Mapping[str, str]) -> bool:
    if ANY in (value, declared) or value == declared:
        return True
    if value[1] and value[0] == declared[0] and len(value[1]) == len(declared[1]):
        pairs = zip(value[1], declared[1], strict=True)
        return all(fits(one, other, bases) and fits(other, one, bases) for one, other in pairs)
    name = value[0]
    wider = bases.get(name) or _WIDER.get(name) or ("str" if name.startswith(("Literal['", 'Literal["')) else None)
    return wider is not None and _member_fits((wider, ()), declared, bases)
