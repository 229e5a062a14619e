# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, WHOLE, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class PageInfo:
    """
    Attributes:
        number_of_elements (int | Unset):
        total_elements (int | Unset):
        total_pages (int | Unset):
        page (int | Unset): Counted from 1.
        page_size (int | Unset):
    """

    number_of_elements: int | Unset = UNSET
    total_elements: int | Unset = UNSET
    total_pages: int | Unset = UNSET
    page: int | Unset = UNSET
    page_size: int | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.number_of_elements, Unset):
            fields["numberOfElements"] = self.number_of_elements
        if not isinstance(self.total_elements, Unset):
            fields["totalElements"] = self.total_elements
        if not isinstance(self.total_pages, Unset):
            fields["totalPages"] = self.total_pages
        if not isinstance(self.page, Unset):
            fields["page"] = self.page
        if not isinstance(self.page_size, Unset):
            fields["pageSize"] = self.page_size
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("numberOfElements", None)
        self.number_of_elements = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "numberOfElements")
        )
        v = take("totalElements", None)
        self.total_elements = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "totalElements")
        )
        v = take("totalPages", None)
        self.total_pages = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "totalPages")
        )
        v = take("page", None)
        self.page = v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "page")
        v = take("pageSize", None)
        self.page_size = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "pageSize")
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
