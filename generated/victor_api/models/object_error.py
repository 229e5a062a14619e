# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, TEXT, Array, as_object, odd, plain, read
from ..types import UNSET, Unset


@_attrs_define
class ObjectError:
    """
    Attributes:
        arguments (list[ObjectErrorArgumentsItem] | Unset):
        code (str | Unset):
        codes (list[str] | Unset):
        default_message (str | Unset):
        object_name (str | Unset):
    """

    arguments: list[ObjectErrorArgumentsItem] | Unset = UNSET
    code: str | Unset = UNSET
    codes: list[str] | Unset = UNSET
    default_message: str | Unset = UNSET
    object_name: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.arguments, Unset):
            fields["arguments"] = plain(self.arguments)
        if not isinstance(self.code, Unset):
            fields["code"] = self.code
        if not isinstance(self.codes, Unset):
            fields["codes"] = self.codes
        if not isinstance(self.default_message, Unset):
            fields["defaultMessage"] = self.default_message
        if not isinstance(self.object_name, Unset):
            fields["objectName"] = self.object_name
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("arguments", None)
        self.arguments = (
            [ObjectErrorArgumentsItem.from_dict(i, _left - 1) for i in v]
            if v.__class__ is list and _left > 0
            else UNSET
            if v is None
            else odd(v, d, "arguments")
        )
        v = take("code", None)
        self.code = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "code")
        v = take("codes", None)
        self.codes = UNSET if v is None else read(_read_codes, v, _left, d, "codes")
        v = take("defaultMessage", None)
        self.default_message = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "defaultMessage")
        )
        v = take("objectName", None)
        self.object_name = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "objectName")
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
from ..models.object_error_arguments_item import ObjectErrorArgumentsItem  # noqa: E402

_read_codes = Array(TEXT)
