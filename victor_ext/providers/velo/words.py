"""The words that Velo's document has for statuses and kinds, for type checkers and editors.

A type checker refuses other text, unless it is a `Word`: Velo's document is prose, and a newer one may have more words.
"""

from __future__ import annotations

from typing import Literal

from victor_ext.words import Word

PayoutStatusWord = Literal[
    "SUBMITTED",
    "ACCEPTED",
    "REJECTED",
    "QUOTED",
    "INSTRUCTED",
    "COMPLETED",
    "INCOMPLETE",
    "CONFIRMED",
    "WITHDRAWN",
]

PaymentStatusWord = (
    Literal[
        "ACCEPTED",
        "AWAITING_FUNDS",
        "FUNDED",
        "UNFUNDED",
        "BANK_PAYMENT_REQUESTED",
        "REJECTED",
        "ACCEPTED_BY_RAILS",
        "CONFIRMED",
        "FAILED",
        "RETURNED",
        "WITHDRAWN",
    ]
    | Word
)
SubmittedStatusWord = Literal["ACCEPTED", "REJECTED", "WITHDRAWN", "WITHDRAWABLE"] | Word
PayoutStatusFilter = PayoutStatusWord | Word
TransmissionWord = Literal["SAME_DAY_ACH", "WIRE", "ACH", "LOCAL", "SWIFT"] | Word
TransmissionFilter = Literal["ACH", "SAME_DAY_ACH", "WIRE", "LOCAL", "GACHO"] | Word
ScheduleStatusWord = Literal["ANY", "SCHEDULED", "EXECUTED", "FAILED"] | Word
PostInstructFxStatusWord = (
    Literal["ANY", "INITIATED", "CANCELLED", "EXECUTED", "COMPLETED", "RETURNED", "RESUBMITTED", "REFUNDED"] | Word
)
PayeeTypeWord = Literal["Individual", "Company"] | Word
InvitationStatusWord = Literal["ACCEPTED", "PENDING", "DECLINED"] | Word
FundingAccountTypeWord = Literal["FBO", "WUBS_DECOUPLED", "PRIVATE"] | Word
CategoryWord = Literal["payment", "payee", "debit"] | Word
IncludeWord = Literal["payorOnly", "payorAndDescendants"] | Word
EnvironmentWord = Literal["sandbox", "production"] | Word
