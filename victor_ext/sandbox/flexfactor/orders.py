"""Orders and their states."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from victor_ext.sandbox.server import JsonObject

_STATES = ("Draft", "Onhold", "Cancelled", "Problem", "Processing", "Capturerequired", "Returned", "Completed")
STATE_NUMBERS = {name: number for number, name in enumerate(_STATES)}

STATE_AFTER = {
    "APPROVED": "Completed",
    "DECLINED": "Cancelled",
    "CHALLENGE": "Onhold",
    "SUBMITTED": "Draft",
    "PROCESSING": "Processing",
    "CAPTUREREQUIRED": "Capturerequired",
    "EXPIRED": "Cancelled",
    "CANCELLED": "Cancelled",
}
"""The state of an order after a decision, by the guide to the provider's portal, or else the sandbox's choice."""

CANCELLABLE = frozenset({"Draft", "Onhold", "Processing", "Capturerequired"})


@dataclass(slots=True)
class Order:
    """One order. Amounts are in cents."""

    id: str
    external_id: str
    mid: str
    decision: str
    cents: int
    currency: str
    placed_at: str
    email: str
    state: str
    captured: int = 0
    refunded: int = 0

    def decide(self, decision: str) -> None:
        """Set the decision. An approved order is paid."""
        self.decision, self.state = decision, STATE_AFTER.get(decision, "Problem")
        self.captured = self.cents if decision == "APPROVED" else 0

    def to_dict(self) -> JsonObject:
        """The order as `GET /v1/orders/{id}` returns it, with members that are not documented."""
        return {
            "id": self.id,
            "status": STATE_NUMBERS[self.state],
            "statusName": self.state,
            "referenceNumber": self.id[:8].upper(),
            "externalOrderId": self.external_id,
            "orderPlacedDate": self.placed_at,
            "expiryDate": None,
            "email": self.email,
            "currencyCode": self.currency,
            "currencySymbol": "$",
            "totalAmount": float(Decimal(self.cents).scaleb(-2)),
            "shippingAddress": None,
        }

    def capture(self, cents: int, currency: str) -> str | None:
        """Take the money; returns the reason of a refusal, or None."""
        if self.state != "Capturerequired":
            return f"The order is {self.state}, not Capturerequired."
        if cents > self.cents or currency != self.currency:
            return "The amount is greater than the authorised one."
        self.decision, self.state, self.captured = "APPROVED", "Completed", cents
        return None

    def refund(self, dollars: Decimal) -> str | None:
        """Give money back; returns the reason of a refusal, or None."""
        cents = dollars.scaleb(2)
        largest = Decimal(self.captured - self.refunded)
        if cents != cents.to_integral_value() or cents <= 0:
            return f"Amount to refund ({dollars}) is no amount."
        if cents > largest:
            return (
                f"Amount to refund ({dollars:.2f}) is greater than maximum refund amount in ({largest.scaleb(-2):.2f}))"
            )
        self.refunded += int(cents)
        if self.refunded == self.captured:
            self.state = "Returned"
        return None

    def cancel(self) -> str | None:
        """Cancel the order; returns the reason of a refusal, or None. A cancelled order stays cancelled."""
        if self.state == "Cancelled":
            return None
        if self.state not in CANCELLABLE:
            return f"The order is {self.state} and cannot be cancelled."
        self.decision, self.state = "CANCELLED", "Cancelled"
        return None


@dataclass(slots=True)
class Orders:
    """All orders, by the provider's id and by the merchant's own."""

    by_id: dict[str, Order] = field(default_factory=dict[str, Order])
    by_external_id: dict[str, Order] = field(default_factory=dict[str, Order])

    def add(self, order: Order) -> None:
        self.by_id[order.id] = order
        self.by_external_id[order.external_id] = order

    def clear(self) -> None:
        """Forget all orders."""
        self.by_id.clear()
        self.by_external_id.clear()

    def matching(
        self,
        *,
        mid: str,
        states: Iterable[int],
        query: str,
        newest_first: bool,
        first: datetime | None,
        last: datetime | None,
    ) -> list[Order]:
        """The orders that pass the filters, in the order of placement; `first` and `last` are within the window."""
        accepted = set(states)
        found = [
            order
            for order in self.by_id.values()
            if order.mid == mid
            and (not accepted or STATE_NUMBERS[order.state] in accepted)
            and query.lower() in f"{order.external_id} {order.email}".lower()
            and (first is None or first <= datetime.fromisoformat(order.placed_at))
            and (last is None or datetime.fromisoformat(order.placed_at) <= last)
        ]
        return found[::-1] if newest_first else found
