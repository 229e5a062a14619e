"""An order of FlexFactor's: its states, what moves it, its money, and how a list finds it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from victor_ext.sandbox.engine import Listing, Move, Refused
from victor_ext.sandbox.server import JsonObject

_STATES = (
    "Draft",
    "Onhold",
    "Cancelled",
    "Problem",
    "Processing",
    "Capturerequired",
    "Returned",
    "Completed",
)
"""By their numbers."""
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
"""The state of an order after a decision, by the guide to the provider's portal, or else the
sandbox's choice.
"""


CAPTURE = Move(
    ("Capturerequired",), "Completed", "The order is {}, not Capturerequired.", status=400
)
CANCEL = Move(
    ("Draft", "Onhold", "Processing", "Capturerequired"),
    "Cancelled",
    "The order is {} and cannot be cancelled.",
    status=400,
    field="OrderId",
)


@dataclass(kw_only=True, slots=True)
class Order:
    """One order. Amounts are in cents."""

    id: str
    external_id: str
    mid: str
    cents: int
    currency: str
    placed_at: str
    asked: JsonObject
    """The members of its evaluation, and of the objects in it, by name."""
    decision: str = "SUBMITTED"
    state: str = "Draft"
    captured: int = 0
    refunded: int = 0

    def decide(self, decision: str) -> None:
        """Set the decision. An approved order is paid."""
        self.decision = decision
        self.state = STATE_AFTER.get(decision, "Problem")
        if decision != "APPROVED":
            self.captured = 0
        elif not self.captured:
            self.captured = self.cents

    def capture(self, cents: int, currency: str) -> None:
        """Take the money. Raises `Refused`."""
        CAPTURE.check(self.state)
        if currency != self.currency:
            raise Refused(400, f"The currency of the order is {self.currency}, not {currency}.")
        if cents > self.cents:
            raise Refused(400, "The amount is greater than the authorised one.")
        self.decision, self.state = "APPROVED", CAPTURE.enters
        self.captured = cents

    def refund(self, dollars: Decimal) -> None:
        """Give money back. Raises `Refused`."""
        cents = dollars.scaleb(2)
        left = self.captured - self.refunded
        if cents != cents.to_integral_value() or cents <= 0:
            raise Refused(400, f"Amount to refund ({dollars}) is not an amount.")
        if cents > left:
            most = f"maximum refund amount in ({_dollars(left):.2f}))"
            raise Refused(400, f"Amount to refund ({dollars:.2f}) is greater than {most}")
        self.refunded += int(cents)
        if self.refunded == self.captured:
            self.state = "Returned"

    def cancel(self) -> None:
        """Take it back. Raises `Refused`."""
        CANCEL.check(self.state)
        self.decision, self.state = "CANCELLED", CANCEL.enters
        self.captured = 0

    def to_dict(self) -> JsonObject:
        """The order as `GET /v1/orders/{id}` returns it, with members that are not documented."""
        return {
            "id": self.id,
            "status": _STATES.index(self.state),
            "statusName": self.state,
            "referenceNumber": self.id[:8].upper(),
            "externalOrderId": self.external_id,
            "orderPlacedDate": self.placed_at,
            "expiryDate": None,
            "email": self.asked["email"],
            "currencyCode": self.currency,
            "currencySymbol": "$",
            "totalAmount": float(_dollars(self.cents)),
            "shippingAddress": None,
        }


def _dollars(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def _moment_of(given: str) -> datetime:
    """The moment of a text. Raises `Refused` for a leap second, which the document allows."""
    try:
        return datetime.fromisoformat(given)
    except ValueError:
        raise Refused(400, "A value is not valid.", "Query") from None


def check_moments(query: JsonObject) -> None:
    """Refuse a bound of a list that is no moment."""
    for name in query.keys() & {"from", "to"}:
        _moment_of(query[name])


def _compared(order: Order) -> JsonObject:
    """What the filters of a list compare."""
    return {**order.asked, **order.to_dict()}


def _has_words(order: Order, wanted: str) -> bool:
    return wanted.lower() in f"{order.external_id} {order.asked['email']}".lower()


_TESTS: Mapping[str, Callable[[Order, str], bool]] = {
    "query": _has_words,
    "from": lambda order, first: _moment_of(first) <= _moment_of(order.placed_at),
    "to": lambda order, last: _moment_of(order.placed_at) <= _moment_of(last),
}
"""The filters that compare otherwise than by the member of their name."""
ORDERS = Listing(
    size=10,
    largest=100,
    controls=("mid", "orderBy", "sort"),
    members_of=_compared,
    test_of=_TESTS.get,
    number="pageNumber",
    sort="",  # its `sort` is a direction alone
)
