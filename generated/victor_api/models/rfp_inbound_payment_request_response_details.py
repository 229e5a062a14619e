# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, TEXT, Word, as_object, plain, read, words
from ..models.rfp_inbound_payment_request_response_details_status import (
    RfpInboundPaymentRequestResponseDetailsStatus,
)
from ..types import UNSET, Unset


@_attrs_define
class RfpInboundPaymentRequestResponseDetails:
    """Object containing the payment request response for an INBOUND payment request. This is an empty
    object if a response has not been submitted.

    Attributes:
        victor_payment_request_id (str | Unset): Unique ID to reference the payment request. Example:
            b34783af0.
        status (RfpInboundPaymentRequestResponseDetailsStatus | Unset): Enum Values: Accepted, Rejected
        original_amount (str | Unset): The original payment request amount. Example: 44.23.
        modified_amount (str | Unset): If the payment was accepted with a modified amount, the modified
            amount is shown here. Example: 34.23.
        notes (str | Unset): Notes about payment request response Example: Notes regarding accepted
            request..
    """

    victor_payment_request_id: str | Unset = UNSET
    status: RfpInboundPaymentRequestResponseDetailsStatus | Unset = UNSET
    original_amount: str | Unset = UNSET
    modified_amount: str | Unset = UNSET
    notes: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.victor_payment_request_id, Unset):
            fields["victor_payment_request_id"] = self.victor_payment_request_id
        if not isinstance(self.status, Unset):
            fields["status"] = plain(self.status)
        if not isinstance(self.original_amount, Unset):
            fields["original_amount"] = self.original_amount
        if not isinstance(self.modified_amount, Unset):
            fields["modified_amount"] = self.modified_amount
        if not isinstance(self.notes, Unset):
            fields["notes"] = self.notes
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("victor_payment_request_id", None)
        self.victor_payment_request_id = (
            v
            if v.__class__ is str
            else UNSET
            if v is None
            else read(TEXT, v, _left, d, "victor_payment_request_id")
        )
        v = take("status", None)
        self.status = (
            _words_status[v]
            if v.__class__ is str and v in _words_status
            else UNSET
            if v is None
            else read(Word(RfpInboundPaymentRequestResponseDetailsStatus), v, _left, d, "status")
        )
        v = take("original_amount", None)
        self.original_amount = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "original_amount")
        )
        v = take("modified_amount", None)
        self.modified_amount = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "modified_amount")
        )
        v = take("notes", None)
        self.notes = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "notes")
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


_words_status = words(RfpInboundPaymentRequestResponseDetailsStatus)
