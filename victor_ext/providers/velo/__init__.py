"""Velo Payments: payees, source accounts, funding, payouts and their payments. See docs/velo.md."""

from velo_api.typed.parts import Address, Challenge, Company, Individual, PaymentInstruction
from velo_api.typed.records import (
    AcceptedPayment,
    Funding,
    FundingAccount,
    FundingChange,
    FxSummary,
    Payee,
    PayeeBatch,
    PayeeFailure,
    Payment,
    PaymentEvent,
    PayorRef,
    Payout,
    PayoutAccount,
    PayoutPayment,
    PayoutSummary,
    Quote,
    RejectedPayment,
    SourceAccount,
    SourceAccountCost,
)

from ._accounts import (
    AsyncFundingAccounts,
    AsyncFundings,
    AsyncSourceAccounts,
    FundingAccounts,
    Fundings,
    SourceAccounts,
)
from ._auth import VeloAuth
from ._client import AsyncVelo, Velo
from ._payees import AsyncPayees, NewPayee, Payees, PaymentChannel
from ._payments import AsyncPayments, Payments
from ._payouts import AsyncPayouts, Payouts
from ._webhooks import Notification, Webhook, read_notification

__all__ = (
    "AcceptedPayment",
    "Address",
    "AsyncFundingAccounts",
    "AsyncFundings",
    "AsyncPayees",
    "AsyncPayments",
    "AsyncPayouts",
    "AsyncSourceAccounts",
    "AsyncVelo",
    "Challenge",
    "Company",
    "Funding",
    "FundingAccount",
    "FundingAccounts",
    "FundingChange",
    "Fundings",
    "FxSummary",
    "Individual",
    "NewPayee",
    "Notification",
    "Payee",
    "PayeeBatch",
    "PayeeFailure",
    "Payees",
    "Payment",
    "PaymentChannel",
    "PaymentEvent",
    "PaymentInstruction",
    "Payments",
    "PayorRef",
    "Payout",
    "PayoutAccount",
    "PayoutPayment",
    "PayoutSummary",
    "Payouts",
    "Quote",
    "RejectedPayment",
    "SourceAccount",
    "SourceAccountCost",
    "SourceAccounts",
    "Velo",
    "VeloAuth",
    "Webhook",
    "read_notification",
)
