"""EastPay, the payment gateway that banks run under names of their own. See docs/eastpay.md."""

from ._client import AsyncEastPay, EastPay
from ._records import Checkout, Payment, Webhook, payment_id_of
from ._requests import Card, CardToken
from ._result_codes import ResultClass, ResultCode

__all__ = (
    "AsyncEastPay",
    "Card",
    "CardToken",
    "Checkout",
    "EastPay",
    "Payment",
    "ResultClass",
    "ResultCode",
    "Webhook",
    "payment_id_of",
)
