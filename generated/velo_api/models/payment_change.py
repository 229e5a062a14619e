# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, TEXT, WHOLE, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class PaymentChange:
    """
    Attributes:
        payment_id (str | Unset):
        payout_id (str | Unset):
        payor_payment_id (None | str | Unset):
        payment_currency (None | str | Unset):
        payment_amount (int | None | Unset):
        source_currency (None | str | Unset):
        source_amount (int | None | Unset):
        status (None | str | Unset):
    """

    payment_id: str | Unset = UNSET
    payout_id: str | Unset = UNSET
    payor_payment_id: None | str | Unset = UNSET
    payment_currency: None | str | Unset = UNSET
    payment_amount: int | None | Unset = UNSET
    source_currency: None | str | Unset = UNSET
    source_amount: int | None | Unset = UNSET
    status: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.payment_id, Unset):
            fields["paymentId"] = self.payment_id
        if not isinstance(self.payout_id, Unset):
            fields["payoutId"] = self.payout_id
        if not isinstance(self.payor_payment_id, Unset):
            fields["payorPaymentId"] = self.payor_payment_id
        if not isinstance(self.payment_currency, Unset):
            fields["paymentCurrency"] = self.payment_currency
        if not isinstance(self.payment_amount, Unset):
            fields["paymentAmount"] = self.payment_amount
        if not isinstance(self.source_currency, Unset):
            fields["sourceCurrency"] = self.source_currency
        if not isinstance(self.source_amount, Unset):
            fields["sourceAmount"] = self.source_amount
        if not isinstance(self.status, Unset):
            fields["status"] = self.status
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
        v = take("payoutId", None)
        self.payout_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "payoutId")
        )
        v = take("payorPaymentId", None)
        self.payor_payment_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "payorPaymentId")
        )
        v = take("paymentCurrency", None)
        self.payment_currency = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "paymentCurrency")
        )
        v = take("paymentAmount", None)
        self.payment_amount = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "paymentAmount")
        )
        v = take("sourceCurrency", None)
        self.source_currency = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "sourceCurrency")
        )
        v = take("sourceAmount", None)
        self.source_amount = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "sourceAmount")
        )
        v = take("status", None)
        self.status = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "status")
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
