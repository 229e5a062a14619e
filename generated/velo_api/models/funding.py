# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import INSTANT, LEVELS, TEXT, WHOLE, as_object, plain, read
from ..types import UNSET, Unset


@_attrs_define
class Funding:
    """
    Attributes:
        funding_id (str | Unset):
        payor_id (str | Unset):
        source_account_id (str | Unset):
        amount (int | Unset):
        currency (str | Unset):
        status (str | Unset):
        allocation_date (datetime.datetime | Unset):
        allocation_type (str | Unset):
        funding_account_type (str | Unset):
        detected_funding_ref (str | Unset):
        reason (str | Unset):
    """

    funding_id: str | Unset = UNSET
    payor_id: str | Unset = UNSET
    source_account_id: str | Unset = UNSET
    amount: int | Unset = UNSET
    currency: str | Unset = UNSET
    status: str | Unset = UNSET
    allocation_date: datetime.datetime | Unset = UNSET
    allocation_type: str | Unset = UNSET
    funding_account_type: str | Unset = UNSET
    detected_funding_ref: str | Unset = UNSET
    reason: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.funding_id, Unset):
            fields["fundingId"] = self.funding_id
        if not isinstance(self.payor_id, Unset):
            fields["payorId"] = self.payor_id
        if not isinstance(self.source_account_id, Unset):
            fields["sourceAccountId"] = self.source_account_id
        if not isinstance(self.amount, Unset):
            fields["amount"] = self.amount
        if not isinstance(self.currency, Unset):
            fields["currency"] = self.currency
        if not isinstance(self.status, Unset):
            fields["status"] = self.status
        if not isinstance(self.allocation_date, Unset):
            fields["allocationDate"] = plain(self.allocation_date)
        if not isinstance(self.allocation_type, Unset):
            fields["allocationType"] = self.allocation_type
        if not isinstance(self.funding_account_type, Unset):
            fields["fundingAccountType"] = self.funding_account_type
        if not isinstance(self.detected_funding_ref, Unset):
            fields["detectedFundingRef"] = self.detected_funding_ref
        if not isinstance(self.reason, Unset):
            fields["reason"] = self.reason
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("fundingId", None)
        self.funding_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "fundingId")
        )
        v = take("payorId", None)
        self.payor_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "payorId")
        )
        v = take("sourceAccountId", None)
        self.source_account_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "sourceAccountId")
        )
        v = take("amount", None)
        self.amount = v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "amount")
        v = take("currency", None)
        self.currency = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "currency")
        )
        v = take("status", None)
        self.status = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "status")
        v = take("allocationDate", None)
        self.allocation_date = (
            UNSET if v is None else read(_read_allocation_date, v, _left, d, "allocationDate")
        )
        v = take("allocationType", None)
        self.allocation_type = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "allocationType")
        )
        v = take("fundingAccountType", None)
        self.funding_account_type = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "fundingAccountType")
        )
        v = take("detectedFundingRef", None)
        self.detected_funding_ref = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "detectedFundingRef")
        )
        v = take("reason", None)
        self.reason = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "reason")
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


_read_allocation_date = INSTANT
