# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, TEXT, WHOLE, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class OrderItem:
    """
    Attributes:
        sku (str | Unset):
        name (str | Unset):
        description (str | Unset):
        amount (int | Unset): Cents.
        discount_amount (int | Unset): Cents.
        tax (int | Unset): Cents.
        quantity (int | Unset):
    """

    sku: str | Unset = UNSET
    name: str | Unset = UNSET
    description: str | Unset = UNSET
    amount: int | Unset = UNSET
    discount_amount: int | Unset = UNSET
    tax: int | Unset = UNSET
    quantity: int | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.sku, Unset):
            fields["sku"] = self.sku
        if not isinstance(self.name, Unset):
            fields["name"] = self.name
        if not isinstance(self.description, Unset):
            fields["description"] = self.description
        if not isinstance(self.amount, Unset):
            fields["amount"] = self.amount
        if not isinstance(self.discount_amount, Unset):
            fields["discountAmount"] = self.discount_amount
        if not isinstance(self.tax, Unset):
            fields["tax"] = self.tax
        if not isinstance(self.quantity, Unset):
            fields["quantity"] = self.quantity
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("sku", None)
        self.sku = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "sku")
        v = take("name", None)
        self.name = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "name")
        v = take("description", None)
        self.description = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "description")
        )
        v = take("amount", None)
        self.amount = v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "amount")
        v = take("discountAmount", None)
        self.discount_amount = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "discountAmount")
        )
        v = take("tax", None)
        self.tax = v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "tax")
        v = take("quantity", None)
        self.quantity = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "quantity")
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
