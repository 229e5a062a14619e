# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import FLAG, LEVELS, TEXT, WHOLE, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class SourceAccount:
    """
    Attributes:
        id (str | Unset):
        name (str | Unset):
        payor_id (str | Unset):
        balance (int | Unset): In minor units of the currency.
        currency (str | Unset):
        country (str | Unset):
        type_ (str | Unset):
        rails_id (str | Unset):
        funding_ref (str | Unset):
        physical_account_id (str | Unset):
        physical_account_name (str | Unset):
        pooled (bool | Unset):
        deleted (bool | Unset):
        user_deleted (bool | Unset):
    """

    id: str | Unset = UNSET
    name: str | Unset = UNSET
    payor_id: str | Unset = UNSET
    balance: int | Unset = UNSET
    currency: str | Unset = UNSET
    country: str | Unset = UNSET
    type_: str | Unset = UNSET
    rails_id: str | Unset = UNSET
    funding_ref: str | Unset = UNSET
    physical_account_id: str | Unset = UNSET
    physical_account_name: str | Unset = UNSET
    pooled: bool | Unset = UNSET
    deleted: bool | Unset = UNSET
    user_deleted: bool | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.id, Unset):
            fields["id"] = self.id
        if not isinstance(self.name, Unset):
            fields["name"] = self.name
        if not isinstance(self.payor_id, Unset):
            fields["payorId"] = self.payor_id
        if not isinstance(self.balance, Unset):
            fields["balance"] = self.balance
        if not isinstance(self.currency, Unset):
            fields["currency"] = self.currency
        if not isinstance(self.country, Unset):
            fields["country"] = self.country
        if not isinstance(self.type_, Unset):
            fields["type"] = self.type_
        if not isinstance(self.rails_id, Unset):
            fields["railsId"] = self.rails_id
        if not isinstance(self.funding_ref, Unset):
            fields["fundingRef"] = self.funding_ref
        if not isinstance(self.physical_account_id, Unset):
            fields["physicalAccountId"] = self.physical_account_id
        if not isinstance(self.physical_account_name, Unset):
            fields["physicalAccountName"] = self.physical_account_name
        if not isinstance(self.pooled, Unset):
            fields["pooled"] = self.pooled
        if not isinstance(self.deleted, Unset):
            fields["deleted"] = self.deleted
        if not isinstance(self.user_deleted, Unset):
            fields["userDeleted"] = self.user_deleted
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("id", None)
        self.id = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "id")
        v = take("name", None)
        self.name = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "name")
        v = take("payorId", None)
        self.payor_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "payorId")
        )
        v = take("balance", None)
        self.balance = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "balance")
        )
        v = take("currency", None)
        self.currency = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "currency")
        )
        v = take("country", None)
        self.country = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "country")
        v = take("type", None)
        self.type_ = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "type")
        v = take("railsId", None)
        self.rails_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "railsId")
        )
        v = take("fundingRef", None)
        self.funding_ref = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "fundingRef")
        )
        v = take("physicalAccountId", None)
        self.physical_account_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "physicalAccountId")
        )
        v = take("physicalAccountName", None)
        self.physical_account_name = (
            v
            if v.__class__ is str
            else UNSET
            if v is None
            else read(TEXT, v, _left, d, "physicalAccountName")
        )
        v = take("pooled", None)
        self.pooled = v if v.__class__ is bool else UNSET if v is None else read(FLAG, v, _left, d, "pooled")
        v = take("deleted", None)
        self.deleted = (
            v if v.__class__ is bool else UNSET if v is None else read(FLAG, v, _left, d, "deleted")
        )
        v = take("userDeleted", None)
        self.user_deleted = (
            v if v.__class__ is bool else UNSET if v is None else read(FLAG, v, _left, d, "userDeleted")
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
