# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, TEXT, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class PayeeChange:
    """
    Attributes:
        payee_id (str | Unset):
        remote_id (str | Unset):
        display_name (str | Unset):
        dba_name (str | Unset):
        email (None | str | Unset):
        payee_country (str | Unset):
        onboarded_status (str | Unset):
    """

    payee_id: str | Unset = UNSET
    remote_id: str | Unset = UNSET
    display_name: str | Unset = UNSET
    dba_name: str | Unset = UNSET
    email: None | str | Unset = UNSET
    payee_country: str | Unset = UNSET
    onboarded_status: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.payee_id, Unset):
            fields["payeeId"] = self.payee_id
        if not isinstance(self.remote_id, Unset):
            fields["remoteId"] = self.remote_id
        if not isinstance(self.display_name, Unset):
            fields["displayName"] = self.display_name
        if not isinstance(self.dba_name, Unset):
            fields["dbaName"] = self.dba_name
        if not isinstance(self.email, Unset):
            fields["email"] = self.email
        if not isinstance(self.payee_country, Unset):
            fields["payeeCountry"] = self.payee_country
        if not isinstance(self.onboarded_status, Unset):
            fields["onboardedStatus"] = self.onboarded_status
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("payeeId", None)
        self.payee_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "payeeId")
        )
        v = take("remoteId", None)
        self.remote_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "remoteId")
        )
        v = take("displayName", None)
        self.display_name = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "displayName")
        )
        v = take("dbaName", None)
        self.dba_name = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "dbaName")
        )
        v = take("email", None)
        self.email = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "email")
        v = take("payeeCountry", None)
        self.payee_country = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "payeeCountry")
        )
        v = take("onboardedStatus", None)
        self.onboarded_status = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "onboardedStatus")
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
