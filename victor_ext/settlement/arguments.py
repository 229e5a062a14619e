"""The arguments of `payment_requests.create`, and their form as JSON data, as they are stored. From
that form exactly the bytes are sent that `create` would send.
"""

from collections.abc import Mapping
from datetime import date
from enum import Enum, StrEnum
from typing import Any, Literal, Required, TypedDict

from victor_ext import Word, money


# No `from __future__ import annotations` here: annotations would be text, and `__required_keys__`,
# of which the columns of bulk are made, would be empty.
class PaymentRequestArguments(TypedDict, total=False):
    """The arguments of `payment_requests.create`, which documents them; the reference and the key
    are required.
    """

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
    """Return a checked argument of `create` as JSON data that `create` treats as equal."""
    if name == "amount":
        return money.to_wire(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    return value


def as_checked(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return stored arguments as they were checked: a stored biller type may have been a `Word`."""
    if "biller_type" not in arguments:
        return dict(arguments)
    return {**arguments, "biller_type": Word(arguments["biller_type"])}
