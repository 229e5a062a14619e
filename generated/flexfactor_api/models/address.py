# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, TEXT, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class Address:
    """
    Attributes:
        first_name (str | Unset):
        last_name (str | Unset):
        country (str | Unset):
        country_code (str | Unset):
        address_line_1 (str | Unset):
        address_line_2 (str | Unset):
        city (str | Unset):
        state (str | Unset):
        zipcode (str | Unset): Written zipCode in some places; it is taken in either spelling.
        phone (str | Unset):
    """

    first_name: str | Unset = UNSET
    last_name: str | Unset = UNSET
    country: str | Unset = UNSET
    country_code: str | Unset = UNSET
    address_line_1: str | Unset = UNSET
    address_line_2: str | Unset = UNSET
    city: str | Unset = UNSET
    state: str | Unset = UNSET
    zipcode: str | Unset = UNSET
    phone: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.first_name, Unset):
            fields["firstName"] = self.first_name
        if not isinstance(self.last_name, Unset):
            fields["lastName"] = self.last_name
        if not isinstance(self.country, Unset):
            fields["country"] = self.country
        if not isinstance(self.country_code, Unset):
            fields["countryCode"] = self.country_code
        if not isinstance(self.address_line_1, Unset):
            fields["addressLine1"] = self.address_line_1
        if not isinstance(self.address_line_2, Unset):
            fields["addressLine2"] = self.address_line_2
        if not isinstance(self.city, Unset):
            fields["city"] = self.city
        if not isinstance(self.state, Unset):
            fields["state"] = self.state
        if not isinstance(self.zipcode, Unset):
            fields["zipcode"] = self.zipcode
        if not isinstance(self.phone, Unset):
            fields["phone"] = self.phone
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("firstName", None)
        self.first_name = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "firstName")
        )
        v = take("lastName", None)
        self.last_name = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "lastName")
        )
        v = take("country", None)
        self.country = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "country")
        v = take("countryCode", None)
        self.country_code = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "countryCode")
        )
        v = take("addressLine1", None)
        self.address_line_1 = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "addressLine1")
        )
        v = take("addressLine2", None)
        self.address_line_2 = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "addressLine2")
        )
        v = take("city", None)
        self.city = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "city")
        v = take("state", None)
        self.state = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "state")
        v = take("zipcode", None)
        self.zipcode = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "zipcode")
        v = take("phone", None)
        self.phone = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "phone")
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
