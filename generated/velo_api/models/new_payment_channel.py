# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import ABSENT, LEVELS, TEXT, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class NewPaymentChannel:
    """
    Attributes:
        country_code (str):
        currency (str):
        account_name (str):
        payment_channel_name (str | Unset):
        iban (str | Unset):
        account_number (str | Unset):
        routing_number (str | Unset):
    """

    country_code: str
    currency: str
    account_name: str
    payment_channel_name: str | Unset = UNSET
    iban: str | Unset = UNSET
    account_number: str | Unset = UNSET
    routing_number: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.country_code, Unset):
            fields["countryCode"] = self.country_code
        if not isinstance(self.currency, Unset):
            fields["currency"] = self.currency
        if not isinstance(self.account_name, Unset):
            fields["accountName"] = self.account_name
        if not isinstance(self.payment_channel_name, Unset):
            fields["paymentChannelName"] = self.payment_channel_name
        if not isinstance(self.iban, Unset):
            fields["iban"] = self.iban
        if not isinstance(self.account_number, Unset):
            fields["accountNumber"] = self.account_number
        if not isinstance(self.routing_number, Unset):
            fields["routingNumber"] = self.routing_number
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("countryCode", None)
        self.country_code = (
            v if v.__class__ is str else ABSENT if v is None else read(TEXT, v, _left, d, "countryCode")
        )
        v = take("currency", None)
        self.currency = (
            v if v.__class__ is str else ABSENT if v is None else read(TEXT, v, _left, d, "currency")
        )
        v = take("accountName", None)
        self.account_name = (
            v if v.__class__ is str else ABSENT if v is None else read(TEXT, v, _left, d, "accountName")
        )
        v = take("paymentChannelName", None)
        self.payment_channel_name = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "paymentChannelName")
        )
        v = take("iban", None)
        self.iban = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "iban")
        v = take("accountNumber", None)
        self.account_number = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "accountNumber")
        )
        v = take("routingNumber", None)
        self.routing_number = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "routingNumber")
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
