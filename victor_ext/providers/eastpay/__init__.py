"""EastPay, the payment gateway that banks run under names of their own. See docs/eastpay.md.

from victor_ext.providers import Money
from victor_ext.providers.eastpay import Card, EastPay

with EastPay(token, base_url="https://pay.bank.example/gateway", entity_id="EB000001") as eastpay:
    payment = eastpay.payments.debit(Money.of("92.00", "EGP"), card=card, merchant_transaction_id="INV-1042")
    payment.result.kind, payment.result.meaning
"""

from __future__ import annotations

from .cards import Card, CardToken
from .client import AsyncEastPay, EastPay
from .records import Checkout, Payment, payment_id_of
from .result_codes import Rejection, ResultClass, ResultCode

__all__ = (
    "AsyncEastPay", "Card", "CardToken", "Checkout", "EastPay", "Payment", "Rejection", "ResultClass", "ResultCode",
    "payment_id_of",
)  # fmt: skip
