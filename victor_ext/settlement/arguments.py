"""The arguments of `payment_requests.create`, and their form as JSON data, as they are stored. From
that form exactly the bytes are sent that `create` would send.
"""

from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import Any, get_args, get_type_hints

from victor_ext import PaymentRequestArguments, Word, money

__all__ = ("PaymentRequestArguments", "as_checked", "plain")

_TYPES = get_type_hints(PaymentRequestArguments)
_WORDS = [name for name, annotation in _TYPES.items() if Word in get_args(annotation)]
"""The arguments of which some words are known: any other one has to be a `Word`."""


def plain(name: str, value: Any) -> Any:
    """Return a checked argument of `create` as JSON data that `create` treats as equal."""
    if _TYPES.get(name) == money.Amount:
        return money.to_wire(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    return value


def as_checked(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return stored arguments as they were checked: a stored word may have been a `Word`."""
    words = {name: Word(arguments[name]) for name in _WORDS if arguments.get(name) is not None}
    return {**arguments, **words}
