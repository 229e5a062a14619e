# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import ABSENT, LEVELS, TEXT, Word, as_object, plain, read, words
from ..models.rfp_inbound_payment_request_response_request_details_status import (
    RfpInboundPaymentRequestResponseRequestDetailsStatus,
)
from ..types import UNSET, Unset


@_attrs_define
class RfpInboundPaymentRequestResponseRequestDetails:
    """
    Attributes:
        status (RfpInboundPaymentRequestResponseRequestDetailsStatus): Enum Values: Accepted, Declined
        notes (str): Notes about payment request response Example: Notes regarding accepted request..
        modified_amount (str | Unset): Define the accepted amount on approving the payment request. This
            property is optional, with the payment defaulting to the original amount of the Payment Request
            if not provided. A `modified_amount` different from the original `amount` is only allowed if the
            Payment Request was created with the `amount_modification_allowed` flag enabled. Example: 34.23.
    """

    status: RfpInboundPaymentRequestResponseRequestDetailsStatus
    notes: str
    modified_amount: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.status, Unset):
            fields["status"] = plain(self.status)
        if not isinstance(self.notes, Unset):
            fields["notes"] = self.notes
        if not isinstance(self.modified_amount, Unset):
            fields["modified_amount"] = self.modified_amount
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("status", None)
        self.status = (
            _words_status[v]
            if v.__class__ is str and v in _words_status
            else ABSENT
            if v is None
            else read(Word(RfpInboundPaymentRequestResponseRequestDetailsStatus), v, _left, d, "status")
        )
        v = take("notes", None)
        self.notes = v if v.__class__ is str else ABSENT if v is None else read(TEXT, v, _left, d, "notes")
        v = take("modified_amount", None)
        self.modified_amount = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "modified_amount")
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


_words_status = words(RfpInboundPaymentRequestResponseRequestDetailsStatus)
