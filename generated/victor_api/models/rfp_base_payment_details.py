# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import ABSENT, FLAG, LEVELS, TEXT, Word, as_object, plain, read, words
from ..models.rfp_base_payment_details_biller_type import RfpBasePaymentDetailsBillerType
from ..types import UNSET, Unset


@_attrs_define
class RfpBasePaymentDetails:
    """
    Attributes:
        amount (str): The payment amount. Example: 44.23.
        biller_type (RfpBasePaymentDetailsBillerType): Specifies the biller type, must be BUSINESS or
            CONSUMER. Example: BUSINESS.
        due_date (str): Date the payment is due. The system default is 24 hours from transaction
            submission and values set to further out than that will be rejected by the API. If the payment
            is not confirmed by the debtor within this timeframe, the RfP request will be canceled by the
            network. Example: 2021-10-25.
        amount_modification_allowed (bool | Unset): Whether this request for payment supports a change
            in payment amount by the payer on approval (The server's default: false) Example: True.
        notes (str | Unset): Notes associated with the payment. Example: Notes regarding sample
            payment..
    """

    amount: str
    biller_type: RfpBasePaymentDetailsBillerType
    due_date: str
    amount_modification_allowed: bool | Unset = UNSET
    notes: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.amount, Unset):
            fields["amount"] = self.amount
        if not isinstance(self.biller_type, Unset):
            fields["biller_type"] = plain(self.biller_type)
        if not isinstance(self.due_date, Unset):
            fields["due_date"] = self.due_date
        if not isinstance(self.amount_modification_allowed, Unset):
            fields["amount_modification_allowed"] = self.amount_modification_allowed
        if not isinstance(self.notes, Unset):
            fields["notes"] = self.notes
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("amount", None)
        self.amount = v if v.__class__ is str else ABSENT if v is None else read(TEXT, v, _left, d, "amount")
        v = take("biller_type", None)
        self.biller_type = (
            _words_biller_type[v]
            if v.__class__ is str and v in _words_biller_type
            else ABSENT
            if v is None
            else read(Word(RfpBasePaymentDetailsBillerType), v, _left, d, "biller_type")
        )
        v = take("due_date", None)
        self.due_date = (
            v if v.__class__ is str else ABSENT if v is None else read(TEXT, v, _left, d, "due_date")
        )
        v = take("amount_modification_allowed", None)
        self.amount_modification_allowed = (
            v
            if v.__class__ is bool
            else UNSET
            if v is None
            else read(FLAG, v, _left, d, "amount_modification_allowed")
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


_words_biller_type = words(RfpBasePaymentDetailsBillerType)
