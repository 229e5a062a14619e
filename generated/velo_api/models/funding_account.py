# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import FLAG, LEVELS, TEXT, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class FundingAccount:
    """
    Attributes:
        id (str | Unset):
        payor_id (str | Unset):
        name (str | Unset):
        account_name (str | Unset):
        account_number (str | Unset):
        routing_number (str | Unset):
        currency (str | Unset):
        country (str | Unset):
        type_ (str | Unset):
        archived (bool | Unset):
    """

    id: str | Unset = UNSET
    payor_id: str | Unset = UNSET
    name: str | Unset = UNSET
    account_name: str | Unset = UNSET
    account_number: str | Unset = UNSET
    routing_number: str | Unset = UNSET
    currency: str | Unset = UNSET
    country: str | Unset = UNSET
    type_: str | Unset = UNSET
    archived: bool | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.id, Unset):
            fields["id"] = self.id
        if not isinstance(self.payor_id, Unset):
            fields["payorId"] = self.payor_id
        if not isinstance(self.name, Unset):
            fields["name"] = self.name
        if not isinstance(self.account_name, Unset):
            fields["accountName"] = self.account_name
        if not isinstance(self.account_number, Unset):
            fields["accountNumber"] = self.account_number
        if not isinstance(self.routing_number, Unset):
            fields["routingNumber"] = self.routing_number
        if not isinstance(self.currency, Unset):
            fields["currency"] = self.currency
        if not isinstance(self.country, Unset):
            fields["country"] = self.country
        if not isinstance(self.type_, Unset):
            fields["type"] = self.type_
        if not isinstance(self.archived, Unset):
            fields["archived"] = self.archived
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("id", None)
        self.id = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "id")
        v = take("payorId", None)
        self.payor_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "payorId")
        )
        v = take("name", None)
        self.name = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "name")
        v = take("accountName", None)
        self.account_name = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "accountName")
        )
        v = take("accountNumber", None)
        self.account_number = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "accountNumber")
        )
        v = take("routingNumber", None)
        self.routing_number = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "routingNumber")
        )
        v = take("currency", None)
        self.currency = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "currency")
        )
        v = take("country", None)
        self.country = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "country")
        v = take("type", None)
        self.type_ = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "type")
        v = take("archived", None)
        self.archived = (
            v if v.__class__ is bool else UNSET if v is None else read(FLAG, v, _left, d, "archived")
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
