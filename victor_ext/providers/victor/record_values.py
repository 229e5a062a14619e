"""The values of a payment request's record: readers, which make them from what the provider sent,
and `Amounts`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from victor_ext import money
from victor_ext.runtime.client.records import as_text
from victor_ext.runtime.core.comparing import as_id
from victor_ext.runtime.core.json_values import is_object

from . import statuses
from .statuses import Payee, Payer

T = TypeVar("T")

ORIGINAL_AMOUNT = ("payment_request", "payment_details", "original_amount")
CREATED_AT = ("payment_request", "created_at")
"""Places of values in a payment request that a record has, and a comparison looks at."""


def as_request_id(value: object) -> str:
    """The id of a request; empty: the value is none."""
    if isinstance(value, str):  # as most ids are, of which a page has hundreds
        return value
    return as_id(value) or ""


def as_biller_type(value: object) -> str | None:
    """A word; a known word has the document's spelling."""
    word = statuses.as_word(value)
    if word is None or word.upper() not in ("BUSINESS", "CONSUMER"):
        return word
    return word.upper()


def _party_reader(party: Callable[..., T], *names: str) -> Callable[[object], T | None]:
    """A function that makes a party of the payment from the texts with these names."""

    def read(source: object) -> T | None:
        if not is_object(source):
            return None
        return party(*(text_in(source, name) for name in names))

    return read


as_payee = _party_reader(Payee, "account_number", "ultimate_creditor")
as_payer = _party_reader(
    Payer, "victor_counterparty_id", "account_number", "routing_number", "name"
)


def member_of(source: object, name: str) -> Any:
    """The value of a member of a JSON object; None without one."""
    return source.get(name) if is_object(source) else None


def text_in(source: object, name: str) -> str | None:
    """The text of a member of a JSON object; None without one."""
    return as_text(member_of(source, name))


def first_of(*values: Any) -> Any:
    """The first value that is there, or None. An empty text is not: the document permits it in
    place of an amount.
    """
    return next((value for value in values if value not in (None, "")), None)


class Amounts(NamedTuple):
    """The amounts of a request, as they were sent: its own, the requested one, and the one that its
    response has modified it to. None: the provider did not send it.

    The document's example of a request that was accepted with another amount has 44.23, 44.23 and
    34.23. The document may also be read so that the modified amount takes the place of `own`.
    """

    own: Any
    original: Any
    modified: Any

    @property
    def unreadable(self) -> Any:
        """The first amount that was sent and cannot be read, or None."""
        for amount in self:
            if amount is not None and money.from_wire(amount) is None:
                return amount
        return None
