# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, Object, as_object, odd, plain, read
from ..types import UNSET, Unset


@_attrs_define
class PayoutPaymentPage:
    """
    Attributes:
        page (PageInfo | Unset):
        links (list[Link] | Unset):
        content (list[PayoutPayment] | Unset):
    """

    page: PageInfo | Unset = UNSET
    links: list[Link] | Unset = UNSET
    content: list[PayoutPayment] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.page, Unset):
            fields["page"] = self.page.to_dict()
        if not isinstance(self.links, Unset):
            fields["links"] = plain(self.links)
        if not isinstance(self.content, Unset):
            fields["content"] = plain(self.content)
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("page", None)
        self.page = (
            PageInfo.from_dict(v, _left - 1)
            if v.__class__ is dict and _left > 0
            else UNSET
            if v is None
            else read(Object(PageInfo), v, _left, d, "page")
        )
        v = take("links", None)
        self.links = (
            [Link.from_dict(i, _left - 1) for i in v]
            if v.__class__ is list and _left > 0
            else UNSET
            if v is None
            else odd(v, d, "links")
        )
        v = take("content", None)
        self.content = (
            [PayoutPayment.from_dict(i, _left - 1) for i in v]
            if v.__class__ is list and _left > 0
            else UNSET
            if v is None
            else odd(v, d, "content")
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
from ..models.link import Link  # noqa: E402
from ..models.page_info import PageInfo  # noqa: E402
from ..models.payout_payment import PayoutPayment  # noqa: E402
