"""The words that Velo's document has for statuses and kinds, for type checkers and editors.

Words that this client checks are closed: a type checker refuses a misspelt one. The others are open, since a newer
document may have more: editors complete them.
"""

from __future__ import annotations

from typing import Literal

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
    | str
)
SubmittedStatusWord = Literal["ACCEPTED", "REJECTED", "WITHDRAWN", "WITHDRAWABLE"] | str
PayoutStatusFilter = PayoutStatusWord | str
TransmissionWord = Literal["SAME_DAY_ACH", "WIRE", "ACH", "LOCAL", "SWIFT"] | str
TransmissionFilter = Literal["ACH", "SAME_DAY_ACH", "WIRE", "LOCAL", "GACHO"] | str
ScheduleStatusWord = Literal["ANY", "SCHEDULED", "EXECUTED", "FAILED"] | str
PostInstructFxStatusWord = (
    Literal["ANY", "INITIATED", "CANCELLED", "EXECUTED", "COMPLETED", "RETURNED", "RESUBMITTED", "REFUNDED"] | str
)
PayeeTypeWord = Literal["Individual", "Company"] | str
InvitationStatusWord = Literal["ACCEPTED", "PENDING", "DECLINED"] | str
FundingAccountTypeWord = Literal["FBO", "WUBS_DECOUPLED", "PRIVATE"] | str
CategoryWord = Literal["payment", "payee", "debit"] | str
IncludeWord = Literal["payorOnly", "payorAndDescendants"] | str
EnvironmentWord = Literal["sandbox", "production"] | str
