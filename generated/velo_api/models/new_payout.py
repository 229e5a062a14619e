# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import ABSENT, LEVELS, TEXT, as_object, odd, plain, read
from ..types import UNSET, Unset


@_attrs_define
class NewPayout:
    """
    Attributes:
        payments (list[NewPayment]):
        payout_from_payor_id (str | Unset):
        payout_to_payor_id (str | Unset):
        payout_memo (str | Unset):
    """

    payments: list[NewPayment]
    payout_from_payor_id: str | Unset = UNSET
    payout_to_payor_id: str | Unset = UNSET
    payout_memo: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.payments, Unset):
            fields["payments"] = plain(self.payments)
        if not isinstance(self.payout_from_payor_id, Unset):
            fields["payoutFromPayorId"] = self.payout_from_payor_id
        if not isinstance(self.payout_to_payor_id, Unset):
            fields["payoutToPayorId"] = self.payout_to_payor_id
        if not isinstance(self.payout_memo, Unset):
            fields["payoutMemo"] = self.payout_memo
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("payments", None)
        self.payments = (
            [NewPayment.from_dict(i, _left - 1) for i in v]
            if v.__class__ is list and _left > 0
            else ABSENT
            if v is None
            else odd(v, d, "payments")
        )
        v = take("payoutFromPayorId", None)
        self.payout_from_payor_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "payoutFromPayorId")
        )
        v = take("payoutToPayorId", None)
        self.payout_to_payor_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "payoutToPayorId")
        )
        v = take("payoutMemo", None)
        self.payout_memo = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "payoutMemo")
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


# Below the class, because models may refer to each other in a circle.
from ..models.new_payment import NewPayment  # noqa: E402
