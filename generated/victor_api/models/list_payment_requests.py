# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import LEVELS, TEXT, WHOLE, Word, as_object, plain, read, words
from ..models.list_payment_requests_direction import ListPaymentRequestsDirection
from ..models.list_payment_requests_network_type import ListPaymentRequestsNetworkType
from ..models.list_payment_requests_status import ListPaymentRequestsStatus
from ..types import UNSET, Unset


@_attrs_define
class ListPaymentRequests:
    """
    Attributes:
        page (int | Unset): Uses 0 based indexing. (The server's default: 0)
        page_size (int | Unset): (The server's default: 50)
        victor_id (str | Unset): The Victor Id of the Payment Request Example: LVDOAEFJKH.
        start_datetime (str | Unset): ISO 8601 date and time format requiring Zulu timezone. Example:
            YYYY-MM-DDThh:mm:ss.sTZD.
        end_datetime (str | Unset): ISO 8601 date and time format requiring Zulu timezone. Example:
            YYYY-MM-DDThh:mm:ss.sTZD.
        status (ListPaymentRequestsStatus | Unset): The status of the payment request.
        direction (ListPaymentRequestsDirection | Unset): Indicates if the request was originated by the
            caller (outbound) or an incoming RfP request (inbound).
        due_date_start_date (str | Unset): ISO 8601 date format. Example: YYYY-MM-DD.
        due_date_end_date (str | Unset): ISO 8601 date format. Example: YYYY-MM-DD.
        approval_start_datetime (str | Unset): ISO 8601 date and time format requiring Zulu timezone.
            Example: YYYY-MM-DDThh:mm:ss.sTZD.
        approval_end_datetime (str | Unset): ISO 8601 date and time format requiring Zulu timezone.
            Example: YYYY-MM-DDThh:mm:ss.sTZD.
        victor_payment_request_parent_id (str | Unset): The Victor Id of the parent (outbound) payment
            request of the given payment request Example: 1DZOLW34GI.
        victor_payment_request_child_id (str | Unset): The Victor Id of the child (inbound) payment
            request of the given payment request Example: QNNEVS9JL4.
        network_type (ListPaymentRequestsNetworkType | Unset): The instant payments network the payment
            request was sent through
        tracking_id (str | Unset): The Tracking Id Example: 202509089R0VR201452208.
        instant_payment_rails_id (str | Unset): The ID on the instant payments network Example:
            20250908083957044PAIN13161448151.
    """

    page: int | Unset = UNSET
    page_size: int | Unset = UNSET
    victor_id: str | Unset = UNSET
    start_datetime: str | Unset = UNSET
    end_datetime: str | Unset = UNSET
    status: ListPaymentRequestsStatus | Unset = UNSET
    direction: ListPaymentRequestsDirection | Unset = UNSET
    due_date_start_date: str | Unset = UNSET
    due_date_end_date: str | Unset = UNSET
    approval_start_datetime: str | Unset = UNSET
    approval_end_datetime: str | Unset = UNSET
    victor_payment_request_parent_id: str | Unset = UNSET
    victor_payment_request_child_id: str | Unset = UNSET
    network_type: ListPaymentRequestsNetworkType | Unset = UNSET
    tracking_id: str | Unset = UNSET
    instant_payment_rails_id: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.page, Unset):
            fields["page"] = self.page
        if not isinstance(self.page_size, Unset):
            fields["page_size"] = self.page_size
        if not isinstance(self.victor_id, Unset):
            fields["victor_id"] = self.victor_id
        if not isinstance(self.start_datetime, Unset):
            fields["start_datetime"] = self.start_datetime
        if not isinstance(self.end_datetime, Unset):
            fields["end_datetime"] = self.end_datetime
        if not isinstance(self.status, Unset):
            fields["status"] = plain(self.status)
        if not isinstance(self.direction, Unset):
            fields["direction"] = plain(self.direction)
        if not isinstance(self.due_date_start_date, Unset):
            fields["due_date_start_date"] = self.due_date_start_date
        if not isinstance(self.due_date_end_date, Unset):
            fields["due_date_end_date"] = self.due_date_end_date
        if not isinstance(self.approval_start_datetime, Unset):
            fields["approval_start_datetime"] = self.approval_start_datetime
        if not isinstance(self.approval_end_datetime, Unset):
            fields["approval_end_datetime"] = self.approval_end_datetime
        if not isinstance(self.victor_payment_request_parent_id, Unset):
            fields["victor_payment_request_parent_id"] = self.victor_payment_request_parent_id
        if not isinstance(self.victor_payment_request_child_id, Unset):
            fields["victor_payment_request_child_id"] = self.victor_payment_request_child_id
        if not isinstance(self.network_type, Unset):
            fields["network_type"] = plain(self.network_type)
        if not isinstance(self.tracking_id, Unset):
            fields["tracking_id"] = self.tracking_id
        if not isinstance(self.instant_payment_rails_id, Unset):
            fields["instant_payment_rails_id"] = self.instant_payment_rails_id
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("page", None)
        self.page = v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "page")
        v = take("page_size", None)
        self.page_size = (
            v if v.__class__ is int else UNSET if v is None else read(WHOLE, v, _left, d, "page_size")
        )
        v = take("victor_id", None)
        self.victor_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "victor_id")
        )
        v = take("start_datetime", None)
        self.start_datetime = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "start_datetime")
        )
        v = take("end_datetime", None)
        self.end_datetime = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "end_datetime")
        )
        v = take("status", None)
        self.status = (
            _words_status[v]
            if v.__class__ is str and v in _words_status
            else UNSET
            if v is None
            else read(Word(ListPaymentRequestsStatus), v, _left, d, "status")
        )
        v = take("direction", None)
        self.direction = (
            _words_direction[v]
            if v.__class__ is str and v in _words_direction
            else UNSET
            if v is None
            else read(Word(ListPaymentRequestsDirection), v, _left, d, "direction")
        )
        v = take("due_date_start_date", None)
        self.due_date_start_date = (
            v
            if v.__class__ is str
            else UNSET
            if v is None
            else read(TEXT, v, _left, d, "due_date_start_date")
        )
        v = take("due_date_end_date", None)
        self.due_date_end_date = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "due_date_end_date")
        )
        v = take("approval_start_datetime", None)
        self.approval_start_datetime = (
            v
            if v.__class__ is str
            else UNSET
            if v is None
            else read(TEXT, v, _left, d, "approval_start_datetime")
        )
        v = take("approval_end_datetime", None)
        self.approval_end_datetime = (
            v
            if v.__class__ is str
            else UNSET
            if v is None
            else read(TEXT, v, _left, d, "approval_end_datetime")
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
        v = take("network_type", None)
        self.network_type = (
            _words_network_type[v]
            if v.__class__ is str and v in _words_network_type
            else UNSET
            if v is None
            else read(Word(ListPaymentRequestsNetworkType), v, _left, d, "network_type")
        )
        v = take("tracking_id", None)
        self.tracking_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "tracking_id")
        )
        v = take("instant_payment_rails_id", None)
        self.instant_payment_rails_id = (
            v
            if v.__class__ is str
            else UNSET
            if v is None
            else read(TEXT, v, _left, d, "instant_payment_rails_id")
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


_words_status = words(ListPaymentRequestsStatus)
_words_direction = words(ListPaymentRequestsDirection)
_words_network_type = words(ListPaymentRequestsNetworkType)
