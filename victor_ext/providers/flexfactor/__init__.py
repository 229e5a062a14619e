"""FlexFactor, formerly FlexCharge: declined card payments, rescued. See docs/flexfactor.md."""

from flexfactor_api.typed.parts import Address, OrderItem, Payer, Subscription, Transaction

from ._auth import FlexFactorAuth, FlexFactorToken
from ._client import AsyncFlexFactor, FlexFactor
from ._orders import AsyncOrders, Orders
from ._payments import AsyncPayments, Card, Payments
from ._problems import trace_id
from ._records import Cancellation, Capture, Decision, Order, OrderStatus, Refund, Transmission
from ._responses import ErrorCode, split_code
from ._webhooks import Notification, Webhook

__all__ = (
    "Address",
    "AsyncFlexFactor",
    "AsyncOrders",
    "AsyncPayments",
    "Cancellation",
    "Capture",
    "Card",
    "Decision",
    "ErrorCode",
    "FlexFactor",
    "FlexFactorAuth",
    "FlexFactorToken",
    "Notification",
    "Order",
    "OrderItem",
    "OrderStatus",
    "Orders",
    "Payer",
    "Payments",
    "Refund",
    "Subscription",
    "Transaction",
    "Transmission",
    "Webhook",
    "split_code",
    "trace_id",
)
