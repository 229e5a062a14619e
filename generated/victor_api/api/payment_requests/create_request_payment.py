# Written by `make generate`; edits are lost. See openapi/README.md.
from typing import Any

import httpx

from ... import errors
from ...answers import read_body as _read_body
from ...client import AuthenticatedClient, Client
from ...decoding import Object
from ...decoding import plain as _plain
from ...decoding import plain_text as _plain_text
from ...models.api_error_response import ApiErrorResponse
from ...models.new_rtp_rfp_payment_request import NewRtpRfpPaymentRequest
from ...models.payment_request_receipt import PaymentRequestReceipt
from ...types import UNSET, Response, Unset
from ...types import status_of as _status_of


def _get_kwargs(*, body: NewRtpRfpPaymentRequest, idempotency_key: str | Unset = UNSET) -> dict[str, Any]:
    _headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        _headers["Idempotency-Key"] = _plain_text(idempotency_key)

    _kwargs: dict[str, Any] = {"method": "post", "url": "/v2/payment-requests/request-payment"}

    _kwargs["json"] = _plain(body)
    _headers["Content-Type"] = "application/json"

    _kwargs["headers"] = _headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ApiErrorResponse | PaymentRequestReceipt | None:
    if response.status_code == 200:
        return _read_body(Object(PaymentRequestReceipt), response)

    if response.status_code == 400:
        return _read_body(Object(ApiErrorResponse), response)

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ApiErrorResponse | PaymentRequestReceipt]:
    return Response(
        status_code=_status_of(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=client.parse_response(_parse_response, response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: NewRtpRfpPaymentRequest,
    idempotency_key: str | Unset = UNSET,
) -> Response[ApiErrorResponse | PaymentRequestReceipt]:
    """Create Request for Payment (RfP)

     The Real-Time Payments (RTP) network from The Clearing House is a real-time payments platform that
    all federally insured US depository institutions are eligible to use. RTP payments are real-time,
    immediately available to the recipient (including weekends, holidays, and during non-bank hours),
    and settlement finality. The FedNow Service is a new instant payment infrastructure developed by the
    Federal Reserve that allows eligible depository institutions of different sizes across the U.S. to
    provide instant payment services. These Instant Payments can be made in real time, around the clock,
    every day of the year, including weekends and holidays. This endpoint allows for the creation of a
    Request for Payment (RfP) on the RTP Network or the FedNow Network using Victor. RfPs can be sent to
    a recipient to approve the release of funds as payment to the entity making the request. Please note
    that not all institutions are currently participating on the RTP Network or FedNow Network. You can
    verify bank eligibility prior to submitting the request using the endpoint documented at [Instant
    Payment Service Eligibility](https://docs.victorfi.com/reference/instantpaymentbankeligibility).

    Args:
        idempotency_key (str | Unset): A client provided unique value used by the server to
            identify subsequent retries of the same request. Example:
            1145f601-b8b0-4de7-9210-4ccb74a68ef5.
        body (NewRtpRfpPaymentRequest): Details of a new request for payment (RfP).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ApiErrorResponse | PaymentRequestReceipt]
    """

    _kwargs = _get_kwargs(body=body, idempotency_key=idempotency_key)
    _response = client.get_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    body: NewRtpRfpPaymentRequest,
    idempotency_key: str | Unset = UNSET,
) -> ApiErrorResponse | PaymentRequestReceipt | None:
    """Create Request for Payment (RfP)

     The Real-Time Payments (RTP) network from The Clearing House is a real-time payments platform that
    all federally insured US depository institutions are eligible to use. RTP payments are real-time,
    immediately available to the recipient (including weekends, holidays, and during non-bank hours),
    and settlement finality. The FedNow Service is a new instant payment infrastructure developed by the
    Federal Reserve that allows eligible depository institutions of different sizes across the U.S. to
    provide instant payment services. These Instant Payments can be made in real time, around the clock,
    every day of the year, including weekends and holidays. This endpoint allows for the creation of a
    Request for Payment (RfP) on the RTP Network or the FedNow Network using Victor. RfPs can be sent to
    a recipient to approve the release of funds as payment to the entity making the request. Please note
    that not all institutions are currently participating on the RTP Network or FedNow Network. You can
    verify bank eligibility prior to submitting the request using the endpoint documented at [Instant
    Payment Service Eligibility](https://docs.victorfi.com/reference/instantpaymentbankeligibility).

    Args:
        idempotency_key (str | Unset): A client provided unique value used by the server to
            identify subsequent retries of the same request. Example:
            1145f601-b8b0-4de7-9210-4ccb74a68ef5.
        body (NewRtpRfpPaymentRequest): Details of a new request for payment (RfP).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ApiErrorResponse | PaymentRequestReceipt
    """

    return sync_detailed(client=client, body=body, idempotency_key=idempotency_key).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: NewRtpRfpPaymentRequest,
    idempotency_key: str | Unset = UNSET,
) -> Response[ApiErrorResponse | PaymentRequestReceipt]:
    """Create Request for Payment (RfP)

     The Real-Time Payments (RTP) network from The Clearing House is a real-time payments platform that
    all federally insured US depository institutions are eligible to use. RTP payments are real-time,
    immediately available to the recipient (including weekends, holidays, and during non-bank hours),
    and settlement finality. The FedNow Service is a new instant payment infrastructure developed by the
    Federal Reserve that allows eligible depository institutions of different sizes across the U.S. to
    provide instant payment services. These Instant Payments can be made in real time, around the clock,
    every day of the year, including weekends and holidays. This endpoint allows for the creation of a
    Request for Payment (RfP) on the RTP Network or the FedNow Network using Victor. RfPs can be sent to
    a recipient to approve the release of funds as payment to the entity making the request. Please note
    that not all institutions are currently participating on the RTP Network or FedNow Network. You can
    verify bank eligibility prior to submitting the request using the endpoint documented at [Instant
    Payment Service Eligibility](https://docs.victorfi.com/reference/instantpaymentbankeligibility).

    Args:
        idempotency_key (str | Unset): A client provided unique value used by the server to
            identify subsequent retries of the same request. Example:
            1145f601-b8b0-4de7-9210-4ccb74a68ef5.
        body (NewRtpRfpPaymentRequest): Details of a new request for payment (RfP).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ApiErrorResponse | PaymentRequestReceipt]
    """

    _kwargs = _get_kwargs(body=body, idempotency_key=idempotency_key)
    _response = await client.get_async_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: NewRtpRfpPaymentRequest,
    idempotency_key: str | Unset = UNSET,
) -> ApiErrorResponse | PaymentRequestReceipt | None:
    """Create Request for Payment (RfP)

     The Real-Time Payments (RTP) network from The Clearing House is a real-time payments platform that
    all federally insured US depository institutions are eligible to use. RTP payments are real-time,
    immediately available to the recipient (including weekends, holidays, and during non-bank hours),
    and settlement finality. The FedNow Service is a new instant payment infrastructure developed by the
    Federal Reserve that allows eligible depository institutions of different sizes across the U.S. to
    provide instant payment services. These Instant Payments can be made in real time, around the clock,
    every day of the year, including weekends and holidays. This endpoint allows for the creation of a
    Request for Payment (RfP) on the RTP Network or the FedNow Network using Victor. RfPs can be sent to
    a recipient to approve the release of funds as payment to the entity making the request. Please note
    that not all institutions are currently participating on the RTP Network or FedNow Network. You can
    verify bank eligibility prior to submitting the request using the endpoint documented at [Instant
    Payment Service Eligibility](https://docs.victorfi.com/reference/instantpaymentbankeligibility).

    Args:
        idempotency_key (str | Unset): A client provided unique value used by the server to
            identify subsequent retries of the same request. Example:
            1145f601-b8b0-4de7-9210-4ccb74a68ef5.
        body (NewRtpRfpPaymentRequest): Details of a new request for payment (RfP).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ApiErrorResponse | PaymentRequestReceipt
    """

    return (await asyncio_detailed(client=client, body=body, idempotency_key=idempotency_key)).parsed
