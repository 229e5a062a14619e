# Written by `make generate`; edits are lost. See openapi/README.md.
from typing import Any

import httpx

from ... import errors
from ...answers import read_body as _read_body
from ...client import AuthenticatedClient, Client
from ...decoding import Object
from ...decoding import plain as _plain
from ...models.list_payment_requests_direction import ListPaymentRequestsDirection
from ...models.list_payment_requests_network_type import ListPaymentRequestsNetworkType
from ...models.list_payment_requests_response import ListPaymentRequestsResponse
from ...models.list_payment_requests_status import ListPaymentRequestsStatus
from ...models.validation_errors import ValidationErrors
from ...types import UNSET, Response, Unset
from ...types import status_of as _status_of


def _get_kwargs(
    *,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
    victor_id: str | Unset = UNSET,
    start_datetime: str | Unset = UNSET,
    end_datetime: str | Unset = UNSET,
    status: ListPaymentRequestsStatus | Unset = UNSET,
    direction: ListPaymentRequestsDirection | Unset = UNSET,
    due_date_start_date: str | Unset = UNSET,
    due_date_end_date: str | Unset = UNSET,
    approval_start_datetime: str | Unset = UNSET,
    approval_end_datetime: str | Unset = UNSET,
    victor_payment_request_parent_id: str | Unset = UNSET,
    victor_payment_request_child_id: str | Unset = UNSET,
    network_type: ListPaymentRequestsNetworkType | Unset = UNSET,
    tracking_id: str | Unset = UNSET,
    instant_payment_rails_id: str | Unset = UNSET,
) -> dict[str, Any]:

    _params: dict[str, Any] = {}
    _params["page"] = _plain(page)
    _params["page_size"] = _plain(page_size)
    _params["victor_id"] = _plain(victor_id)
    _params["start_datetime"] = _plain(start_datetime)
    _params["end_datetime"] = _plain(end_datetime)
    _params["status"] = _plain(status)
    _params["direction"] = _plain(direction)
    _params["due_date_start_date"] = _plain(due_date_start_date)
    _params["due_date_end_date"] = _plain(due_date_end_date)
    _params["approval_start_datetime"] = _plain(approval_start_datetime)
    _params["approval_end_datetime"] = _plain(approval_end_datetime)
    _params["victor_payment_request_parent_id"] = _plain(victor_payment_request_parent_id)
    _params["victor_payment_request_child_id"] = _plain(victor_payment_request_child_id)
    _params["network_type"] = _plain(network_type)
    _params["tracking_id"] = _plain(tracking_id)
    _params["instant_payment_rails_id"] = _plain(instant_payment_rails_id)
    _params = {k: v for k, v in _params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {"method": "get", "url": "/v2/payment-requests", "params": _params}

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ListPaymentRequestsResponse | ValidationErrors | None:
    if response.status_code == 200:
        return _read_body(Object(ListPaymentRequestsResponse), response)

    if response.status_code == 400:
        return _read_body(Object(ValidationErrors), response)

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ListPaymentRequestsResponse | ValidationErrors]:
    return Response(
        status_code=_status_of(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=client.parse_response(_parse_response, response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
    victor_id: str | Unset = UNSET,
    start_datetime: str | Unset = UNSET,
    end_datetime: str | Unset = UNSET,
    status: ListPaymentRequestsStatus | Unset = UNSET,
    direction: ListPaymentRequestsDirection | Unset = UNSET,
    due_date_start_date: str | Unset = UNSET,
    due_date_end_date: str | Unset = UNSET,
    approval_start_datetime: str | Unset = UNSET,
    approval_end_datetime: str | Unset = UNSET,
    victor_payment_request_parent_id: str | Unset = UNSET,
    victor_payment_request_child_id: str | Unset = UNSET,
    network_type: ListPaymentRequestsNetworkType | Unset = UNSET,
    tracking_id: str | Unset = UNSET,
    instant_payment_rails_id: str | Unset = UNSET,
) -> Response[ListPaymentRequestsResponse | ValidationErrors]:
    """List Payment Requests

     The Real-Time Payments (RTP) network from The Clearing House is a real-time payments platform that
    all federally insured US depository institutions are eligible to use. RTP payments are real-time,
    immediately available to the recipient (including weekends, holidays, and during non-bank hours),
    and settlement finality. The FedNow Service is a new instant payment infrastructure developed by the
    Federal Reserve that allows eligible depository institutions of different sizes across the U.S. to
    provide instant payment services. These Instant Payments can be made in real time, around the clock,
    every day of the year, including weekends and holidays. This endpoint allows for the retrieval of
    inbound and outbound payment requests (RfP requests).

    Args:
        page (int | Unset): Uses 0 based indexing. (The server's default: 0)
        page_size (int | Unset): (The server's default: 50)
        victor_id (str | Unset): The Victor Id of the Payment Request Example: LVDOAEFJKH.
        start_datetime (str | Unset): ISO 8601 date and time format requiring Zulu timezone.
            Example: YYYY-MM-DDThh:mm:ss.sTZD.
        end_datetime (str | Unset): ISO 8601 date and time format requiring Zulu timezone.
            Example: YYYY-MM-DDThh:mm:ss.sTZD.
        status (ListPaymentRequestsStatus | Unset): The status of the payment request.
        direction (ListPaymentRequestsDirection | Unset): Indicates if the request was originated
            by the caller (outbound) or an incoming RfP request (inbound).
        due_date_start_date (str | Unset): ISO 8601 date format. Example: YYYY-MM-DD.
        due_date_end_date (str | Unset): ISO 8601 date format. Example: YYYY-MM-DD.
        approval_start_datetime (str | Unset): ISO 8601 date and time format requiring Zulu
            timezone. Example: YYYY-MM-DDThh:mm:ss.sTZD.
        approval_end_datetime (str | Unset): ISO 8601 date and time format requiring Zulu
            timezone. Example: YYYY-MM-DDThh:mm:ss.sTZD.
        victor_payment_request_parent_id (str | Unset): The Victor Id of the parent (outbound)
            payment request of the given payment request Example: 1DZOLW34GI.
        victor_payment_request_child_id (str | Unset): The Victor Id of the child (inbound)
            payment request of the given payment request Example: QNNEVS9JL4.
        network_type (ListPaymentRequestsNetworkType | Unset): The instant payments network the
            payment request was sent through
        tracking_id (str | Unset): The Tracking Id Example: 202509089R0VR201452208.
        instant_payment_rails_id (str | Unset): The ID on the instant payments network Example:
            20250908083957044PAIN13161448151.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ListPaymentRequestsResponse | ValidationErrors]
    """

    _kwargs = _get_kwargs(
        page=page,
        page_size=page_size,
        victor_id=victor_id,
        start_datetime=start_datetime,
        end_datetime=end_datetime,
        status=status,
        direction=direction,
        due_date_start_date=due_date_start_date,
        due_date_end_date=due_date_end_date,
        approval_start_datetime=approval_start_datetime,
        approval_end_datetime=approval_end_datetime,
        victor_payment_request_parent_id=victor_payment_request_parent_id,
        victor_payment_request_child_id=victor_payment_request_child_id,
        network_type=network_type,
        tracking_id=tracking_id,
        instant_payment_rails_id=instant_payment_rails_id,
    )
    _response = client.get_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
    victor_id: str | Unset = UNSET,
    start_datetime: str | Unset = UNSET,
    end_datetime: str | Unset = UNSET,
    status: ListPaymentRequestsStatus | Unset = UNSET,
    direction: ListPaymentRequestsDirection | Unset = UNSET,
    due_date_start_date: str | Unset = UNSET,
    due_date_end_date: str | Unset = UNSET,
    approval_start_datetime: str | Unset = UNSET,
    approval_end_datetime: str | Unset = UNSET,
    victor_payment_request_parent_id: str | Unset = UNSET,
    victor_payment_request_child_id: str | Unset = UNSET,
    network_type: ListPaymentRequestsNetworkType | Unset = UNSET,
    tracking_id: str | Unset = UNSET,
    instant_payment_rails_id: str | Unset = UNSET,
) -> ListPaymentRequestsResponse | ValidationErrors | None:
    """List Payment Requests

     The Real-Time Payments (RTP) network from The Clearing House is a real-time payments platform that
    all federally insured US depository institutions are eligible to use. RTP payments are real-time,
    immediately available to the recipient (including weekends, holidays, and during non-bank hours),
    and settlement finality. The FedNow Service is a new instant payment infrastructure developed by the
    Federal Reserve that allows eligible depository institutions of different sizes across the U.S. to
    provide instant payment services. These Instant Payments can be made in real time, around the clock,
    every day of the year, including weekends and holidays. This endpoint allows for the retrieval of
    inbound and outbound payment requests (RfP requests).

    Args:
        page (int | Unset): Uses 0 based indexing. (The server's default: 0)
        page_size (int | Unset): (The server's default: 50)
        victor_id (str | Unset): The Victor Id of the Payment Request Example: LVDOAEFJKH.
        start_datetime (str | Unset): ISO 8601 date and time format requiring Zulu timezone.
            Example: YYYY-MM-DDThh:mm:ss.sTZD.
        end_datetime (str | Unset): ISO 8601 date and time format requiring Zulu timezone.
            Example: YYYY-MM-DDThh:mm:ss.sTZD.
        status (ListPaymentRequestsStatus | Unset): The status of the payment request.
        direction (ListPaymentRequestsDirection | Unset): Indicates if the request was originated
            by the caller (outbound) or an incoming RfP request (inbound).
        due_date_start_date (str | Unset): ISO 8601 date format. Example: YYYY-MM-DD.
        due_date_end_date (str | Unset): ISO 8601 date format. Example: YYYY-MM-DD.
        approval_start_datetime (str | Unset): ISO 8601 date and time format requiring Zulu
            timezone. Example: YYYY-MM-DDThh:mm:ss.sTZD.
        approval_end_datetime (str | Unset): ISO 8601 date and time format requiring Zulu
            timezone. Example: YYYY-MM-DDThh:mm:ss.sTZD.
        victor_payment_request_parent_id (str | Unset): The Victor Id of the parent (outbound)
            payment request of the given payment request Example: 1DZOLW34GI.
        victor_payment_request_child_id (str | Unset): The Victor Id of the child (inbound)
            payment request of the given payment request Example: QNNEVS9JL4.
        network_type (ListPaymentRequestsNetworkType | Unset): The instant payments network the
            payment request was sent through
        tracking_id (str | Unset): The Tracking Id Example: 202509089R0VR201452208.
        instant_payment_rails_id (str | Unset): The ID on the instant payments network Example:
            20250908083957044PAIN13161448151.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ListPaymentRequestsResponse | ValidationErrors
    """

    return sync_detailed(
        client=client,
        page=page,
        page_size=page_size,
        victor_id=victor_id,
        start_datetime=start_datetime,
        end_datetime=end_datetime,
        status=status,
        direction=direction,
        due_date_start_date=due_date_start_date,
        due_date_end_date=due_date_end_date,
        approval_start_datetime=approval_start_datetime,
        approval_end_datetime=approval_end_datetime,
        victor_payment_request_parent_id=victor_payment_request_parent_id,
        victor_payment_request_child_id=victor_payment_request_child_id,
        network_type=network_type,
        tracking_id=tracking_id,
        instant_payment_rails_id=instant_payment_rails_id,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
    victor_id: str | Unset = UNSET,
    start_datetime: str | Unset = UNSET,
    end_datetime: str | Unset = UNSET,
    status: ListPaymentRequestsStatus | Unset = UNSET,
    direction: ListPaymentRequestsDirection | Unset = UNSET,
    due_date_start_date: str | Unset = UNSET,
    due_date_end_date: str | Unset = UNSET,
    approval_start_datetime: str | Unset = UNSET,
    approval_end_datetime: str | Unset = UNSET,
    victor_payment_request_parent_id: str | Unset = UNSET,
    victor_payment_request_child_id: str | Unset = UNSET,
    network_type: ListPaymentRequestsNetworkType | Unset = UNSET,
    tracking_id: str | Unset = UNSET,
    instant_payment_rails_id: str | Unset = UNSET,
) -> Response[ListPaymentRequestsResponse | ValidationErrors]:
    """List Payment Requests

     The Real-Time Payments (RTP) network from The Clearing House is a real-time payments platform that
    all federally insured US depository institutions are eligible to use. RTP payments are real-time,
    immediately available to the recipient (including weekends, holidays, and during non-bank hours),
    and settlement finality. The FedNow Service is a new instant payment infrastructure developed by the
    Federal Reserve that allows eligible depository institutions of different sizes across the U.S. to
    provide instant payment services. These Instant Payments can be made in real time, around the clock,
    every day of the year, including weekends and holidays. This endpoint allows for the retrieval of
    inbound and outbound payment requests (RfP requests).

    Args:
        page (int | Unset): Uses 0 based indexing. (The server's default: 0)
        page_size (int | Unset): (The server's default: 50)
        victor_id (str | Unset): The Victor Id of the Payment Request Example: LVDOAEFJKH.
        start_datetime (str | Unset): ISO 8601 date and time format requiring Zulu timezone.
            Example: YYYY-MM-DDThh:mm:ss.sTZD.
        end_datetime (str | Unset): ISO 8601 date and time format requiring Zulu timezone.
            Example: YYYY-MM-DDThh:mm:ss.sTZD.
        status (ListPaymentRequestsStatus | Unset): The status of the payment request.
        direction (ListPaymentRequestsDirection | Unset): Indicates if the request was originated
            by the caller (outbound) or an incoming RfP request (inbound).
        due_date_start_date (str | Unset): ISO 8601 date format. Example: YYYY-MM-DD.
        due_date_end_date (str | Unset): ISO 8601 date format. Example: YYYY-MM-DD.
        approval_start_datetime (str | Unset): ISO 8601 date and time format requiring Zulu
            timezone. Example: YYYY-MM-DDThh:mm:ss.sTZD.
        approval_end_datetime (str | Unset): ISO 8601 date and time format requiring Zulu
            timezone. Example: YYYY-MM-DDThh:mm:ss.sTZD.
        victor_payment_request_parent_id (str | Unset): The Victor Id of the parent (outbound)
            payment request of the given payment request Example: 1DZOLW34GI.
        victor_payment_request_child_id (str | Unset): The Victor Id of the child (inbound)
            payment request of the given payment request Example: QNNEVS9JL4.
        network_type (ListPaymentRequestsNetworkType | Unset): The instant payments network the
            payment request was sent through
        tracking_id (str | Unset): The Tracking Id Example: 202509089R0VR201452208.
        instant_payment_rails_id (str | Unset): The ID on the instant payments network Example:
            20250908083957044PAIN13161448151.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ListPaymentRequestsResponse | ValidationErrors]
    """

    _kwargs = _get_kwargs(
        page=page,
        page_size=page_size,
        victor_id=victor_id,
        start_datetime=start_datetime,
        end_datetime=end_datetime,
        status=status,
        direction=direction,
        due_date_start_date=due_date_start_date,
        due_date_end_date=due_date_end_date,
        approval_start_datetime=approval_start_datetime,
        approval_end_datetime=approval_end_datetime,
        victor_payment_request_parent_id=victor_payment_request_parent_id,
        victor_payment_request_child_id=victor_payment_request_child_id,
        network_type=network_type,
        tracking_id=tracking_id,
        instant_payment_rails_id=instant_payment_rails_id,
    )
    _response = await client.get_async_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
    victor_id: str | Unset = UNSET,
    start_datetime: str | Unset = UNSET,
    end_datetime: str | Unset = UNSET,
    status: ListPaymentRequestsStatus | Unset = UNSET,
    direction: ListPaymentRequestsDirection | Unset = UNSET,
    due_date_start_date: str | Unset = UNSET,
    due_date_end_date: str | Unset = UNSET,
    approval_start_datetime: str | Unset = UNSET,
    approval_end_datetime: str | Unset = UNSET,
    victor_payment_request_parent_id: str | Unset = UNSET,
    victor_payment_request_child_id: str | Unset = UNSET,
    network_type: ListPaymentRequestsNetworkType | Unset = UNSET,
    tracking_id: str | Unset = UNSET,
    instant_payment_rails_id: str | Unset = UNSET,
) -> ListPaymentRequestsResponse | ValidationErrors | None:
    """List Payment Requests

     The Real-Time Payments (RTP) network from The Clearing House is a real-time payments platform that
    all federally insured US depository institutions are eligible to use. RTP payments are real-time,
    immediately available to the recipient (including weekends, holidays, and during non-bank hours),
    and settlement finality. The FedNow Service is a new instant payment infrastructure developed by the
    Federal Reserve that allows eligible depository institutions of different sizes across the U.S. to
    provide instant payment services. These Instant Payments can be made in real time, around the clock,
    every day of the year, including weekends and holidays. This endpoint allows for the retrieval of
    inbound and outbound payment requests (RfP requests).

    Args:
        page (int | Unset): Uses 0 based indexing. (The server's default: 0)
        page_size (int | Unset): (The server's default: 50)
        victor_id (str | Unset): The Victor Id of the Payment Request Example: LVDOAEFJKH.
        start_datetime (str | Unset): ISO 8601 date and time format requiring Zulu timezone.
            Example: YYYY-MM-DDThh:mm:ss.sTZD.
        end_datetime (str | Unset): ISO 8601 date and time format requiring Zulu timezone.
            Example: YYYY-MM-DDThh:mm:ss.sTZD.
        status (ListPaymentRequestsStatus | Unset): The status of the payment request.
        direction (ListPaymentRequestsDirection | Unset): Indicates if the request was originated
            by the caller (outbound) or an incoming RfP request (inbound).
        due_date_start_date (str | Unset): ISO 8601 date format. Example: YYYY-MM-DD.
        due_date_end_date (str | Unset): ISO 8601 date format. Example: YYYY-MM-DD.
        approval_start_datetime (str | Unset): ISO 8601 date and time format requiring Zulu
            timezone. Example: YYYY-MM-DDThh:mm:ss.sTZD.
        approval_end_datetime (str | Unset): ISO 8601 date and time format requiring Zulu
            timezone. Example: YYYY-MM-DDThh:mm:ss.sTZD.
        victor_payment_request_parent_id (str | Unset): The Victor Id of the parent (outbound)
            payment request of the given payment request Example: 1DZOLW34GI.
        victor_payment_request_child_id (str | Unset): The Victor Id of the child (inbound)
            payment request of the given payment request Example: QNNEVS9JL4.
        network_type (ListPaymentRequestsNetworkType | Unset): The instant payments network the
            payment request was sent through
        tracking_id (str | Unset): The Tracking Id Example: 202509089R0VR201452208.
        instant_payment_rails_id (str | Unset): The ID on the instant payments network Example:
            20250908083957044PAIN13161448151.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ListPaymentRequestsResponse | ValidationErrors
    """

    return (
        await asyncio_detailed(
            client=client,
            page=page,
            page_size=page_size,
            victor_id=victor_id,
            start_datetime=start_datetime,
            end_datetime=end_datetime,
            status=status,
            direction=direction,
            due_date_start_date=due_date_start_date,
            due_date_end_date=due_date_end_date,
            approval_start_datetime=approval_start_datetime,
            approval_end_datetime=approval_end_datetime,
            victor_payment_request_parent_id=victor_payment_request_parent_id,
            victor_payment_request_child_id=victor_payment_request_child_id,
            network_type=network_type,
            tracking_id=tracking_id,
            instant_payment_rails_id=instant_payment_rails_id,
        )
    ).parsed
