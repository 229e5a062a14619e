# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, TEXT, WHOLE, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class PaymentMethod:
    """
    Attributes:
        holder_name (str | Unset):
        card_type (str | Unset):
        card_brand (str | Unset):
        card_country (str | Unset):
        expiration_month (int | Unset):
        expiration_year (int | Unset):
        card_bin_number (str | Unset):
        card_last_4_digits (str | Unset):
        card_number (str | Unset): A token that stands for the number, not the number.
    """

    holder_name: str | Unset = UNSET
    card_type: str | Unset = UNSET
    card_brand: str | Unset = UNSET
    card_country: str | Unset = UNSET
    expiration_month: int | Unset = UNSET
    expiration_year: int | Unset = UNSET
    card_bin_number: str | Unset = UNSET
    card_last_4_digits: str | Unset = UNSET
    card_number: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.holder_name, Unset):
            fields["holderName"] = self.holder_name
        if not isinstance(self.card_type, Unset):
            fields["cardType"] = self.card_type
        if not isinstance(self.card_brand, Unset):
            fields["cardBrand"] = self.card_brand
        if not isinstance(self.card_country, Unset):
            fields["cardCountry"] = self.card_country
        if not isinstance(self.expiration_month, Unset):
            fields["expirationMonth"] = self.expiration_month
        if not isinstance(self.expiration_year, Unset):
            fields["expirationYear"] = self.expiration_year
        if not isinstance(self.card_bin_number, Unset):
            fields["cardBinNumber"] = self.card_bin_number
        if not isinstance(self.card_last_4_digits, Unset):
            fields["cardLast4Digits"] = self.card_last_4_digits
        if not isinstance(self.card_number, Unset):
            fields["cardNumber"] = self.card_number
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("holderName", None)
        self.holder_name = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "holderName")
        )
        v = take("cardType", None)
        self.card_type = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "cardType")
        )
        v = take("cardBrand", None)
        self.card_brand = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "cardBrand")
        )
        v = take("cardCountry", None)
        self.card_country = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "cardCountry")
        )
        v = take("expirationMonth", None)
        self.expiration_month = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "expirationMonth")
        )
        v = take("expirationYear", None)
        self.expiration_year = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "expirationYear")
        )
        v = take("cardBinNumber", None)
        self.card_bin_number = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "cardBinNumber")
        )
        v = take("cardLast4Digits", None)
        self.card_last_4_digits = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "cardLast4Digits")
        )
        v = take("cardNumber", None)
        self.card_number = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "cardNumber")
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
