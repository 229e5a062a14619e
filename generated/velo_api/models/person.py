# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, TEXT, Object, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class Person:
    """
    Attributes:
        name (PersonName | Unset):
        national_identification (str | Unset):
        date_of_birth (str | Unset):
    """

    name: PersonName | Unset = UNSET
    national_identification: str | Unset = UNSET
    date_of_birth: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.name, Unset):
            fields["name"] = self.name.to_dict()
        if not isinstance(self.national_identification, Unset):
            fields["nationalIdentification"] = self.national_identification
        if not isinstance(self.date_of_birth, Unset):
            fields["dateOfBirth"] = self.date_of_birth
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("name", None)
        self.name = (
            PersonName.from_dict(v, _left - 1)
            if v.__class__ is dict and _left > 0
            else UNSET
            if v is None
            else read(Object(PersonName), v, _left, d, "name")
        )
        v = take("nationalIdentification", None)
        self.national_identification = (
            v
            if v.__class__ is str
            else UNSET
            if v is None
            else read(TEXT, v, _left, d, "nationalIdentification")
        )
        v = take("dateOfBirth", None)
        self.date_of_birth = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "dateOfBirth")
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
from ..models.person_name import PersonName  # noqa: E402
