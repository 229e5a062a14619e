"""What the outbox stores of a payment request."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any, Literal, Required, TypedDict

from victor_ext import Word
from victor_ext.money import Amount


class PaymentRequestArguments(TypedDict, total=False):
    """The arguments of `payment_requests.create`, which documents them; the reference and the key are required."""

    payee_account_number: Required[str]
    payer_counterparty_id: Required[str]
    amount: Required[Amount]
    biller_type: Required[Literal["BUSINESS", "CONSUMER"] | StrEnum | Word]
    due_date: Required[date | str]
    ultimate_creditor: str | None
    amount_modification_allowed: bool | None
    notes: str | None
    client_reference_id: Required[str]
    idempotency_key: Required[str]
    extra_body: Mapping[str, Any] | None
