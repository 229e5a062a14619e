# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import ANYTHING, FLAG, LEVELS, TEXT, WHOLE, Array, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class Token:
    """
    Attributes:
        access_token (str):
        expires (int): When the token ends, in milliseconds since 1970.
        refresh_token (str | Unset): No call is known that takes it.
        id (str | Unset):
        session (str | Unset):
        success (bool | Unset):
        result (str | Unset):
        status (str | Unset):
        status_code (str | Unset):
        errors (list[Any] | Unset):
    """

    access_token: str | Unset
    expires: int | Unset
    refresh_token: str | Unset = UNSET
    id: str | Unset = UNSET
    session: str | Unset = UNSET
    success: bool | Unset = UNSET
    result: str | Unset = UNSET
    status: str | Unset = UNSET
    status_code: str | Unset = UNSET
    errors: list[Any] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.access_token, Unset):
            fields["accessToken"] = self.access_token
        if not isinstance(self.expires, Unset):
            fields["expires"] = self.expires
        if not isinstance(self.refresh_token, Unset):
            fields["refreshToken"] = self.refresh_token
        if not isinstance(self.id, Unset):
            fields["id"] = self.id
        if not isinstance(self.session, Unset):
            fields["session"] = self.session
        if not isinstance(self.success, Unset):
            fields["success"] = self.success
        if not isinstance(self.result, Unset):
            fields["result"] = self.result
        if not isinstance(self.status, Unset):
            fields["status"] = self.status
        if not isinstance(self.status_code, Unset):
            fields["statusCode"] = self.status_code
        if not isinstance(self.errors, Unset):
            fields["errors"] = self.errors
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("accessToken", None)
        self.access_token = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "accessToken")
        )
        v = take("expires", None)
        self.expires = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "expires")
        )
        v = take("refreshToken", None)
        self.refresh_token = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "refreshToken")
        )
        v = take("id", None)
        self.id = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "id")
        v = take("session", None)
        self.session = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "session")
        v = take("success", None)
        self.success = (
            v if v.__class__ is bool else UNSET if v is None else read(FLAG, v, _left, d, "success")
        )
        v = take("result", None)
        self.result = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "result")
        v = take("status", None)
        self.status = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "status")
        v = take("statusCode", None)
        self.status_code = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "statusCode")
        )
        v = take("errors", None)
        self.errors = UNSET if v is None else read(_read_errors, v, _left, d, "errors")
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


_read_errors = Array(ANYTHING)
