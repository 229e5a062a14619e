# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import ABSENT, DAY, LEVELS, TEXT, as_object, plain, read
from ..types import UNSET, Unset


@_attrs_define
class Payer:
    """
    Attributes:
        email (str):
        id (str | Unset):
        phone (str | Unset):
        birthdate (datetime.date | Unset):
    """

    email: str
    id: str | Unset = UNSET
    phone: str | Unset = UNSET
    birthdate: datetime.date | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.email, Unset):
            fields["email"] = self.email
        if not isinstance(self.id, Unset):
            fields["id"] = self.id
        if not isinstance(self.phone, Unset):
            fields["phone"] = self.phone
        if not isinstance(self.birthdate, Unset):
            fields["birthdate"] = plain(self.birthdate)
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("email", None)
        self.email = v if v.__class__ is str else ABSENT if v is None else read(TEXT, v, _left, d, "email")
        v = take("id", None)
        self.id = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "id")
        v = take("phone", None)
        self.phone = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "phone")
        v = take("birthdate", None)
        self.birthdate = UNSET if v is None else read(_read_birthdate, v, _left, d, "birthdate")
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


_read_birthdate = DAY
