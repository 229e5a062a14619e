# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import INSTANT, LEVELS, NUMBER, TEXT, WHOLE, as_object, plain, read
from ..types import UNSET, Unset


@_attrs_define
class FxSummary:
    """
    Attributes:
        quote_id (str | Unset):
        rate (float | Unset):
        inverted_rate (float | Unset):
        creation_time (datetime.datetime | Unset):
        expiry_time (datetime.datetime | Unset):
        total_source_amount (int | Unset):
        total_payment_amount (int | Unset):
        source_currency (str | Unset):
        payment_currency (str | Unset):
        funding_status (str | Unset):
        status (str | Unset):
    """

    quote_id: str | Unset = UNSET
    rate: float | Unset = UNSET
    inverted_rate: float | Unset = UNSET
    creation_time: datetime.datetime | Unset = UNSET
    expiry_time: datetime.datetime | Unset = UNSET
    total_source_amount: int | Unset = UNSET
    total_payment_amount: int | Unset = UNSET
    source_currency: str | Unset = UNSET
    payment_currency: str | Unset = UNSET
    funding_status: str | Unset = UNSET
    status: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.quote_id, Unset):
            fields["quoteId"] = self.quote_id
        if not isinstance(self.rate, Unset):
            fields["rate"] = self.rate
        if not isinstance(self.inverted_rate, Unset):
            fields["invertedRate"] = self.inverted_rate
        if not isinstance(self.creation_time, Unset):
            fields["creationTime"] = plain(self.creation_time)
        if not isinstance(self.expiry_time, Unset):
            fields["expiryTime"] = plain(self.expiry_time)
        if not isinstance(self.total_source_amount, Unset):
            fields["totalSourceAmount"] = self.total_source_amount
        if not isinstance(self.total_payment_amount, Unset):
            fields["totalPaymentAmount"] = self.total_payment_amount
        if not isinstance(self.source_currency, Unset):
            fields["sourceCurrency"] = self.source_currency
        if not isinstance(self.payment_currency, Unset):
            fields["paymentCurrency"] = self.payment_currency
        if not isinstance(self.funding_status, Unset):
            fields["fundingStatus"] = self.funding_status
        if not isinstance(self.status, Unset):
            fields["status"] = self.status
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("quoteId", None)
        self.quote_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "quoteId")
        )
        v = take("rate", None)
        self.rate = (
            v
            if v.__class__ is float or v.__class__ is int
            else UNSET
            if v is None
            else read(NUMBER, v, _left, d, "rate")
        )
        v = take("invertedRate", None)
        self.inverted_rate = (
            v
            if v.__class__ is float or v.__class__ is int
            else UNSET
            if v is None
            else read(NUMBER, v, _left, d, "invertedRate")
        )
        v = take("creationTime", None)
        self.creation_time = UNSET if v is None else read(_read_creation_time, v, _left, d, "creationTime")
        v = take("expiryTime", None)
        self.expiry_time = UNSET if v is None else read(_read_expiry_time, v, _left, d, "expiryTime")
        v = take("totalSourceAmount", None)
        self.total_source_amount = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "totalSourceAmount")
        )
        v = take("totalPaymentAmount", None)
        self.total_payment_amount = (
            v
            if v.__class__ is int
            else UNSET
            if v is None
            else read(WHOLE, v, _left, d, "totalPaymentAmount")
        )
        v = take("sourceCurrency", None)
        self.source_currency = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "sourceCurrency")
        )
        v = take("paymentCurrency", None)
        self.payment_currency = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "paymentCurrency")
        )
        v = take("fundingStatus", None)
        self.funding_status = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "fundingStatus")
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


_read_creation_time = INSTANT
_read_expiry_time = INSTANT
