"""EastPay, the payment gateway that banks run under names of their own. See docs/eastpay.md."""

from ._checkouts import AsyncCheckouts, Checkouts
from ._client import AsyncEastPay, EastPay
from ._payments import AsyncPayments, Payments
from ._records import Checkout, Payment, Webhook, payment_id_of
from ._requests import Card, CardToken
from ._result_codes import ResultClass, ResultCode

__all__ = (
    "AsyncCheckouts",
    "AsyncEastPay",
    "AsyncPayments",
    "Card",
    "CardToken",
    "Checkout",
    "Checkouts",
    "EastPay",
    "Payment",
    "Payments",
    "ResultClass",
    "ResultCode",
    "Webhook",
    "payment_id_of",
)
