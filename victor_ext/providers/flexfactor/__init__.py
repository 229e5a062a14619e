"""FlexFactor, formerly FlexCharge: declined card payments, rescued. See docs/flexfactor.md."""

from flexfactor_api.typed.parts import Address, OrderItem, Payer, Subscription, Transaction

from .auth import FlexFactorAuth, FlexFactorToken
from .client import AsyncFlexFactor, FlexFactor
from .payments import Card
from .problems import trace_id
from .records import Cancellation, Capture, Decision, Order, OrderStatus, Refund, Transmission
from .responses import ErrorCode, split_code
from .webhooks import Notification, Webhook

__all__ = (
    "Address",
    "AsyncFlexFactor",
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
    "Payer",
    "Refund",
    "Subscription",
    "Transaction",
    "Transmission",
    "Webhook",
    "split_code",
    "trace_id",
)
