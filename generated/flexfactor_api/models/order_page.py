# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import FLAG, LEVELS, WHOLE, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class OrderPage:
    """
    Attributes:
        first_item_on_page (int | Unset):
        last_item_on_page (int | Unset):
        has_next_page (bool | Unset):
        has_previous_page (bool | Unset):
        is_first_page (bool | Unset):
        is_last_page (bool | Unset):
        page_count (int | Unset):
        page_number (int | Unset):
        page_size (int | Unset):
    """

    first_item_on_page: int | Unset = UNSET
    last_item_on_page: int | Unset = UNSET
    has_next_page: bool | Unset = UNSET
    has_previous_page: bool | Unset = UNSET
    is_first_page: bool | Unset = UNSET
    is_last_page: bool | Unset = UNSET
    page_count: int | Unset = UNSET
    page_number: int | Unset = UNSET
    page_size: int | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.first_item_on_page, Unset):
            fields["firstItemOnPage"] = self.first_item_on_page
        if not isinstance(self.last_item_on_page, Unset):
            fields["lastItemOnPage"] = self.last_item_on_page
        if not isinstance(self.has_next_page, Unset):
            fields["hasNextPage"] = self.has_next_page
        if not isinstance(self.has_previous_page, Unset):
            fields["hasPreviousPage"] = self.has_previous_page
        if not isinstance(self.is_first_page, Unset):
            fields["isFirstPage"] = self.is_first_page
        if not isinstance(self.is_last_page, Unset):
            fields["isLastPage"] = self.is_last_page
        if not isinstance(self.page_count, Unset):
            fields["pageCount"] = self.page_count
        if not isinstance(self.page_number, Unset):
            fields["pageNumber"] = self.page_number
        if not isinstance(self.page_size, Unset):
            fields["pageSize"] = self.page_size
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("firstItemOnPage", None)
        self.first_item_on_page = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "firstItemOnPage")
        )
        v = take("lastItemOnPage", None)
        self.last_item_on_page = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "lastItemOnPage")
        )
        v = take("hasNextPage", None)
        self.has_next_page = (
            v if v.__class__ is bool else UNSET if v is None else read(FLAG, v, _left, d, "hasNextPage")
        )
        v = take("hasPreviousPage", None)
        self.has_previous_page = (
            v if v.__class__ is bool else UNSET if v is None else read(FLAG, v, _left, d, "hasPreviousPage")
        )
        v = take("isFirstPage", None)
        self.is_first_page = (
            v if v.__class__ is bool else UNSET if v is None else read(FLAG, v, _left, d, "isFirstPage")
        )
        v = take("isLastPage", None)
        self.is_last_page = (
            v if v.__class__ is bool else UNSET if v is None else read(FLAG, v, _left, d, "isLastPage")
        )
        v = take("pageCount", None)
        self.page_count = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "pageCount")
        )
        v = take("pageNumber", None)
        self.page_number = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "pageNumber")
        )
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
