"""The orders of a FlexFactor sandbox, and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from victor_ext.sandbox.server.jsontypes import JsonObject

NUMBERS = {
    "Draft": 0, "Onhold": 1, "Cancelled": 2, "Problem": 3, "Processing": 4, "Capturerequired": 5, "Returned": 6,
    "Completed": 7,
}  # fmt: skip

AFTER = {
    "APPROVED": "Completed",
    "DECLINED": "Returned",
    "CHALLENGE": "Onhold",
    "SUBMITTED": "Draft",
    "PROCESSING": "Processing",
    "CAPTUREREQUIRED": "Capturerequired",
    "EXPIRED": "Returned",
    "CANCELLED": "Cancelled",
}
"""The state of an order after a decision. Which one it is for some of them is this sandbox's choice."""

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
        """Come to a decision; an approved order is paid."""
        self.decision, self.state = decision, AFTER.get(decision, "Problem")
        self.captured = self.cents if decision == "APPROVED" else 0

    def shown(self) -> JsonObject:
        """As `GET /v1/orders/{id}` answers, with members that no client knows."""
        return {
            "id": self.id,
            "status": NUMBERS[self.state],
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
        """Take the money; what speaks against it, or None."""
        if self.state != "Capturerequired":
            return f"The order is {self.state}, not Capturerequired."
        if cents > self.cents or currency != self.currency:
            return "The amount is greater than the authorised one."
        self.decision, self.state, self.captured = "APPROVED", "Completed", cents
        return None

    def refund(self, dollars: Decimal) -> str | None:
        """Give money back; what speaks against it, or None."""
        cents = dollars.scaleb(2)
        most = Decimal(self.captured - self.refunded)
        if cents != cents.to_integral_value() or cents <= 0:
            return f"Amount to refund ({dollars}) is no amount."
        if cents > most:
            return f"Amount to refund ({dollars:.2f}) is greater than maximum refund amount in ({most.scaleb(-2):.2f}))"
        self.refunded += int(cents)
        if self.refunded == self.captured:
            self.state = "Returned"
        return None

    def cancel(self) -> str | None:
        """Void it; what speaks against it, or None. One that is cancelled stays so."""
        if self.state == "Cancelled":
            return None
        if self.state not in CANCELLABLE:
            return f"The order is {self.state} and cannot be cancelled."
        self.decision, self.state = "CANCELLED", "Cancelled"
        return None


@dataclass(slots=True)
class Orders:
    """All orders, by the provider's id and by the merchant's."""

    by_id: dict[str, Order] = field(default_factory=dict[str, Order])
    by_external_id: dict[str, Order] = field(default_factory=dict[str, Order])

    def add(self, order: Order) -> None:
        """Keep one."""
        self.by_id[order.id] = order
        self.by_external_id[order.external_id] = order

    def clear(self) -> None:
        """Forget all."""
        self.by_id.clear()
        self.by_external_id.clear()

    def matching(self, *, mid: str, states: Iterable[int], query: str, newest_first: bool) -> list[Order]:
        """Those that pass the filters, in the order they were placed."""
        wanted = set(states)
        found = [
            order
            for order in self.by_id.values()
            if order.mid == mid
            and (not wanted or NUMBERS[order.state] in wanted)
            and query.lower() in f"{order.external_id} {order.email}".lower()
        ]
        return found[::-1] if newest_first else found
