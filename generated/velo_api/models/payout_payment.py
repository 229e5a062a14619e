# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import FLAG, LEVELS, TEXT, WHOLE, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class PayoutPayment:
    """
    Attributes:
        payment_id (str | Unset):
        remote_id (str | Unset):
        currency (str | Unset):
        amount (int | Unset):
        source_account_name (str | Unset):
        payor_payment_id (str | Unset):
        payment_memo (str | Unset):
        withdrawable (bool | Unset):
        status (str | Unset):
        transmission_type (str | Unset):
        rails_id (str | Unset):
    """

    payment_id: str | Unset = UNSET
    remote_id: str | Unset = UNSET
    currency: str | Unset = UNSET
    amount: int | Unset = UNSET
    source_account_name: str | Unset = UNSET
    payor_payment_id: str | Unset = UNSET
    payment_memo: str | Unset = UNSET
    withdrawable: bool | Unset = UNSET
    status: str | Unset = UNSET
    transmission_type: str | Unset = UNSET
    rails_id: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.payment_id, Unset):
            fields["paymentId"] = self.payment_id
        if not isinstance(self.remote_id, Unset):
            fields["remoteId"] = self.remote_id
        if not isinstance(self.currency, Unset):
            fields["currency"] = self.currency
        if not isinstance(self.amount, Unset):
            fields["amount"] = self.amount
        if not isinstance(self.source_account_name, Unset):
            fields["sourceAccountName"] = self.source_account_name
        if not isinstance(self.payor_payment_id, Unset):
            fields["payorPaymentId"] = self.payor_payment_id
        if not isinstance(self.payment_memo, Unset):
            fields["paymentMemo"] = self.payment_memo
        if not isinstance(self.withdrawable, Unset):
            fields["withdrawable"] = self.withdrawable
        if not isinstance(self.status, Unset):
            fields["status"] = self.status
        if not isinstance(self.transmission_type, Unset):
            fields["transmissionType"] = self.transmission_type
        if not isinstance(self.rails_id, Unset):
            fields["railsId"] = self.rails_id
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
        v = take("remoteId", None)
        self.remote_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "remoteId")
        )
        v = take("currency", None)
        self.currency = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "currency")
        )
        v = take("amount", None)
        self.amount = v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "amount")
        v = take("sourceAccountName", None)
        self.source_account_name = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "sourceAccountName")
        )
        v = take("payorPaymentId", None)
        self.payor_payment_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "payorPaymentId")
        )
        v = take("paymentMemo", None)
        self.payment_memo = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "paymentMemo")
        )
        v = take("withdrawable", None)
        self.withdrawable = (
            v if v.__class__ is bool else UNSET if v is None else read(FLAG, v, _left, d, "withdrawable")
        )
        v = take("status", None)
        self.status = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "status")
        v = take("transmissionType", None)
        self.transmission_type = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "transmissionType")
        )
        v = take("railsId", None)
        self.rails_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "railsId")
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
