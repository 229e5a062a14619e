"""`Opaque` and `FrozenOpaque`: the bases of classes whose objects hold parts of a client or a call.

An object has the fields that its class declares, and equals itself alone. Its repr shows no field,
since a field may hold a secret. A process makes such a class in a small part of the time that a
dataclass takes.
"""

from msgspec import Struct


class Opaque(Struct, eq=False):
    """An object whose fields may be set."""

    __repr__ = object.__repr__


class FrozenOpaque(Struct, frozen=True, eq=False):
    """An object whose fields are set when it is made."""

    __repr__ = object.__repr__
