# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, WHOLE, Object, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class ApiErrorResponse:
    """A response to a failed request

    Attributes:
        status (int | Unset):  Example: 0.
        data (ApiErrorResponseData | Unset):
        error (ApiError | Unset): The error information for a failed request
    """

    status: int | Unset = UNSET
    data: ApiErrorResponseData | Unset = UNSET
    error: ApiError | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.status, Unset):
            fields["status"] = self.status
        if not isinstance(self.data, Unset):
            fields["data"] = self.data.to_dict()
        if not isinstance(self.error, Unset):
            fields["error"] = self.error.to_dict()
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("status", None)
        self.status = v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "status")
        v = take("data", None)
        self.data = (
            ApiErrorResponseData.from_dict(v, _left - 1)
            if v.__class__ is dict and _left > 0
            else UNSET
            if v is None
            else read(Object(ApiErrorResponseData), v, _left, d, "data")
        )
        v = take("error", None)
        self.error = (
            ApiError.from_dict(v, _left - 1)
            if v.__class__ is dict and _left > 0
            else UNSET
            if v is None
            else read(Object(ApiError), v, _left, d, "error")
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
from ..models.api_error import ApiError  # noqa: E402
from ..models.api_error_response_data import ApiErrorResponseData  # noqa: E402
