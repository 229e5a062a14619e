"""Values that work as any other, and do not show themselves to whoever reports the locals of an error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Generic, SupportsIndex, TypeVar, cast, overload

import sqlalchemy as sa

T = TypeVar("T")
R_co = TypeVar("R_co", covariant=True)

ACCOUNT = "payee_account_number"
"""The argument that is an account number."""
_SHOWN = 4


class Hidden(str):
    """A text that shows as `[hidden]`; so does a part of it, for those who show how a text begins."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'[hidden]'"

    def __getitem__(self, place: SupportsIndex | slice) -> Hidden:
        return Hidden(str.__getitem__(self, place))


class HiddenBytes(bytes):
    """The same of bytes."""

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
    """A number of a JSON document, by its digits: it has never been a binary float."""

    __slots__ = ()


class AccountText(str):
    """An account number: it shows its last four digits at most."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr("*" * (len(self) - _SHOWN) + str(self)[-_SHOWN:] if len(self) > _SHOWN else "*" * len(self))


class AccountNumberText(NumberText, AccountText):
    """The same of one that came as a number, and is refused for it."""

    __slots__ = ()


class HiddenValue(Generic[T]):
    """Something that shows nothing of what it holds; take `value` out where it is used, and keep it in no variable."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "[hidden]"


class HiddenRows(Iterable[R_co]):
    """The rows of a caller, which may be a list of them."""

    __slots__ = ("_rows",)

    def __init__(self, rows: Iterable[R_co]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[R_co]:
        return iter(self._rows)

    def __repr__(self) -> str:
        return "[hidden rows]"


def hidden(value: T) -> T:
    """A text, or bytes, that hides itself; anything else as it is."""
    if isinstance(value, bytes):
        return cast("T", HiddenBytes(value))
    return cast("T", Hidden(value)) if isinstance(value, str) else value


def with_hidden_password(url: sa.URL) -> sa.URL:
    """The URL of a database with a password that hides itself. One after the question mark wins, as for drivers."""
    given = url.normalized_query.get("password", (str(url.password or ""),))[-1]
    return url.difference_update_query(["password"]).set(password=Hidden(given) if given else None)


def kind_of(value: object) -> str:
    """The name of a value's type for a message; that of the type below, for those of this module."""
    return next(kind.__name__ for kind in type(value).__mro__ if kind.__module__ != __name__)


def hidden_pairs(pairs: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Names and values, of which the account number hides itself."""
    return [(name, _hidden_account(value) if name == ACCOUNT else value) for name, value in pairs]


def hidden_fields(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The same as a mapping."""
    return dict(hidden_pairs(pairs))


def _hidden_account(value: Any) -> Any:
    if isinstance(value, NumberText | float | Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
        return AccountNumberText(value)
    return AccountText(value) if isinstance(value, str) else value
