# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, TEXT, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class PersonName:
    """
    Attributes:
        title (str | Unset):
        first_name (str | Unset):
        other_names (str | Unset):
        last_name (str | Unset):
    """

    title: str | Unset = UNSET
    first_name: str | Unset = UNSET
    other_names: str | Unset = UNSET
    last_name: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.title, Unset):
            fields["title"] = self.title
        if not isinstance(self.first_name, Unset):
            fields["firstName"] = self.first_name
        if not isinstance(self.other_names, Unset):
            fields["otherNames"] = self.other_names
        if not isinstance(self.last_name, Unset):
            fields["lastName"] = self.last_name
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("title", None)
        self.title = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "title")
        v = take("firstName", None)
        self.first_name = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "firstName")
        )
        v = take("otherNames", None)
        self.other_names = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "otherNames")
        )
        v = take("lastName", None)
        self.last_name = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "lastName")
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
