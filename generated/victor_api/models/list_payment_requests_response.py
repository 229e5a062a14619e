# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, WHOLE, as_object, odd, plain, read
from ..types import UNSET, Unset


@_attrs_define
class ListPaymentRequestsResponse:
    """Response details of list payment requests request.

    Attributes:
        page (int | Unset): (The server's default: 0)
        page_size (int | Unset): This property is due to be removed (The server's default: 25)
        results (list[PaymentRequestReceipt] | Unset):
    """

    page: int | Unset = UNSET
    page_size: int | Unset = UNSET
    results: list[PaymentRequestReceipt] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.page, Unset):
            fields["page"] = self.page
        if not isinstance(self.page_size, Unset):
            fields["page_size"] = self.page_size
        if not isinstance(self.results, Unset):
            fields["results"] = plain(self.results)
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("page", None)
        self.page = v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "page")
        v = take("page_size", None)
        self.page_size = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "page_size")
        )
        v = take("results", None)
        self.results = (
            [PaymentRequestReceipt.from_dict(i, _left - 1) for i in v]
            if v.__class__ is list and _left > 0
            else UNSET
            if v is None
            else odd(v, d, "results")
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
from ..models.payment_request_receipt import PaymentRequestReceipt  # noqa: E402
