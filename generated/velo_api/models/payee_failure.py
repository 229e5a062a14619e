# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, TEXT, Object, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class PayeeFailure:
    """
    Attributes:
        failed_submission (PayeeFailureFailedSubmission | Unset):
        failure_message (str | Unset):
    """

    failed_submission: PayeeFailureFailedSubmission | Unset = UNSET
    failure_message: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.failed_submission, Unset):
            fields["failedSubmission"] = self.failed_submission.to_dict()
        if not isinstance(self.failure_message, Unset):
            fields["failureMessage"] = self.failure_message
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("failedSubmission", None)
        self.failed_submission = (
            PayeeFailureFailedSubmission.from_dict(v, _left - 1)
            if v.__class__ is dict and _left > 0
            else UNSET
            if v is None
            else read(Object(PayeeFailureFailedSubmission), v, _left, d, "failedSubmission")
        )
        v = take("failureMessage", None)
        self.failure_message = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "failureMessage")
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
from ..models.payee_failure_failed_submission import PayeeFailureFailedSubmission  # noqa: E402
