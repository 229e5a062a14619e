"""The bases of this package's structs: `PlainStruct` and `FrozenStruct`, whose repr shows their
fields, and `Opaque` and `FrozenOpaque`, whose repr shows none.

A process makes such a class in a small part of the time that a dataclass takes. rich shows an
object by its repr, as everybody does: it would show all fields of any other struct, also those that
the repr hides or masks.
"""

from typing import NoReturn

from msgspec import Struct


class _ShownByRepr:
    __slots__ = ()

    def __rich_repr__(self) -> NoReturn:
        """Let rich show the repr."""
        raise NotImplementedError


class PlainStruct(_ShownByRepr, Struct):
    """An object whose fields may be set."""


class FrozenStruct(_ShownByRepr, Struct, frozen=True):
    """An object whose fields are set when it is made."""


def repr_without(value: FrozenStruct, *hidden: str) -> str:
    """The repr of a struct without these fields."""
    names = (name for name in value.__struct_fields__ if name not in hidden)
    shown = ", ".join(f"{name}={getattr(value, name)!r}" for name in names)
    return f"{type(value).__name__}({shown})"


class Opaque(PlainStruct, eq=False):
    """An object that holds parts of a client or a call, which may be secret. Its fields may be set,
    and it equals itself alone.
    """

    __repr__ = object.__repr__


class FrozenOpaque(FrozenStruct, frozen=True, eq=False):
    """The same, with fields that are set when it is made."""

    __repr__ = object.__repr__
