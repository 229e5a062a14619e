# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, TEXT, WHOLE, as_object, odd, plain, read
from ..types import UNSET, Unset


@_attrs_define
class ErrorResponse:
    """
    Attributes:
        errors (list[Error] | Unset):
        correlation_id (str | Unset): What to tell Velo's support.
        http_status_code (int | Unset):
    """

    errors: list[Error] | Unset = UNSET
    correlation_id: str | Unset = UNSET
    http_status_code: int | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.errors, Unset):
            fields["errors"] = plain(self.errors)
        if not isinstance(self.correlation_id, Unset):
            fields["correlationId"] = self.correlation_id
        if not isinstance(self.http_status_code, Unset):
            fields["httpStatusCode"] = self.http_status_code
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("errors", None)
        self.errors = (
            [Error.from_dict(i, _left - 1) for i in v]
            if v.__class__ is list and _left > 0
            else UNSET
            if v is None
            else odd(v, d, "errors")
        )
        v = take("correlationId", None)
        self.correlation_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "correlationId")
        )
        v = take("httpStatusCode", None)
        self.http_status_code = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "httpStatusCode")
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
from ..models.error import Error  # noqa: E402
