"""An order, as the provider describes it when it is asked: a thin typed view of the generated model."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from .answers import member
from .records import shown, text_in

if TYPE_CHECKING:
    from flexfactor_api import models


class OrderStatus(IntEnum):
    """The numbers of an order's states, under the provider's own names."""

    DRAFT = 0
    ONHOLD = 1
    CANCELLED = 2
    PROBLEM = 3
    PROCESSING = 4
    CAPTUREREQUIRED = 5
    RETURNED = 6
    COMPLETED = 7


_BY_NUMBER = {status.value: status for status in OrderStatus}
_EXTERNAL_ID = ("externalOrderId", "externalId", "merchantOrderId")
_LONGEST_NUMBER = 9


class Order:
    """An order as the provider last described it. Most of its fields are not documented: see `raw`.

    In what unit an order's own amounts are is not documented either, so they are left where they are.

    Attributes:
        raw: The generated model underneath, with everything that was sent, the payer's data included.
        request_id: The provider's id of the exchange, on the result of `get` only.
    """

    __slots__ = ("_body", "raw", "request_id")

    def __init__(self, raw: models.Order, request_id: str | None = None) -> None:
        self.raw = raw
        self.request_id = request_id
        self._body: dict[str, Any] = raw.to_dict()

    @property
    def id(self) -> str | None:
        """The provider's id."""
        return text_in(self._body, "id") or text_in(self._body, "orderId")

    @property
    def external_order_id(self) -> str | None:
        """The merchant's own id, where the answer has it. Its member's name is not documented: three are tried."""
        return next(filter(None, (text_in(self._body, name) for name in _EXTERNAL_ID)), None)

    @property
    def status(self) -> OrderStatus | int | None:
        """An `OrderStatus`, or the provider's number when it is a new one; by its name where the number is missing."""
        said = member(self._body, "status")
        word = said.strip() if isinstance(said, str) else ""
        if word.isascii() and word.isdigit() and len(word) <= _LONGEST_NUMBER:
            said = int(word)
        if isinstance(said, int) and not isinstance(said, bool):
            return _BY_NUMBER.get(said, said)
        return OrderStatus.__members__.get((self.status_name or "").strip().upper())

    @property
    def status_name(self) -> str | None:
        """The provider's word for the status, which it has of states too whose number is not documented."""
        word = text_in(self._body, "status")
        return text_in(self._body, "statusName") or (None if word is None or word.strip().isdigit() else word)

    @property
    def reference_number(self) -> str | None:
        """The provider's reference number."""
        return text_in(self._body, "referenceNumber")

    @property
    def currency(self) -> str | None:
        """ISO 4217."""
        return text_in(self._body, "currencyCode")

    @property
    def placed_at(self) -> datetime | None:
        """When it was placed."""
        return _moment(self._body, "orderPlacedDate")

    @property
    def expires_at(self) -> datetime | None:
        """Until when it may be tried."""
        return _moment(self._body, "expiryDate")

    def __repr__(self) -> str:
        return f"Order(id={shown(self.id)}, status_name={shown(self.status_name)})"


def _moment(body: dict[str, Any], name: str) -> datetime | None:
    said = text_in(body, name) or ""
    try:
        return datetime.fromisoformat(said) if "T" in said.upper() or " " in said else None  # a day is no moment
    except ValueError:
        return None
