# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import FLAG, LEVELS, TEXT, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class PayorRef:
    """What a payee is to one payor.

    Attributes:
        payor_id (str | Unset):
        remote_id (str | Unset):
        invitation_status (str | Unset):
        payable_status (bool | Unset):
        payment_channel_id (str | Unset):
    """

    payor_id: str | Unset = UNSET
    remote_id: str | Unset = UNSET
    invitation_status: str | Unset = UNSET
    payable_status: bool | Unset = UNSET
    payment_channel_id: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.payor_id, Unset):
            fields["payorId"] = self.payor_id
        if not isinstance(self.remote_id, Unset):
            fields["remoteId"] = self.remote_id
        if not isinstance(self.invitation_status, Unset):
            fields["invitationStatus"] = self.invitation_status
        if not isinstance(self.payable_status, Unset):
            fields["payableStatus"] = self.payable_status
        if not isinstance(self.payment_channel_id, Unset):
            fields["paymentChannelId"] = self.payment_channel_id
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("payorId", None)
        self.payor_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "payorId")
        )
        v = take("remoteId", None)
        self.remote_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "remoteId")
        )
        v = take("invitationStatus", None)
        self.invitation_status = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "invitationStatus")
        )
        v = take("payableStatus", None)
        self.payable_status = (
            v if v.__class__ is bool else UNSET if v is None else read(FLAG, v, _left, d, "payableStatus")
        )
        v = take("paymentChannelId", None)
        self.payment_channel_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "paymentChannelId")
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
