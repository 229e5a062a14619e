# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import FLAG, INSTANT, LEVELS, TEXT, WHOLE, Object, as_object, plain, read
from ..types import UNSET, Unset


@_attrs_define
class Payment:
    """
    Attributes:
        payment_id (str | Unset):
        payee_id (str | Unset):
        payor_id (str | Unset):
        remote_id (str | Unset): May be there only once the payment is confirmed.
        payor_payment_id (str | Unset):
        source_account_id (str | Unset):
        source_account_name (str | Unset):
        source_amount (int | Unset):
        source_currency (str | Unset):
        payment_amount (int | Unset):
        payment_currency (str | Unset):
        submitted_date_time (datetime.datetime | Unset):
        status (str | Unset):
        funding_status (str | Unset):
        payment_memo (str | Unset):
        rejection_reason (str | Unset):
        return_reason (str | Unset):
        withdrawn_reason (str | Unset):
        withdrawable (bool | Unset):
        payout (PayoutOfPayment | Unset):
    """

    payment_id: str | Unset = UNSET
    payee_id: str | Unset = UNSET
    payor_id: str | Unset = UNSET
    remote_id: str | Unset = UNSET
    payor_payment_id: str | Unset = UNSET
    source_account_id: str | Unset = UNSET
    source_account_name: str | Unset = UNSET
    source_amount: int | Unset = UNSET
    source_currency: str | Unset = UNSET
    payment_amount: int | Unset = UNSET
    payment_currency: str | Unset = UNSET
    submitted_date_time: datetime.datetime | Unset = UNSET
    status: str | Unset = UNSET
    funding_status: str | Unset = UNSET
    payment_memo: str | Unset = UNSET
    rejection_reason: str | Unset = UNSET
    return_reason: str | Unset = UNSET
    withdrawn_reason: str | Unset = UNSET
    withdrawable: bool | Unset = UNSET
    payout: PayoutOfPayment | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.payment_id, Unset):
            fields["paymentId"] = self.payment_id
        if not isinstance(self.payee_id, Unset):
            fields["payeeId"] = self.payee_id
        if not isinstance(self.payor_id, Unset):
            fields["payorId"] = self.payor_id
        if not isinstance(self.remote_id, Unset):
            fields["remoteId"] = self.remote_id
        if not isinstance(self.payor_payment_id, Unset):
            fields["payorPaymentId"] = self.payor_payment_id
        if not isinstance(self.source_account_id, Unset):
            fields["sourceAccountId"] = self.source_account_id
        if not isinstance(self.source_account_name, Unset):
            fields["sourceAccountName"] = self.source_account_name
        if not isinstance(self.source_amount, Unset):
            fields["sourceAmount"] = self.source_amount
        if not isinstance(self.source_currency, Unset):
            fields["sourceCurrency"] = self.source_currency
        if not isinstance(self.payment_amount, Unset):
            fields["paymentAmount"] = self.payment_amount
        if not isinstance(self.payment_currency, Unset):
            fields["paymentCurrency"] = self.payment_currency
        if not isinstance(self.submitted_date_time, Unset):
            fields["submittedDateTime"] = plain(self.submitted_date_time)
        if not isinstance(self.status, Unset):
            fields["status"] = self.status
        if not isinstance(self.funding_status, Unset):
            fields["fundingStatus"] = self.funding_status
        if not isinstance(self.payment_memo, Unset):
            fields["paymentMemo"] = self.payment_memo
        if not isinstance(self.rejection_reason, Unset):
            fields["rejectionReason"] = self.rejection_reason
        if not isinstance(self.return_reason, Unset):
            fields["returnReason"] = self.return_reason
        if not isinstance(self.withdrawn_reason, Unset):
            fields["withdrawnReason"] = self.withdrawn_reason
        if not isinstance(self.withdrawable, Unset):
            fields["withdrawable"] = self.withdrawable
        if not isinstance(self.payout, Unset):
            fields["payout"] = self.payout.to_dict()
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("paymentId", None)
        self.payment_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "paymentId")
        )
        v = take("payeeId", None)
        self.payee_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "payeeId")
        )
        v = take("payorId", None)
        self.payor_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "payorId")
        )
        v = take("remoteId", None)
        self.remote_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "remoteId")
        )
        v = take("payorPaymentId", None)
        self.payor_payment_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "payorPaymentId")
        )
        v = take("sourceAccountId", None)
        self.source_account_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "sourceAccountId")
        )
        v = take("sourceAccountName", None)
        self.source_account_name = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "sourceAccountName")
        )
        v = take("sourceAmount", None)
        self.source_amount = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "sourceAmount")
        )
        v = take("sourceCurrency", None)
        self.source_currency = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "sourceCurrency")
        )
        v = take("paymentAmount", None)
        self.payment_amount = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "paymentAmount")
        )
        v = take("paymentCurrency", None)
        self.payment_currency = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "paymentCurrency")
        )
        v = take("submittedDateTime", None)
        self.submitted_date_time = (
            UNSET if v is None else read(_read_submitted_date_time, v, _left, d, "submittedDateTime")
        )
        v = take("status", None)
        self.status = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "status")
        v = take("fundingStatus", None)
        self.funding_status = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "fundingStatus")
        )
        v = take("paymentMemo", None)
        self.payment_memo = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "paymentMemo")
        )
        v = take("rejectionReason", None)
        self.rejection_reason = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "rejectionReason")
        )
        v = take("returnReason", None)
        self.return_reason = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "returnReason")
        )
        v = take("withdrawnReason", None)
        self.withdrawn_reason = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "withdrawnReason")
        )
        v = take("withdrawable", None)
        self.withdrawable = (
            v if v.__class__ is bool else UNSET if v is None else read(FLAG, v, _left, d, "withdrawable")
        )
        v = take("payout", None)
        self.payout = (
            PayoutOfPayment.from_dict(v, _left - 1)
            if v.__class__ is dict and _left > 0
            else UNSET
            if v is None
            else read(Object(PayoutOfPayment), v, _left, d, "payout")
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
from ..models.payout_of_payment import PayoutOfPayment  # noqa: E402

_read_submitted_date_time = INSTANT
