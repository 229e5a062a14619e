"""Velo Payments: payees, source accounts, funding, payouts and their payments. See docs/velo.md.

from victor_ext.providers import Money
from victor_ext.providers.velo import PaymentInstruction, Velo, VeloAuth

with Velo(VeloAuth(api_key, api_secret), environment="sandbox") as velo:
    payout_id = velo.payouts.submit(
        [
            PaymentInstruction(
                remote_id="payee-7",
                amount=Money.of("44.23", "USD"),
                source_account_name="USD account",
                payor_payment_id="INV-1042",
            )
        ]
    )
"""

from __future__ import annotations

from .auth import VeloAuth
from .client import AsyncVelo, Velo
from .notifications import Notification, NotificationSequencer, Webhook, read_notification
from .records import (
    AcceptedPayment,
    Funding,
    FundingAccount,
    FundingChange,
    FxSummary,
    Payee,
    PayeeBatch,
    PayeeChange,
    PayeeFailure,
    Payment,
    PaymentChange,
    PayorRef,
    Payout,
    PayoutAccount,
    PayoutPayment,
    Quote,
    Receipt,
    RejectedPayment,
    SourceAccount,
)
from .requests import Address, Company, Individual, NewPayee, PaymentChannel, PaymentInstruction

__all__ = (
    "AcceptedPayment",
    "Address",
    "AsyncVelo",
    "Company",
    "Funding",
    "FundingAccount",
    "FundingChange",
    "FxSummary",
    "Individual",
    "NewPayee",
    "Notification",
    "NotificationSequencer",
    "Payee",
    "PayeeBatch",
    "PayeeChange",
    "PayeeFailure",
    "Payment",
    "PaymentChange",
    "PaymentChannel",
    "PaymentInstruction",
    "PayorRef",
    "Payout",
    "PayoutAccount",
    "PayoutPayment",
    "Quote",
    "Receipt",
    "RejectedPayment",
    "SourceAccount",
    "Velo",
    "VeloAuth",
    "Webhook",
    "read_notification",
)
