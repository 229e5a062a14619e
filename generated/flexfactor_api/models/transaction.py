# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import ABSENT, FLAG, INSTANT, LEVELS, TEXT, WHOLE, as_object, plain, read
from ..types import UNSET, Unset


@_attrs_define
class Transaction:
    """
    Attributes:
        id (str): The id at the processor that dealt with it.
        timestamp_utc (datetime.datetime):
        amount (int): Cents.
        currency (str): ISO 4217.
        timezone_utc_offset (int | Unset):
        transaction_type (str | Unset): AUTHORIZATION or PURCHASE.
        response_code (str | Unset): What the processor answered.
        response_code_source (str | Unset): Whose code it is.
        avs_result_code (str | Unset):
        cvv_result_code (str | Unset):
        cavv_result_code (str | Unset):
        card_not_present (bool | Unset):
    """

    id: str
    timestamp_utc: datetime.datetime
    amount: int
    currency: str
    timezone_utc_offset: int | Unset = UNSET
    transaction_type: str | Unset = UNSET
    response_code: str | Unset = UNSET
    response_code_source: str | Unset = UNSET
    avs_result_code: str | Unset = UNSET
    cvv_result_code: str | Unset = UNSET
    cavv_result_code: str | Unset = UNSET
    card_not_present: bool | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.id, Unset):
            fields["id"] = self.id
        if not isinstance(self.timestamp_utc, Unset):
            fields["timestampUtc"] = plain(self.timestamp_utc)
        if not isinstance(self.amount, Unset):
            fields["amount"] = self.amount
        if not isinstance(self.currency, Unset):
            fields["currency"] = self.currency
        if not isinstance(self.timezone_utc_offset, Unset):
            fields["timezoneUtcOffset"] = self.timezone_utc_offset
        if not isinstance(self.transaction_type, Unset):
            fields["transactionType"] = self.transaction_type
        if not isinstance(self.response_code, Unset):
            fields["responseCode"] = self.response_code
        if not isinstance(self.response_code_source, Unset):
            fields["responseCodeSource"] = self.response_code_source
        if not isinstance(self.avs_result_code, Unset):
            fields["avsResultCode"] = self.avs_result_code
        if not isinstance(self.cvv_result_code, Unset):
            fields["cvvResultCode"] = self.cvv_result_code
        if not isinstance(self.cavv_result_code, Unset):
            fields["cavvResultCode"] = self.cavv_result_code
        if not isinstance(self.card_not_present, Unset):
            fields["cardNotPresent"] = self.card_not_present
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("id", None)
        self.id = v if v.__class__ is str else ABSENT if v is None else read(TEXT, v, _left, d, "id")
        v = take("timestampUtc", None)
        self.timestamp_utc = ABSENT if v is None else read(_read_timestamp_utc, v, _left, d, "timestampUtc")
        v = take("amount", None)
        self.amount = v if v.__class__ is int else ABSENT if v is None else read(WHOLE, v, _left, d, "amount")
        v = take("currency", None)
        self.currency = (
            v if v.__class__ is str else ABSENT if v is None else read(TEXT, v, _left, d, "currency")
        )
        v = take("timezoneUtcOffset", None)
        self.timezone_utc_offset = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "timezoneUtcOffset")
        )
        v = take("transactionType", None)
        self.transaction_type = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "transactionType")
        )
        v = take("responseCode", None)
        self.response_code = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "responseCode")
        )
        v = take("responseCodeSource", None)
        self.response_code_source = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "responseCodeSource")
        )
        v = take("avsResultCode", None)
        self.avs_result_code = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "avsResultCode")
        )
        v = take("cvvResultCode", None)
        self.cvv_result_code = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "cvvResultCode")
        )
        v = take("cavvResultCode", None)
        self.cavv_result_code = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "cavvResultCode")
        )
        v = take("cardNotPresent", None)
        self.card_not_present = (
            v if v.__class__ is bool else UNSET if v is None else read(FLAG, v, _left, d, "cardNotPresent")
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


_read_timestamp_utc = INSTANT
