"""Values that hide their content in `repr`, for error reporters that show local variables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Generic, SupportsIndex, TypeVar, cast, overload

T = TypeVar("T")
R_co = TypeVar("R_co", covariant=True)

ACCOUNT = "payee_account_number"
"""Name of the argument that contains an account number."""
_SHOWN = 4


class Hidden(str):
    """A string whose repr is `[hidden]`; its slices are hidden too."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'[hidden]'"

    def __getitem__(self, place: SupportsIndex | slice) -> Hidden:
        return Hidden(str.__getitem__(self, place))


class HiddenBytes(bytes):
    """Bytes whose repr is `[hidden]`; their slices are hidden too."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "b'[hidden]'"

    @overload
    def __getitem__(self, place: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> HiddenBytes: ...
    def __getitem__(self, place: SupportsIndex | slice) -> int | HiddenBytes:
        part = bytes.__getitem__(self, place)
        return HiddenBytes(part) if isinstance(part, bytes) else part


class NumberText(str):
    """The digits of a JSON number, never converted to a binary float."""

    __slots__ = ()


class AccountText(str):
    """An account number; its repr shows at most the last four digits."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr("*" * (len(self) - _SHOWN) + str(self)[-_SHOWN:] if len(self) > _SHOWN else "*" * len(self))


class AccountNumberText(NumberText, AccountText):
    """An account number that came as a number and is therefore rejected."""

    __slots__ = ()


class HiddenValue(Generic[T]):
    """Holds a value that its repr hides. Read `value` only where it is used; do not store it in a variable."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "[hidden]"


class HiddenRows(Iterable[R_co]):
    """The caller's rows. The repr hides them, because they may be a list."""

    __slots__ = ("_rows",)

    def __init__(self, rows: Iterable[R_co]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[R_co]:
        return iter(self._rows)

    def __repr__(self) -> str:
        return "[hidden rows]"


def hidden(value: T) -> T:
    """Hide the repr of a string or bytes; return any other value unchanged."""
    if isinstance(value, bytes):
        return cast("T", HiddenBytes(value))
    return cast("T", Hidden(value)) if isinstance(value, str) else value


def kind_of(value: object) -> str:
    """Return a value's type name for messages; for types of this module, the name of the base type."""
    return next(kind.__name__ for kind in type(value).__mro__ if kind.__module__ != __name__)


def hidden_pairs(pairs: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Return the pairs with account numbers hidden."""
    return [(name, _hidden_account(value) if name == ACCOUNT else value) for name, value in pairs]


def hidden_fields(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return a mapping of the pairs with account numbers hidden."""
    return dict(hidden_pairs(pairs))


def _hidden_account(value: Any) -> Any:
    if isinstance(value, NumberText | float | Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
        return AccountNumberText(value)
    return AccountText(value) if isinstance(value, str) else value
