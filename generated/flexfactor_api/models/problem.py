# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, TEXT, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class Problem:
    """Several shapes are known: `errors` as an object of field to messages, as an array of texts, or as an
    array
    of `{item1, item2, item3, item4}`; and no `errors` at all, the fields being members of the body
    itself.

    Attributes:
        status (Any | Unset):
        title (str | Unset):
        trace_id (str | Unset):
        errors (Any | Unset):
    """

    status: Any | Unset = UNSET
    title: str | Unset = UNSET
    trace_id: str | Unset = UNSET
    errors: Any | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.status, Unset):
            fields["status"] = self.status
        if not isinstance(self.title, Unset):
            fields["title"] = self.title
        if not isinstance(self.trace_id, Unset):
            fields["traceId"] = self.trace_id
        if not isinstance(self.errors, Unset):
            fields["errors"] = self.errors
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("status", None)
        self.status = UNSET if v is None else v
        v = take("title", None)
        self.title = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "title")
        v = take("traceId", None)
        self.trace_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "traceId")
        )
        v = take("errors", None)
        self.errors = UNSET if v is None else v
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
