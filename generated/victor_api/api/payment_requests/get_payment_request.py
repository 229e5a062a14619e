# Written by `make generate`; edits are lost. See openapi/README.md.
from typing import Any

import httpx

from ... import errors
from ...answers import read_body as _read_body
from ...client import AuthenticatedClient, Client
from ...decoding import Object
from ...decoding import path_segment as _path_segment
from ...models.get_payment_request_response import GetPaymentRequestResponse
from ...models.validation_errors import ValidationErrors
from ...types import Response
from ...types import status_of as _status_of


def _get_kwargs(victor_payment_request_id: str) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": f"/v2/payment-requests/{_path_segment(victor_payment_request_id)}",
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> GetPaymentRequestResponse | ValidationErrors | None:
    if response.status_code == 200:
        return _read_body(Object(GetPaymentRequestResponse), response)

    if response.status_code == 400:
        return _read_body(Object(ValidationErrors), response)

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[GetPaymentRequestResponse | ValidationErrors]:
    return Response(
        status_code=_status_of(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=client.parse_response(_parse_response, response),
    )


def sync_detailed(
    victor_payment_request_id: str, *, client: AuthenticatedClient | Client
) -> Response[GetPaymentRequestResponse | ValidationErrors]:
    """Get Payment Request

     The Real-Time Payments (RTP) network from The Clearing House is a real-time payments platform that
    all federally insured US depository institutions are eligible to use. RTP payments are real-time,
    immediately available to the recipient (including weekends, holidays, and during non-bank hours),
    and settlement finality. The FedNow Service is a new instant payment infrastructure developed by the
    Federal Reserve that allows eligible depository institutions of different sizes across the U.S. to
    provide instant payment services. These Instant Payments can be made in real time, around the clock,
    every day of the year, including weekends and holidays.

     This endpoint allows for the retrieval of an inbound and outbound payment request. Please note the
    `payment_request_response` object only exists for INBOUND payment requests and the payer details are
    either account details or a counterparty depending on the direction of the payment request.

    Args:
        victor_payment_request_id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[GetPaymentRequestResponse | ValidationErrors]
    """

    _kwargs = _get_kwargs(victor_payment_request_id=victor_payment_request_id)
    _response = client.get_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


def sync(
    victor_payment_request_id: str, *, client: AuthenticatedClient | Client
) -> GetPaymentRequestResponse | ValidationErrors | None:
    """Get Payment Request

     The Real-Time Payments (RTP) network from The Clearing House is a real-time payments platform that
    all federally insured US depository institutions are eligible to use. RTP payments are real-time,
    immediately available to the recipient (including weekends, holidays, and during non-bank hours),
    and settlement finality. The FedNow Service is a new instant payment infrastructure developed by the
    Federal Reserve that allows eligible depository institutions of different sizes across the U.S. to
    provide instant payment services. These Instant Payments can be made in real time, around the clock,
    every day of the year, including weekends and holidays.

     This endpoint allows for the retrieval of an inbound and outbound payment request. Please note the
    `payment_request_response` object only exists for INBOUND payment requests and the payer details are
    either account details or a counterparty depending on the direction of the payment request.

    Args:
        victor_payment_request_id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        GetPaymentRequestResponse | ValidationErrors
    """

    return sync_detailed(victor_payment_request_id=victor_payment_request_id, client=client).parsed


async def asyncio_detailed(
    victor_payment_request_id: str, *, client: AuthenticatedClient | Client
) -> Response[GetPaymentRequestResponse | ValidationErrors]:
    """Get Payment Request

     The Real-Time Payments (RTP) network from The Clearing House is a real-time payments platform that
    all federally insured US depository institutions are eligible to use. RTP payments are real-time,
    immediately available to the recipient (including weekends, holidays, and during non-bank hours),
    and settlement finality. The FedNow Service is a new instant payment infrastructure developed by the
    Federal Reserve that allows eligible depository institutions of different sizes across the U.S. to
    provide instant payment services. These Instant Payments can be made in real time, around the clock,
    every day of the year, including weekends and holidays.

     This endpoint allows for the retrieval of an inbound and outbound payment request. Please note the
    `payment_request_response` object only exists for INBOUND payment requests and the payer details are
    either account details or a counterparty depending on the direction of the payment request.

    Args:
        victor_payment_request_id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[GetPaymentRequestResponse | ValidationErrors]
    """

    _kwargs = _get_kwargs(victor_payment_request_id=victor_payment_request_id)
    _response = await client.get_async_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


async def asyncio(
    victor_payment_request_id: str, *, client: AuthenticatedClient | Client
) -> GetPaymentRequestResponse | ValidationErrors | None:
    """Get Payment Request

     The Real-Time Payments (RTP) network from The Clearing House is a real-time payments platform that
    all federally insured US depository institutions are eligible to use. RTP payments are real-time,
    immediately available to the recipient (including weekends, holidays, and during non-bank hours),
    and settlement finality. The FedNow Service is a new instant payment infrastructure developed by the
    Federal Reserve that allows eligible depository institutions of different sizes across the U.S. to
    provide instant payment services. These Instant Payments can be made in real time, around the clock,
    every day of the year, including weekends and holidays.

     This endpoint allows for the retrieval of an inbound and outbound payment request. Please note the
    `payment_request_response` object only exists for INBOUND payment requests and the payer details are
    either account details or a counterparty depending on the direction of the payment request.

    Args:
        victor_payment_request_id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        GetPaymentRequestResponse | ValidationErrors
    """

    return (await asyncio_detailed(victor_payment_request_id=victor_payment_request_id, client=client)).parsed
