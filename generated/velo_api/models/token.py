# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, NUMBER, TEXT, Array, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class Token:
    """
    Attributes:
        access_token (str | Unset):
        token_type (str | Unset):
        expires_in (float | Unset): Seconds from now.
        scope (str | Unset):
        entity_ids (list[str] | Unset):
    """

    access_token: str | Unset = UNSET
    token_type: str | Unset = UNSET
    expires_in: float | Unset = UNSET
    scope: str | Unset = UNSET
    entity_ids: list[str] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.access_token, Unset):
            fields["access_token"] = self.access_token
        if not isinstance(self.token_type, Unset):
            fields["token_type"] = self.token_type
        if not isinstance(self.expires_in, Unset):
            fields["expires_in"] = self.expires_in
        if not isinstance(self.scope, Unset):
            fields["scope"] = self.scope
        if not isinstance(self.entity_ids, Unset):
            fields["entityIds"] = self.entity_ids
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("access_token", None)
        self.access_token = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "access_token")
        )
        v = take("token_type", None)
        self.token_type = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "token_type")
        )
        v = take("expires_in", None)
        self.expires_in = (
            v
            if v.__class__ is float or v.__class__ is int
            else UNSET
            if v is None
            else read(NUMBER, v, _left, d, "expires_in")
        )
        v = take("scope", None)
        self.scope = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "scope")
        v = take("entityIds", None)
        self.entity_ids = UNSET if v is None else read(_read_entity_ids, v, _left, d, "entityIds")
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


_read_entity_ids = Array(TEXT)
