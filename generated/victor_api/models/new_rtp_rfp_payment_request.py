# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import ABSENT, LEVELS, TEXT, Object, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class NewRtpRfpPaymentRequest:
    """Details of a new request for payment (RfP).

    Attributes:
        payee (RfpPayeeRequestDetails):
        payer (RfpPayerDetails):
        payment_details (RfpBasePaymentDetails):
        client_reference_id (str | Unset):  Example: a1b2c3d4567890.
    """

    payee: RfpPayeeRequestDetails
    payer: RfpPayerDetails
    payment_details: RfpBasePaymentDetails
    client_reference_id: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.payee, Unset):
            fields["payee"] = self.payee.to_dict()
        if not isinstance(self.payer, Unset):
            fields["payer"] = self.payer.to_dict()
        if not isinstance(self.payment_details, Unset):
            fields["payment_details"] = self.payment_details.to_dict()
        if not isinstance(self.client_reference_id, Unset):
            fields["client_reference_id"] = self.client_reference_id
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("payee", None)
        self.payee = (
            RfpPayeeRequestDetails.from_dict(v, _left - 1)
            if v.__class__ is dict and _left > 0
            else ABSENT
            if v is None
            else read(Object(RfpPayeeRequestDetails), v, _left, d, "payee")
        )
        v = take("payer", None)
        self.payer = (
            RfpPayerDetails.from_dict(v, _left - 1)
            if v.__class__ is dict and _left > 0
            else ABSENT
            if v is None
            else read(Object(RfpPayerDetails), v, _left, d, "payer")
        )
        v = take("payment_details", None)
        self.payment_details = (
            RfpBasePaymentDetails.from_dict(v, _left - 1)
            if v.__class__ is dict and _left > 0
            else ABSENT
            if v is None
            else read(Object(RfpBasePaymentDetails), v, _left, d, "payment_details")
        )
        v = take("client_reference_id", None)
        self.client_reference_id = (
            v
            if v.__class__ is str
            else UNSET
            if v is None
            else read(TEXT, v, _left, d, "client_reference_id")
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
from ..models.rfp_base_payment_details import RfpBasePaymentDetails  # noqa: E402
from ..models.rfp_payee_request_details import RfpPayeeRequestDetails  # noqa: E402
from ..models.rfp_payer_details import RfpPayerDetails  # noqa: E402
