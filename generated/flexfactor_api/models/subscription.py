# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, TEXT, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class Subscription:
    """It may have a price and a currency too. The unit of the price is not known, so neither is described.

    Attributes:
        subscription_id (str | Unset):
        interval (str | Unset):
    """

    subscription_id: str | Unset = UNSET
    interval: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.subscription_id, Unset):
            fields["subscriptionId"] = self.subscription_id
        if not isinstance(self.interval, Unset):
            fields["interval"] = self.interval
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("subscriptionId", None)
        self.subscription_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "subscriptionId")
        )
        v = take("interval", None)
        self.interval = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "interval")
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
