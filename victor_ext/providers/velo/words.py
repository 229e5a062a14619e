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
_PaymentStatus = Literal[
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
_SubmittedStatus = Literal["ACCEPTED", "REJECTED", "WITHDRAWN", "WITHDRAWABLE"]
_Transmission = Literal["SAME_DAY_ACH", "WIRE", "ACH", "LOCAL", "SWIFT"]
_TransmissionFilter = Literal["ACH", "SAME_DAY_ACH", "WIRE", "LOCAL", "GACHO"]
_ScheduleStatus = Literal["ANY", "SCHEDULED", "EXECUTED", "FAILED"]
_PostInstructFxStatus = Literal[
    "ANY", "INITIATED", "CANCELLED", "EXECUTED", "COMPLETED", "RETURNED", "RESUBMITTED", "REFUNDED"
]
_PayeeType = Literal["Individual", "Company"]
_InvitationStatus = Literal["ACCEPTED", "PENDING", "DECLINED"]
_FundingAccountType = Literal["FBO", "WUBS_DECOUPLED", "PRIVATE"]
_Category = Literal["payment", "payee", "debit"]
_Include = Literal["payorOnly", "payorAndDescendants"]
_Environment = Literal["sandbox", "production"]

PaymentStatusWord = _PaymentStatus | str
SubmittedStatusWord = _SubmittedStatus | str
PayoutStatusFilter = PayoutStatusWord | str
TransmissionWord = _Transmission | str
TransmissionFilter = _TransmissionFilter | str
ScheduleStatusWord = _ScheduleStatus | str
PostInstructFxStatusWord = _PostInstructFxStatus | str
PayeeTypeWord = _PayeeType | str
InvitationStatusWord = _InvitationStatus | str
FundingAccountTypeWord = _FundingAccountType | str
CategoryWord = _Category | str
IncludeWord = _Include | str
EnvironmentWord = _Environment | str
