# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, TEXT, WHOLE, as_object, odd, plain, read
from ..types import UNSET, Unset


@_attrs_define
class PayeeBatch:
    """
    Attributes:
        status (str | Unset):
        failure_count (int | Unset):
        pending_count (int | Unset):
        failures (list[PayeeFailure] | Unset):
    """

    status: str | Unset = UNSET
    failure_count: int | Unset = UNSET
    pending_count: int | Unset = UNSET
    failures: list[PayeeFailure] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.status, Unset):
            fields["status"] = self.status
        if not isinstance(self.failure_count, Unset):
            fields["failureCount"] = self.failure_count
        if not isinstance(self.pending_count, Unset):
            fields["pendingCount"] = self.pending_count
        if not isinstance(self.failures, Unset):
            fields["failures"] = plain(self.failures)
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("status", None)
        self.status = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "status")
        v = take("failureCount", None)
        self.failure_count = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "failureCount")
        )
        v = take("pendingCount", None)
        self.pending_count = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "pendingCount")
        )
        v = take("failures", None)
        self.failures = (
            [PayeeFailure.from_dict(i, _left - 1) for i in v]
            if v.__class__ is list and _left > 0
            else UNSET
            if v is None
            else odd(v, d, "failures")
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
from ..models.payee_failure import PayeeFailure  # noqa: E402
