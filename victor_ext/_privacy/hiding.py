"""Types whose `repr` hides their values.

Arguments are replaced by such values where they enter this package, so that no message, log or
traceback with local variables shows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import Enum
from typing import Any, SupportsIndex, TypeGuard, TypeVar, overload

R_co = TypeVar("R_co", covariant=True)

HIDDEN = "[hidden]"
_SHOWN_DIGITS = 4


class Secret(str):
    """A secret string, shown as `[secret]`.

    A slice of it is one too, since some reporters show how a text begins.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'[secret]'"

    def __getitem__(self, place: SupportsIndex | slice) -> Secret:
        return Secret(str.__getitem__(self, place))

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> SecretBytes:
        """The text as `SecretBytes`: in this form httpx keeps the value of a header."""
        return SecretBytes(str.encode(self, encoding, errors))


class SecretBytes(bytes):
    """Secret bytes, shown as `[secret]`; so is a slice of them, and their text."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "b'[secret]'"

    __str__ = __repr__

    @overload
    def __getitem__(self, place: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> SecretBytes: ...
    def __getitem__(self, place: SupportsIndex | slice) -> int | SecretBytes:
        part = bytes.__getitem__(self, place)
        return SecretBytes(part) if isinstance(part, bytes) else part

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> Secret:
        return Secret(bytes.decode(self, encoding, errors))


class SecretBuffer(bytearray):
    """Secret bytes that grow, shown as `[secret]`; so is a slice of them, and their text.

    A body is read into one and stays there: a copy of a megabyte costs more than to read it as
    JSON.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "bytearray(b'[secret]')"

    __str__ = __repr__

    @overload
    def __getitem__(self, place: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> SecretBuffer: ...
    def __getitem__(self, place: SupportsIndex | slice) -> int | SecretBuffer:
        part = bytearray.__getitem__(self, place)
        return SecretBuffer(part) if isinstance(part, bytearray) else part

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> Secret:
        return Secret(bytearray.decode(self, encoding, errors))


class SecretObject(dict[str, Any]):
    """A JSON object with secrets, such as a token: the repr hides its members, and `get` returns a
    text as a `Secret`.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return HIDDEN

    def get(self, name: str, default: Any = None) -> Any:
        return concealed(super().get(name, default))


def body_of(message: Any) -> SecretBytes | SecretBuffer:
    """The body of a request or a response; not a copy, if the message keeps secret bytes."""
    whole = getattr(message, "whole", None)
    if isinstance(whole, SecretBytes | SecretBuffer):
        return whole
    return SecretBytes(message.content)


def concealed(value: Any) -> Any:
    """Text or bytes as a `Secret` or `SecretBytes`, also those in a tuple, such as a user and a
    password; any other value unchanged.
    """
    if isinstance(value, str):
        return Secret(value)
    if isinstance(value, tuple):
        return tuple(_concealed_deeply(value, _LEVELS))
    if isinstance(value, bytes | bytearray):
        return SecretBytes(value)
    return value


class AccountNumber(str):
    """An account number, shown with its last four digits only."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"'{mask(self)}'"


class OddAccount:
    """An account number that was passed as another type, such as an int or a list, and is about to
    be refused.
    """

    __slots__ = ("kind",)

    def __init__(self, value: object) -> None:
        self.kind = type(value).__name__

    def __repr__(self) -> str:
        return HIDDEN


class NumberText(str):
    """The digits of a JSON number of a row, never converted to a binary float."""

    __slots__ = ()


class AccountNumberText(NumberText, AccountNumber):
    """An account number that came as a JSON number. It is about to be refused."""

    __slots__ = ()


class HiddenRows(Iterable[R_co]):
    """The caller's rows. The repr hides them, because they may be a list."""

    __slots__ = ("rows",)

    def __init__(self, rows: Iterable[R_co]) -> None:
        self.rows = rows

    def __iter__(self) -> Iterator[R_co]:
        return iter(self.rows)

    def __repr__(self) -> str:
        return HIDDEN


ACCOUNT = "payee_account_number"
"""The column of a row, and the argument of a payment, that contains an account number."""


def hidden_pairs(pairs: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The cells of a row by their names, with the account number as a type that hides it."""
    return [(name, _hidden_cell(value) if name == ACCOUNT else value) for name, value in pairs]


def hidden_fields(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The cells of a row as a dict, with the account number as a type that hides it; for
    `object_pairs_hook` of `json`.
    """
    fields = dict(pairs)
    if ACCOUNT in fields:
        fields[ACCOUNT] = _hidden_cell(fields[ACCOUNT])
    return fields


def _hidden_cell(value: Any) -> Any:
    """An account number in a cell as a type that hides it; what can be none is unchanged."""
    if isinstance(value, bool):
        return value
    if isinstance(value, NumberText | float | Decimal | int):
        return AccountNumberText(value)
    if isinstance(value, str):
        return AccountNumber(value)
    return value


_MANY_DIGITS = 6
"""The digits from which on a name may be a number of a card or an account."""
_LEVELS = 100
"""Levels of nesting that are searched. A body that is nested more deeply is about to be refused."""


def concealed_within(value: Any) -> Any:
    """A JSON object with all its texts, at any depth, concealed; any other value unchanged."""
    return _concealed_deeply(value, _LEVELS) if isinstance(value, dict) else value


def _concealed_deeply(value: Any, levels: int) -> Any:
    """A JSON value with all its texts concealed, and names that may be numbers of accounts."""
    if levels == 0:
        return value
    if is_sequence(value):
        return [_concealed_deeply(item, levels - 1) for item in value]
    if is_object(value):
        return {
            _concealed_name(name): _concealed_deeply(member, levels - 1)
            for name, member in value.items()
        }
    return concealed(value)


def _concealed_name(name: Any) -> Any:
    """The name of a member, concealed if it may be the number of a card or an account."""
    if not isinstance(name, str):
        return name
    digits = sum(character.isdigit() for character in name)
    return concealed(name) if digits >= _MANY_DIGITS else name


def is_object(value: object) -> TypeGuard[dict[Any, Any]]:
    return isinstance(value, dict)


def is_sequence(value: object) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """Whether a value becomes a list in JSON."""
    return isinstance(value, list | tuple)


def concealed_account(value: Any) -> Any:
    """An account number of whatever type, as a type that shows its last four digits at most."""
    if isinstance(value, str):
        return AccountNumber(value)
    if value is None or isinstance(value, bool | Enum | OddAccount):
        return value
    if isinstance(value, bytes | bytearray):
        return SecretBytes(value)
    return OddAccount(value)


_PLAIN = (str, bytes, bytearray, int, float, Decimal, list, tuple)
_ACCOUNTS = (ACCOUNT, "account_number", "card")
_SECRETS = ("authorization_header", "customer_ip", "sense_key")


def conceal_arguments(arguments: dict[str, Any]) -> None:
    """Replace the arguments of a call that are numbers of accounts or cards, or secrets, and the
    texts of objects, by values that hide themselves.
    """
    for name, value in arguments.items():
        if type(value) is dict:
            arguments[name] = concealed_within(value)
        elif name in _ACCOUNTS and isinstance(value, _PLAIN):
            arguments[name] = concealed_account(value)
        elif name in _SECRETS:
            arguments[name] = concealed(value)


def concealed_number(value: Any) -> Any:
    """The number of an account or a card, or a JSON object with one, concealed; any other value
    unchanged.
    """
    if isinstance(value, AccountNumber) or not isinstance(value, _PLAIN):
        return concealed_within(value)
    return concealed_account(value)


def kind_of(value: object) -> str:
    """The name of a value's type, for a message.

    A concealed value has the name of the type it was passed as.
    """
    if isinstance(value, OddAccount):
        return value.kind
    return next(kind.__name__ for kind in type(value).__mro__ if kind.__module__ != __name__)


def mask(number: str) -> str:
    """The number with all but its last four characters hidden; all of them when it has four or
    fewer.
    """
    return _last_digits(number).rjust(len(number), "*")


def short_mask(number: str) -> str:
    """The last four characters of a number, behind a mask of one width for all: `****3645`."""
    return "****" + _last_digits(number)


def _last_digits(number: str) -> str:
    """What is shown of a number: its last four characters, if it has more than four."""
    return number[-_SHOWN_DIGITS:] if len(number) > _SHOWN_DIGITS else ""
