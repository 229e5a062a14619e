# Written by `make generate`; edits are lost. See openapi/README.md.
from typing import Any

import httpx

from ... import errors
from ...answers import read_body as _read_body
from ...client import AuthenticatedClient, Client
from ...decoding import Object
from ...decoding import path_segment as _path_segment
from ...decoding import plain as _plain
from ...models.error_response import ErrorResponse
from ...models.payout_payment_page import PayoutPaymentPage
from ...types import UNSET, Response, Unset
from ...types import status_of as _status_of


def _get_kwargs(
    payout_id: str,
    *,
    status: str | Unset = UNSET,
    remote_id: str | Unset = UNSET,
    payor_payment_id: str | Unset = UNSET,
    source_account_name: str | Unset = UNSET,
    transmission_type: str | Unset = UNSET,
    payment_memo: str | Unset = UNSET,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
) -> dict[str, Any]:

    _params: dict[str, Any] = {}
    _params["status"] = _plain(status)
    _params["remoteId"] = _plain(remote_id)
    _params["payorPaymentId"] = _plain(payor_payment_id)
    _params["sourceAccountName"] = _plain(source_account_name)
    _params["transmissionType"] = _plain(transmission_type)
    _params["paymentMemo"] = _plain(payment_memo)
    _params["page"] = _plain(page)
    _params["pageSize"] = _plain(page_size)
    _params = {k: v for k, v in _params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": f"/v3/payouts/{_path_segment(payout_id)}/payments",
        "params": _params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ErrorResponse | PayoutPaymentPage | None:
    if response.status_code == 200:
        return _read_body(Object(PayoutPaymentPage), response)

    if response.status_code == 404:
        return _read_body(Object(ErrorResponse), response)

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ErrorResponse | PayoutPaymentPage]:
    return Response(
        status_code=_status_of(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=client.parse_response(_parse_response, response),
    )


def sync_detailed(
    payout_id: str,
    *,
    client: AuthenticatedClient | Client,
    status: str | Unset = UNSET,
    remote_id: str | Unset = UNSET,
    payor_payment_id: str | Unset = UNSET,
    source_account_name: str | Unset = UNSET,
    transmission_type: str | Unset = UNSET,
    payment_memo: str | Unset = UNSET,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
) -> Response[ErrorResponse | PayoutPaymentPage]:
    """The payments of a payout.

    Args:
        payout_id (str):
        status (str | Unset):
        remote_id (str | Unset):
        payor_payment_id (str | Unset):
        source_account_name (str | Unset):
        transmission_type (str | Unset):
        payment_memo (str | Unset):
        page (int | Unset):
        page_size (int | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | PayoutPaymentPage]
    """

    _kwargs = _get_kwargs(
        payout_id=payout_id,
        status=status,
        remote_id=remote_id,
        payor_payment_id=payor_payment_id,
        source_account_name=source_account_name,
        transmission_type=transmission_type,
        payment_memo=payment_memo,
        page=page,
        page_size=page_size,
    )
    _response = client.get_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


def sync(
    payout_id: str,
    *,
    client: AuthenticatedClient | Client,
    status: str | Unset = UNSET,
    remote_id: str | Unset = UNSET,
    payor_payment_id: str | Unset = UNSET,
    source_account_name: str | Unset = UNSET,
    transmission_type: str | Unset = UNSET,
    payment_memo: str | Unset = UNSET,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
) -> ErrorResponse | PayoutPaymentPage | None:
    """The payments of a payout.

    Args:
        payout_id (str):
        status (str | Unset):
        remote_id (str | Unset):
        payor_payment_id (str | Unset):
        source_account_name (str | Unset):
        transmission_type (str | Unset):
        payment_memo (str | Unset):
        page (int | Unset):
        page_size (int | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | PayoutPaymentPage
    """

    return sync_detailed(
        payout_id=payout_id,
        client=client,
        status=status,
        remote_id=remote_id,
        payor_payment_id=payor_payment_id,
        source_account_name=source_account_name,
        transmission_type=transmission_type,
        payment_memo=payment_memo,
        page=page,
        page_size=page_size,
    ).parsed


async def asyncio_detailed(
    payout_id: str,
    *,
    client: AuthenticatedClient | Client,
    status: str | Unset = UNSET,
    remote_id: str | Unset = UNSET,
    payor_payment_id: str | Unset = UNSET,
    source_account_name: str | Unset = UNSET,
    transmission_type: str | Unset = UNSET,
    payment_memo: str | Unset = UNSET,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
) -> Response[ErrorResponse | PayoutPaymentPage]:
    """The payments of a payout.

    Args:
        payout_id (str):
        status (str | Unset):
        remote_id (str | Unset):
        payor_payment_id (str | Unset):
        source_account_name (str | Unset):
        transmission_type (str | Unset):
        payment_memo (str | Unset):
        page (int | Unset):
        page_size (int | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | PayoutPaymentPage]
    """

    _kwargs = _get_kwargs(
        payout_id=payout_id,
        status=status,
        remote_id=remote_id,
        payor_payment_id=payor_payment_id,
        source_account_name=source_account_name,
        transmission_type=transmission_type,
        payment_memo=payment_memo,
        page=page,
        page_size=page_size,
    )
    _response = await client.get_async_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


async def asyncio(
    payout_id: str,
    *,
    client: AuthenticatedClient | Client,
    status: str | Unset = UNSET,
    remote_id: str | Unset = UNSET,
    payor_payment_id: str | Unset = UNSET,
    source_account_name: str | Unset = UNSET,
    transmission_type: str | Unset = UNSET,
    payment_memo: str | Unset = UNSET,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
) -> ErrorResponse | PayoutPaymentPage | None:
    """The payments of a payout.

    Args:
        payout_id (str):
        status (str | Unset):
        remote_id (str | Unset):
        payor_payment_id (str | Unset):
        source_account_name (str | Unset):
        transmission_type (str | Unset):
        payment_memo (str | Unset):
        page (int | Unset):
        page_size (int | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | PayoutPaymentPage
    """

    return (
        await asyncio_detailed(
            payout_id=payout_id,
            client=client,
            status=status,
            remote_id=remote_id,
            payor_payment_id=payor_payment_id,
            source_account_name=source_account_name,
            transmission_type=transmission_type,
            payment_memo=payment_memo,
            page=page,
            page_size=page_size,
        )
    ).parsed
