# Written by `make generate`; edits are lost. See openapi/README.md.
"""Contains all the data models used in inputs/outputs; each is loaded when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api_error import ApiError as ApiError
    from .api_error_response import ApiErrorResponse as ApiErrorResponse
    from .api_error_response_data import ApiErrorResponseData as ApiErrorResponseData
    from .configuration_property import ConfigurationProperty as ConfigurationProperty
    from .configuration_property_name import ConfigurationPropertyName as ConfigurationPropertyName
    from .configuration_property_value import ConfigurationPropertyValue as ConfigurationPropertyValue
    from .get_payment_request_response import GetPaymentRequestResponse as GetPaymentRequestResponse
    from .list_payment_requests import ListPaymentRequests as ListPaymentRequests
    from .list_payment_requests_direction import ListPaymentRequestsDirection as ListPaymentRequestsDirection
    from .list_payment_requests_network_type import (
        ListPaymentRequestsNetworkType as ListPaymentRequestsNetworkType,
    )
    from .list_payment_requests_response import ListPaymentRequestsResponse as ListPaymentRequestsResponse
    from .list_payment_requests_status import ListPaymentRequestsStatus as ListPaymentRequestsStatus
    from .new_rtp_rfp_payment_request import NewRtpRfpPaymentRequest as NewRtpRfpPaymentRequest
    from .object_error import ObjectError as ObjectError
    from .object_error_arguments_item import ObjectErrorArgumentsItem as ObjectErrorArgumentsItem
    from .origin import Origin as Origin
    from .payment_request_receipt import PaymentRequestReceipt as PaymentRequestReceipt
    from .payment_request_receipt_direction import (
        PaymentRequestReceiptDirection as PaymentRequestReceiptDirection,
    )
    from .payment_request_receipt_info import PaymentRequestReceiptInfo as PaymentRequestReceiptInfo
    from .payment_request_receipt_payment_network import (
        PaymentRequestReceiptPaymentNetwork as PaymentRequestReceiptPaymentNetwork,
    )
    from .payment_request_receipt_status import PaymentRequestReceiptStatus as PaymentRequestReceiptStatus
    from .receipt_payment_details import ReceiptPaymentDetails as ReceiptPaymentDetails
    from .receipt_payment_details_biller_type import (
        ReceiptPaymentDetailsBillerType as ReceiptPaymentDetailsBillerType,
    )
    from .rfp_base_payment_details import RfpBasePaymentDetails as RfpBasePaymentDetails
    from .rfp_base_payment_details_biller_type import (
        RfpBasePaymentDetailsBillerType as RfpBasePaymentDetailsBillerType,
    )
    from .rfp_inbound_payment_request_details import (
        RfpInboundPaymentRequestDetails as RfpInboundPaymentRequestDetails,
    )
    from .rfp_inbound_payment_request_details_payer import (
        RfpInboundPaymentRequestDetailsPayer as RfpInboundPaymentRequestDetailsPayer,
    )
    from .rfp_inbound_payment_request_response_details import (
        RfpInboundPaymentRequestResponseDetails as RfpInboundPaymentRequestResponseDetails,
    )
    from .rfp_inbound_payment_request_response_details_status import (
        RfpInboundPaymentRequestResponseDetailsStatus as RfpInboundPaymentRequestResponseDetailsStatus,
    )
    from .rfp_inbound_payment_request_response_request_details import (
        RfpInboundPaymentRequestResponseRequestDetails as RfpInboundPaymentRequestResponseRequestDetails,
    )
    from .rfp_inbound_payment_request_response_request_details_status import (
        RfpInboundPaymentRequestResponseRequestDetailsStatus as RfpInboundPaymentRequestResponseRequestDetailsStatus,
    )
    from .rfp_payee_request_details import RfpPayeeRequestDetails as RfpPayeeRequestDetails
    from .rfp_payee_response_details import RfpPayeeResponseDetails as RfpPayeeResponseDetails
    from .rfp_payer_details import RfpPayerDetails as RfpPayerDetails
    from .rtp_payment_details import RtpPaymentDetails as RtpPaymentDetails
    from .validation_errors import ValidationErrors as ValidationErrors

_MODULES = {
    "ApiError": ".api_error",
    "ApiErrorResponse": ".api_error_response",
    "ApiErrorResponseData": ".api_error_response_data",
    "ConfigurationProperty": ".configuration_property",
    "ConfigurationPropertyName": ".configuration_property_name",
    "ConfigurationPropertyValue": ".configuration_property_value",
    "GetPaymentRequestResponse": ".get_payment_request_response",
    "ListPaymentRequests": ".list_payment_requests",
    "ListPaymentRequestsDirection": ".list_payment_requests_direction",
    "ListPaymentRequestsNetworkType": ".list_payment_requests_network_type",
    "ListPaymentRequestsResponse": ".list_payment_requests_response",
    "ListPaymentRequestsStatus": ".list_payment_requests_status",
    "NewRtpRfpPaymentRequest": ".new_rtp_rfp_payment_request",
    "ObjectError": ".object_error",
    "ObjectErrorArgumentsItem": ".object_error_arguments_item",
    "Origin": ".origin",
    "PaymentRequestReceipt": ".payment_request_receipt",
    "PaymentRequestReceiptDirection": ".payment_request_receipt_direction",
    "PaymentRequestReceiptInfo": ".payment_request_receipt_info",
    "PaymentRequestReceiptPaymentNetwork": ".payment_request_receipt_payment_network",
    "PaymentRequestReceiptStatus": ".payment_request_receipt_status",
    "ReceiptPaymentDetails": ".receipt_payment_details",
    "ReceiptPaymentDetailsBillerType": ".receipt_payment_details_biller_type",
    "RfpBasePaymentDetails": ".rfp_base_payment_details",
    "RfpBasePaymentDetailsBillerType": ".rfp_base_payment_details_biller_type",
    "RfpInboundPaymentRequestDetails": ".rfp_inbound_payment_request_details",
    "RfpInboundPaymentRequestDetailsPayer": ".rfp_inbound_payment_request_details_payer",
    "RfpInboundPaymentRequestResponseDetails": ".rfp_inbound_payment_request_response_details",
    "RfpInboundPaymentRequestResponseDetailsStatus": ".rfp_inbound_payment_request_response_details_status",
    "RfpInboundPaymentRequestResponseRequestDetails": ".rfp_inbound_payment_request_response_request_details",
    "RfpInboundPaymentRequestResponseRequestDetailsStatus": ".rfp_inbound_payment_request_response_request_details_status",
    "RfpPayeeRequestDetails": ".rfp_payee_request_details",
    "RfpPayeeResponseDetails": ".rfp_payee_response_details",
    "RfpPayerDetails": ".rfp_payer_details",
    "RtpPaymentDetails": ".rtp_payment_details",
    "ValidationErrors": ".validation_errors",
}

__all__ = (
    "ApiError",
    "ApiErrorResponse",
    "ApiErrorResponseData",
    "ConfigurationProperty",
    "ConfigurationPropertyName",
    "ConfigurationPropertyValue",
    "GetPaymentRequestResponse",
    "ListPaymentRequests",
    "ListPaymentRequestsDirection",
    "ListPaymentRequestsNetworkType",
    "ListPaymentRequestsResponse",
    "ListPaymentRequestsStatus",
    "NewRtpRfpPaymentRequest",
    "ObjectError",
    "ObjectErrorArgumentsItem",
    "Origin",
    "PaymentRequestReceipt",
    "PaymentRequestReceiptDirection",
    "PaymentRequestReceiptInfo",
    "PaymentRequestReceiptPaymentNetwork",
    "PaymentRequestReceiptStatus",
    "ReceiptPaymentDetails",
    "ReceiptPaymentDetailsBillerType",
    "RfpBasePaymentDetails",
    "RfpBasePaymentDetailsBillerType",
    "RfpInboundPaymentRequestDetails",
    "RfpInboundPaymentRequestDetailsPayer",
    "RfpInboundPaymentRequestResponseDetails",
    "RfpInboundPaymentRequestResponseDetailsStatus",
    "RfpInboundPaymentRequestResponseRequestDetails",
    "RfpInboundPaymentRequestResponseRequestDetailsStatus",
    "RfpPayeeRequestDetails",
    "RfpPayeeResponseDetails",
    "RfpPayerDetails",
    "RtpPaymentDetails",
    "ValidationErrors",
)


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(module, __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
