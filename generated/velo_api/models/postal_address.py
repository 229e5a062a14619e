# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, TEXT, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class PostalAddress:
    """
    Attributes:
        line1 (str):
        city (str):
        country (str):
        line2 (None | str | Unset):
        line3 (None | str | Unset):
        line4 (None | str | Unset):
        county_or_province (None | str | Unset):
        zip_or_postcode (None | str | Unset):
    """

    line1: str | Unset
    city: str | Unset
    country: str | Unset
    line2: None | str | Unset = UNSET
    line3: None | str | Unset = UNSET
    line4: None | str | Unset = UNSET
    county_or_province: None | str | Unset = UNSET
    zip_or_postcode: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.line1, Unset):
            fields["line1"] = self.line1
        if not isinstance(self.city, Unset):
            fields["city"] = self.city
        if not isinstance(self.country, Unset):
            fields["country"] = self.country
        if not isinstance(self.line2, Unset):
            fields["line2"] = self.line2
        if not isinstance(self.line3, Unset):
            fields["line3"] = self.line3
        if not isinstance(self.line4, Unset):
            fields["line4"] = self.line4
        if not isinstance(self.county_or_province, Unset):
            fields["countyOrProvince"] = self.county_or_province
        if not isinstance(self.zip_or_postcode, Unset):
            fields["zipOrPostcode"] = self.zip_or_postcode
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("line1", None)
        self.line1 = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "line1")
        v = take("city", None)
        self.city = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "city")
        v = take("country", None)
        self.country = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "country")
        v = take("line2", None)
        self.line2 = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "line2")
        v = take("line3", None)
        self.line3 = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "line3")
        v = take("line4", None)
        self.line4 = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "line4")
        v = take("countyOrProvince", None)
        self.county_or_province = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "countyOrProvince")
        )
        v = take("zipOrPostcode", None)
        self.zip_or_postcode = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "zipOrPostcode")
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
