# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import ABSENT, LEVELS, NUMBER, TEXT, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class RefundRequest:
    """
    Attributes:
        amount_to_refund (float): Dollars, not cents.
        refund_message (str | Unset):
    """

    amount_to_refund: float
    refund_message: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.amount_to_refund, Unset):
            fields["amountToRefund"] = self.amount_to_refund
        if not isinstance(self.refund_message, Unset):
            fields["refundMessage"] = self.refund_message
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("amountToRefund", None)
        self.amount_to_refund = (
            v
            if v.__class__ is float or v.__class__ is int
            else ABSENT
            if v is None
            else read(NUMBER, v, _left, d, "amountToRefund")
        )
        v = take("refundMessage", None)
        self.refund_message = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "refundMessage")
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
