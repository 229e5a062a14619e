# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, TEXT, WHOLE, as_object, odd, plain, read
from ..types import UNSET, Unset


@_attrs_define
class Payout:
    """
    Attributes:
        payout_id (str | Unset):
        status (str | Unset):
        payments_submitted (int | Unset):
        payments_accepted (int | Unset):
        payments_rejected (int | Unset):
        payments_withdrawn (int | Unset):
        fx_summaries (list[FxSummary] | Unset):
        accounts (list[PayoutAccount] | Unset):
        accepted_payments (list[AcceptedPayment] | Unset):
        rejected_payments (list[RejectedPayment] | Unset):
    """

    payout_id: str | Unset = UNSET
    status: str | Unset = UNSET
    payments_submitted: int | Unset = UNSET
    payments_accepted: int | Unset = UNSET
    payments_rejected: int | Unset = UNSET
    payments_withdrawn: int | Unset = UNSET
    fx_summaries: list[FxSummary] | Unset = UNSET
    accounts: list[PayoutAccount] | Unset = UNSET
    accepted_payments: list[AcceptedPayment] | Unset = UNSET
    rejected_payments: list[RejectedPayment] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.payout_id, Unset):
            fields["payoutId"] = self.payout_id
        if not isinstance(self.status, Unset):
            fields["status"] = self.status
        if not isinstance(self.payments_submitted, Unset):
            fields["paymentsSubmitted"] = self.payments_submitted
        if not isinstance(self.payments_accepted, Unset):
            fields["paymentsAccepted"] = self.payments_accepted
        if not isinstance(self.payments_rejected, Unset):
            fields["paymentsRejected"] = self.payments_rejected
        if not isinstance(self.payments_withdrawn, Unset):
            fields["paymentsWithdrawn"] = self.payments_withdrawn
        if not isinstance(self.fx_summaries, Unset):
            fields["fxSummaries"] = plain(self.fx_summaries)
        if not isinstance(self.accounts, Unset):
            fields["accounts"] = plain(self.accounts)
        if not isinstance(self.accepted_payments, Unset):
            fields["acceptedPayments"] = plain(self.accepted_payments)
        if not isinstance(self.rejected_payments, Unset):
            fields["rejectedPayments"] = plain(self.rejected_payments)
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("payoutId", None)
        self.payout_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "payoutId")
        )
        v = take("status", None)
        self.status = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "status")
        v = take("paymentsSubmitted", None)
        self.payments_submitted = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "paymentsSubmitted")
        )
        v = take("paymentsAccepted", None)
        self.payments_accepted = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "paymentsAccepted")
        )
        v = take("paymentsRejected", None)
        self.payments_rejected = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "paymentsRejected")
        )
        v = take("paymentsWithdrawn", None)
        self.payments_withdrawn = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "paymentsWithdrawn")
        )
        v = take("fxSummaries", None)
        self.fx_summaries = (
            [FxSummary.from_dict(i, _left - 1) for i in v]
            if v.__class__ is list and _left > 0
            else UNSET
            if v is None
            else odd(v, d, "fxSummaries")
        )
        v = take("accounts", None)
        self.accounts = (
            [PayoutAccount.from_dict(i, _left - 1) for i in v]
            if v.__class__ is list and _left > 0
            else UNSET
            if v is None
            else odd(v, d, "accounts")
        )
        v = take("acceptedPayments", None)
        self.accepted_payments = (
            [AcceptedPayment.from_dict(i, _left - 1) for i in v]
            if v.__class__ is list and _left > 0
            else UNSET
            if v is None
            else odd(v, d, "acceptedPayments")
        )
        v = take("rejectedPayments", None)
        self.rejected_payments = (
            [RejectedPayment.from_dict(i, _left - 1) for i in v]
            if v.__class__ is list and _left > 0
            else UNSET
            if v is None
            else odd(v, d, "rejectedPayments")
        )
        self.additional_properties = d or {}
        return self

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties


# Below the class, because models may refer to each other in a circle.
from ..models.accepted_payment import AcceptedPayment  # noqa: E402
from ..models.fx_summary import FxSummary  # noqa: E402
from ..models.payout_account import PayoutAccount  # noqa: E402
from ..models.rejected_payment import RejectedPayment  # noqa: E402
