"""Velo Payments: payees, source accounts, funding, payouts and their payments. See docs/velo.md."""

from .auth import VeloAuth
from .client import AsyncVelo, Velo
from .operations import Receipt
from .records import (
    AcceptedPayment,
    Funding,
    FundingAccount,
    FundingChange,
    FundingEntry,
    FundingEvent,
    FxSummary,
    Payee,
    PayeeBatch,
    PayeeChange,
    PayeeFailure,
    PayeeInvitation,
    Payment,
    PaymentChange,
    PaymentEvent,
    PayorRef,
    Payout,
    PayoutAccount,
    PayoutHistory,
    PayoutPayment,
    PayoutStatistics,
    PayoutSummary,
    Quote,
    RejectedPayment,
    SourceAccount,
    SourceAccountCost,
)
from .requests import (
    Address,
    Challenge,
    Company,
    Individual,
    NewPayee,
    PaymentChannel,
    PaymentInstruction,
)
from .webhook_endpoints import WebhookEndpoint, WebhookPing
from .webhooks import Notification, Webhook, read_notification

__all__ = (
    "AcceptedPayment", "Address", "AsyncVelo", "Challenge", "Company", "Funding", "FundingAccount", "FundingChange",
    "FundingEntry", "FundingEvent", "FxSummary", "Individual", "NewPayee", "Notification",
    "Payee", "PayeeBatch", "PayeeChange", "PayeeFailure", "PayeeInvitation", "Payment", "PaymentChange",
    "PaymentChannel", "PaymentEvent", "PaymentInstruction", "PayorRef", "Payout", "PayoutAccount", "PayoutHistory",
    "PayoutPayment", "PayoutStatistics", "PayoutSummary", "Quote", "Receipt", "RejectedPayment", "SourceAccount",
    "SourceAccountCost", "Velo", "VeloAuth", "Webhook", "WebhookEndpoint", "WebhookPing", "read_notification",
)  # fmt: skip
