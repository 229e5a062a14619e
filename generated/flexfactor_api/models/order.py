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
class Order:
    """
    Attributes:
        id (str | Unset):
        status (int | Unset):
        status_name (str | Unset):
        reference_number (str | Unset):
        correlation_id (str | Unset):
        order_placed_date (datetime.datetime | Unset):
        expiry_date (datetime.datetime | Unset):
        currency_code (str | Unset):
    """

    id: str | Unset = UNSET
    status: int | Unset = UNSET
    status_name: str | Unset = UNSET
    reference_number: str | Unset = UNSET
    correlation_id: str | Unset = UNSET
    order_placed_date: datetime.datetime | Unset = UNSET
    expiry_date: datetime.datetime | Unset = UNSET
    currency_code: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.id, Unset):
            fields["id"] = self.id
        if not isinstance(self.status, Unset):
            fields["status"] = self.status
        if not isinstance(self.status_name, Unset):
            fields["statusName"] = self.status_name
        if not isinstance(self.reference_number, Unset):
            fields["referenceNumber"] = self.reference_number
        if not isinstance(self.correlation_id, Unset):
            fields["correlationId"] = self.correlation_id
        if not isinstance(self.order_placed_date, Unset):
            fields["orderPlacedDate"] = plain(self.order_placed_date)
        if not isinstance(self.expiry_date, Unset):
            fields["expiryDate"] = plain(self.expiry_date)
        if not isinstance(self.currency_code, Unset):
            fields["currencyCode"] = self.currency_code
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("id", None)
        self.id = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "id")
        v = take("status", None)
        self.status = v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "status")
        v = take("statusName", None)
        self.status_name = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "statusName")
        )
        v = take("referenceNumber", None)
        self.reference_number = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "referenceNumber")
        )
        v = take("correlationId", None)
        self.correlation_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "correlationId")
        )
        v = take("orderPlacedDate", None)
        self.order_placed_date = (
            UNSET if v is None else read(_read_order_placed_date, v, _left, d, "orderPlacedDate")
        )
        v = take("expiryDate", None)
        self.expiry_date = UNSET if v is None else read(_read_expiry_date, v, _left, d, "expiryDate")
        v = take("currencyCode", None)
        self.currency_code = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "currencyCode")
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


_read_order_placed_date = INSTANT
_read_expiry_date = INSTANT
