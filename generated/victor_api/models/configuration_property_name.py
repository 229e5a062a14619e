# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import FLAG, LEVELS, WHOLE, Object, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class ConfigurationPropertyName:
    """
    Attributes:
        empty (bool | Unset):
        last_element_indexed (bool | Unset):
        number_of_elements (int | Unset):
        parent (ConfigurationPropertyName | Unset):
    """

    empty: bool | Unset = UNSET
    last_element_indexed: bool | Unset = UNSET
    number_of_elements: int | Unset = UNSET
    parent: ConfigurationPropertyName | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.empty, Unset):
            fields["empty"] = self.empty
        if not isinstance(self.last_element_indexed, Unset):
            fields["lastElementIndexed"] = self.last_element_indexed
        if not isinstance(self.number_of_elements, Unset):
            fields["numberOfElements"] = self.number_of_elements
        if not isinstance(self.parent, Unset):
            fields["parent"] = self.parent.to_dict()
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("empty", None)
        self.empty = v if v.__class__ is bool else UNSET if v is None else read(FLAG, v, _left, d, "empty")
        v = take("lastElementIndexed", None)
        self.last_element_indexed = (
            v
            if v.__class__ is bool
            else UNSET
            if v is None
            else read(FLAG, v, _left, d, "lastElementIndexed")
        )
        v = take("numberOfElements", None)
        self.number_of_elements = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "numberOfElements")
        )
        v = take("parent", None)
        self.parent = (
            ConfigurationPropertyName.from_dict(v, _left - 1)
            if v.__class__ is dict and _left > 0
            else UNSET
            if v is None
            else read(Object(ConfigurationPropertyName), v, _left, d, "parent")
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
