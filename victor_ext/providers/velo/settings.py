"""Velo's environments, the settings of a client in the process environment, and the words of Velo's document.

A type checker refuses other words, unless one is a `Word`: Velo's document is prose, and a newer one may have more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Literal

from victor_ext.runtime.client.settings import options_from, require_variables
from victor_ext.words import Word

from .auth import VeloAuth

ENVIRONMENTS: Mapping[str, Sequence[str]] = {
    "sandbox": ["https://api.sandbox.velopayments.com"],
    "production": ["https://api.payouts.velopayments.com"],
}
"""The hosts that Velo's document names: one with simulated money, one with real money."""
VERSIONS = ("v1", "v2", "v3", "v4")


def _auth(values: Mapping[str, str]) -> VeloAuth:
    require_variables(values, "VELO_API_KEY", "VELO_API_SECRET", hint="Velo's back office issues both.")
    return VeloAuth(values["VELO_API_KEY"], values["VELO_API_SECRET"])


from_process_environment = partial(options_from, "VELO_", environments=ENVIRONMENTS, versions=VERSIONS, auth=_auth)

PayoutStatusWord = Literal[
    "SUBMITTED", "ACCEPTED", "REJECTED", "QUOTED", "INSTRUCTED", "COMPLETED", "INCOMPLETE", "CONFIRMED", "WITHDRAWN"
]
PaymentStatusWord = Literal[
    "ACCEPTED", "AWAITING_FUNDS", "FUNDED", "UNFUNDED", "BANK_PAYMENT_REQUESTED", "REJECTED", "ACCEPTED_BY_RAILS",
    "CONFIRMED", "FAILED", "RETURNED", "WITHDRAWN",
] | Word  # fmt: skip
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
