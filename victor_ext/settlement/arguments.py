"""What is stored of the arguments of `create`: JSON from which exactly the bytes are sent that `create` would send."""

import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Context, Decimal
from enum import Enum, StrEnum
from typing import Any, Literal, Required, TypedDict, cast
from uuid import uuid4

from victor_ext import InvalidRequest, Word, money
from victor_ext.ids import in_one_form

_EXACT = Context(prec=10_000)


# Its module has no annotations as text: `__required_keys__`, which the columns of bulk are made of, would be empty.
class PaymentRequestArguments(TypedDict, total=False):
    """The arguments of `payment_requests.create`, which documents them; the reference and the key are required."""

    payee_account_number: Required[str]
    payer_counterparty_id: Required[str]
    amount: Required[money.Amount]
    biller_type: Required[Literal["BUSINESS", "CONSUMER"] | StrEnum | Word]
    due_date: Required[date | str]
    ultimate_creditor: str | None
    amount_modification_allowed: bool | None
    notes: str | None
    client_reference_id: Required[str]
    idempotency_key: Required[str]
    extra_body: Mapping[str, Any] | None


def plain(name: str, value: Any) -> Any:
    """Return a checked argument as JSON data that `create` treats as equal. Text keeps its type."""
    if name == "amount":
        return money.to_wire(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    return _plain_member(value)


def _plain_member(value: Any) -> Any:
    """Return a member of `extra_body`. A Decimal stays one, with its digits."""
    if isinstance(value, Mapping):
        members = cast("Mapping[str, Any]", value)
        return {name: _plain_member(member) for name, member in members.items()}
    if isinstance(value, list | tuple):
        return [_plain_member(item) for item in cast("list[Any]", value)]
    return value


def dumped(arguments: Mapping[str, Any]) -> str:
    """Return checked arguments as text, in their order, which is that of the members that are sent."""
    numbers, mark = list[str](), uuid4().hex  # `json` writes no Decimal: it is put in place of a text like no other

    def number(value: object) -> str:
        if not isinstance(value, Decimal):
            raise TypeError(f"{type(value).__name__} is no JSON")
        numbers.append(str(value))
        return f"{mark}{len(numbers) - 1}"

    stored = {name: plain(name, value) for name, value in arguments.items() if value is not None}
    return re.sub(rf'"{mark}([0-9]+)"', lambda place: numbers[int(place[1])], json.dumps(stored, default=number))


def loaded(text: str) -> dict[str, Any]:
    """Return the arguments from text."""
    return as_checked(json.loads(text, parse_float=Decimal))


def as_checked(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return stored arguments as they were checked: the biller type may have been a `Word`."""
    words = {name: Word(arguments[name]) for name in ("biller_type",) if name in arguments}
    return {**arguments, **words}


def is_stored_as(arguments: Mapping[str, Any], text: str) -> bool:
    """Whether arguments, checked or not, ask for the same as stored ones, in any order, spelling and Unicode form."""
    try:
        return _canonical(arguments) == _canonical(loaded(text))
    except (InvalidRequest, TypeError, ValueError):
        return False  # values that `create` refuses


def _canonical(arguments: Mapping[str, Any]) -> str:
    stored = json.loads(dumped(arguments), parse_float=_number, parse_int=_number)
    return in_one_form(json.dumps(stored, sort_keys=True, ensure_ascii=False))


def _number(digits: str) -> str:
    """1, 1.0 and 1.00 are one number, and no text."""
    return f"the number {Decimal(digits).normalize(_EXACT)}"
