# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, TEXT, Object, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class GetPaymentRequestResponse:
    """Response details of payment request.

    Attributes:
        victor_payment_request_id (str | Unset): Unique ID to reference the payment request. Example:
            b34783af0.
        client_reference_id (str | Unset):  Example: a1b2c3d4567890.
        direction (str | Unset): Indicates if the request was originated by the caller (OUTBOUND) or an
            incoming RfP request (INBOUND) Example: INBOUND.
        error_message (str | Unset): Message describing the error/failure reason. Example: Routing
            Number 800000219 is available on the RTP network but is not configured to support receiving a
            Payment Request at this time. It is not currently signed into the FedNow network..
        status (str | Unset): Either “Pending” or “Error”. Pending confirms the successful submission to
            the RTP network. Example: Pending.
        payment_request (RfpInboundPaymentRequestDetails | Unset):
    """

    victor_payment_request_id: str | Unset = UNSET
    client_reference_id: str | Unset = UNSET
    direction: str | Unset = UNSET
    error_message: str | Unset = UNSET
    status: str | Unset = UNSET
    payment_request: RfpInboundPaymentRequestDetails | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.victor_payment_request_id, Unset):
            fields["victor_payment_request_id"] = self.victor_payment_request_id
        if not isinstance(self.client_reference_id, Unset):
            fields["client_reference_id"] = self.client_reference_id
        if not isinstance(self.direction, Unset):
            fields["direction"] = self.direction
        if not isinstance(self.error_message, Unset):
            fields["error_message"] = self.error_message
        if not isinstance(self.status, Unset):
            fields["status"] = self.status
        if not isinstance(self.payment_request, Unset):
            fields["payment_request"] = self.payment_request.to_dict()
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
        v = take("client_reference_id", None)
        self.client_reference_id = (
            v
            if v.__class__ is str
            else UNSET
            if v is None
            else read(TEXT, v, _left, d, "client_reference_id")
        )
        v = take("direction", None)
        self.direction = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "direction")
        )
        v = take("error_message", None)
        self.error_message = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "error_message")
        )
        v = take("status", None)
        self.status = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "status")
        v = take("payment_request", None)
        self.payment_request = (
            RfpInboundPaymentRequestDetails.from_dict(v, _left - 1)
            if v.__class__ is dict and _left > 0
            else UNSET
            if v is None
            else read(Object(RfpInboundPaymentRequestDetails), v, _left, d, "payment_request")
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
from ..models.rfp_inbound_payment_request_details import RfpInboundPaymentRequestDetails  # noqa: E402
