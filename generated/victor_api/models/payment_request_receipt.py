# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, TEXT, Object, Word, as_object, plain, read, words
from ..models.payment_request_receipt_direction import PaymentRequestReceiptDirection
from ..models.payment_request_receipt_payment_network import PaymentRequestReceiptPaymentNetwork
from ..models.payment_request_receipt_status import PaymentRequestReceiptStatus
from ..types import UNSET, Unset


@_attrs_define
class PaymentRequestReceipt:
    """Details of a request for payment (RfP).

    Attributes:
        victor_payment_request_id (str | Unset): Unique ID to reference the payment request. Example:
            a7ffd43c37c1.
        client_reference_id (str | Unset):  Example: a1b2c3d4567890.
        error_message (str | Unset): Message describing the error/failure reason. Example: Routing
            Number 800000219 is available on the RTP network but is not configured to support receiving a
            Payment Request at this time. It is not currently signed into the FedNow network..
        direction (PaymentRequestReceiptDirection | Unset): Indicates if the request was originated by
            the caller (outbound) or an incoming RfP request (inbound) Example: OUTBOUND.
        status (PaymentRequestReceiptStatus | Unset): The status of the RFP. The "Create RFP" endpoint
            will always return an RFP in the "created" status. Example: created.
        payment_network (PaymentRequestReceiptPaymentNetwork | Unset): The instant payments network the
            payment request was sent through
        victor_payment_request_parent_id (str | Unset): The Victor Id of the parent (outbound) payment
            request of the given payment request Example: 1DZOLW34GI.
        victor_payment_request_child_id (str | Unset): The Victor Id of the child (inbound) payment
            request of the given payment request Example: QNNEVS9JL4.
        payment_request (PaymentRequestReceiptInfo | Unset):
    """

    victor_payment_request_id: str | Unset = UNSET
    client_reference_id: str | Unset = UNSET
    error_message: str | Unset = UNSET
    direction: PaymentRequestReceiptDirection | Unset = UNSET
    status: PaymentRequestReceiptStatus | Unset = UNSET
    payment_network: PaymentRequestReceiptPaymentNetwork | Unset = UNSET
    victor_payment_request_parent_id: str | Unset = UNSET
    victor_payment_request_child_id: str | Unset = UNSET
    payment_request: PaymentRequestReceiptInfo | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.victor_payment_request_id, Unset):
            fields["victor_payment_request_id"] = self.victor_payment_request_id
        if not isinstance(self.client_reference_id, Unset):
            fields["client_reference_id"] = self.client_reference_id
        if not isinstance(self.error_message, Unset):
            fields["error_message"] = self.error_message
        if not isinstance(self.direction, Unset):
            fields["direction"] = plain(self.direction)
        if not isinstance(self.status, Unset):
            fields["status"] = plain(self.status)
        if not isinstance(self.payment_network, Unset):
            fields["payment_network"] = plain(self.payment_network)
        if not isinstance(self.victor_payment_request_parent_id, Unset):
            fields["victor_payment_request_parent_id"] = self.victor_payment_request_parent_id
        if not isinstance(self.victor_payment_request_child_id, Unset):
            fields["victor_payment_request_child_id"] = self.victor_payment_request_child_id
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
        v = take("error_message", None)
        self.error_message = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "error_message")
        )
        v = take("direction", None)
        self.direction = (
            _words_direction[v]
            if v.__class__ is str and v in _words_direction
            else UNSET
            if v is None
            else read(Word(PaymentRequestReceiptDirection), v, _left, d, "direction")
        )
        v = take("status", None)
        self.status = (
            _words_status[v]
            if v.__class__ is str and v in _words_status
            else UNSET
            if v is None
            else read(Word(PaymentRequestReceiptStatus), v, _left, d, "status")
        )
        v = take("payment_network", None)
        self.payment_network = (
            _words_payment_network[v]
            if v.__class__ is str and v in _words_payment_network
            else UNSET
            if v is None
            else read(Word(PaymentRequestReceiptPaymentNetwork), v, _left, d, "payment_network")
        )
        v = take("victor_payment_request_parent_id", None)
        self.victor_payment_request_parent_id = (
            v
            if v.__class__ is str
            else UNSET
            if v is None
            else read(TEXT, v, _left, d, "victor_payment_request_parent_id")
        )
        v = take("victor_payment_request_child_id", None)
        self.victor_payment_request_child_id = (
            v
            if v.__class__ is str
            else UNSET
            if v is None
            else read(TEXT, v, _left, d, "victor_payment_request_child_id")
        )
        v = take("payment_request", None)
        self.payment_request = (
            PaymentRequestReceiptInfo.from_dict(v, _left - 1)
            if v.__class__ is dict and _left > 0
            else UNSET
            if v is None
            else read(Object(PaymentRequestReceiptInfo), v, _left, d, "payment_request")
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
from ..models.payment_request_receipt_info import PaymentRequestReceiptInfo  # noqa: E402

_words_direction = words(PaymentRequestReceiptDirection)
_words_status = words(PaymentRequestReceiptStatus)
_words_payment_network = words(PaymentRequestReceiptPaymentNetwork)
