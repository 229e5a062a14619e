"""What the gateway answers, as thin read-only views over the generated models.

An answer may lack anything, and may hold more than the document knows: `.raw` and `.fields` have all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .result_codes import ResultCode

if TYPE_CHECKING:
    from eastpay_api import models

__all__ = ["Checkout", "Payment"]


class Payment:
    """What the gateway says of a payment, or of a step of one (a capture, a reversal, a refund).

    Attributes:
        raw: The generated model that was read.
    """

    __slots__ = ("raw",)

    def __init__(self, raw: models.Payment) -> None:
        self.raw = raw

    @property
    def id(self) -> str:
        """The gateway's id; empty when the answer has none."""
        return _text(self.raw.id) or ""

    @property
    def result(self) -> ResultCode:
        """The result code: what became of it, as far as the gateway knows. See `ResultCode.kind`."""
        return ResultCode.parse(getattr(self.raw.result, "code", None))

    @property
    def description(self) -> str | None:
        """The gateway's own words for the code."""
        return _text(getattr(self.raw.result, "description", None))

    @property
    def succeeded(self) -> bool:
        """Whether it was done. False says no more than that this is not known to be so: see `result.kind`."""
        return self.result.succeeded

    @property
    def payment_type(self) -> str | None:
        """PA, DB, CP, RV or RF, as the answer says; an open word."""
        return _text(self.raw.payment_type)

    @property
    def timestamp(self) -> str | None:
        """When, as the gateway writes it: its form is not documented."""
        return _text(self.raw.timestamp)

    @property
    def build_number(self) -> str | None:
        """The gateway's version; for its support."""
        return _text(self.raw.build_number)

    @property
    def ndc(self) -> str | None:
        """The gateway's id of the exchange; for its support."""
        return _text(self.raw.ndc)

    @property
    def merchant_transaction_id(self) -> str | None:
        """The merchant's own reference, when the answer repeats it: whether it does is not documented."""
        return _text(self.raw.additional_properties.get("merchantTransactionId"))

    @property
    def fields(self) -> Mapping[str, Any]:
        """Everything that the answer said, by its names on the wire."""
        return self.raw.to_dict()

    def to_dict(self) -> dict[str, Any]:
        """The same, as a dict of its own."""
        return self.raw.to_dict()

    def __eq__(self, other: object) -> bool:
        return self.raw == other.raw if isinstance(other, Payment) else NotImplemented

    __hash__ = None  # type: ignore[assignment] # what it views can be changed

    def __repr__(self) -> str:
        return f"Payment({self.id!r}, {self.payment_type}, {self.result!r})"


class Checkout:
    """A page on which the shopper pays. It lives until it is paid, or for 15 minutes.

    Attributes:
        id: The gateway's id.
        widget_url: The address of the script that shows the payment form: `<script src="...">`.
        lapses_at: When it ends at the latest: 15 minutes after it was asked for, by the gateway's clock.
        raw: The generated model that was read.
    """

    __slots__ = ("id", "lapses_at", "raw", "widget_url")

    def __init__(self, raw: models.Checkout, *, widget_url: str, lapses_at: datetime) -> None:
        self.raw = raw
        self.id = _text(raw.id) or ""
        self.widget_url = widget_url
        self.lapses_at = lapses_at

    @property
    def result(self) -> ResultCode:
        """The result code, when the answer has one; else one of class `UNKNOWN`."""
        return ResultCode.parse(getattr(self.raw.result, "code", None))

    def to_dict(self) -> dict[str, Any]:
        """Everything that the answer said, by its names on the wire."""
        return self.raw.to_dict()

    def __repr__(self) -> str:
        return f"Checkout({self.id!r}, lapses at {self.lapses_at:%H:%M:%S}Z)"


def _text(value: object) -> str | None:
    """Text that is there; None for what is not, and for what is no text."""
    return value if isinstance(value, str) else None
