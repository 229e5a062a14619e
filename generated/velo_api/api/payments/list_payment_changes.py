# Written by `make generate`; edits are lost. See openapi/README.md.
from typing import Any

import httpx

from ... import errors
from ...answers import read_body as _read_body
from ...client import AuthenticatedClient, Client
from ...decoding import Object
from ...decoding import plain as _plain
from ...models.error_response import ErrorResponse
from ...models.payment_change_page import PaymentChangePage
from ...types import UNSET, Response, Unset
from ...types import status_of as _status_of


def _get_kwargs(
    *, payor_id: str, updated_since: str, page: int | Unset = UNSET, page_size: int | Unset = UNSET
) -> dict[str, Any]:

    _params: dict[str, Any] = {}
    _params["payorId"] = _plain(payor_id)
    _params["updatedSince"] = _plain(updated_since)
    _params["page"] = _plain(page)
    _params["pageSize"] = _plain(page_size)
    _params = {k: v for k, v in _params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {"method": "get", "url": "/v4/payments/deltas", "params": _params}

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ErrorResponse | PaymentChangePage | None:
    if response.status_code == 200:
        return _read_body(Object(PaymentChangePage), response)

    if response.status_code == 400:
        return _read_body(Object(ErrorResponse), response)

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ErrorResponse | PaymentChangePage]:
    return Response(
        status_code=_status_of(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=client.parse_response(_parse_response, response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    payor_id: str,
    updated_since: str,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
) -> Response[ErrorResponse | PaymentChangePage]:
    """The payments that changed since a moment.

    Args:
        payor_id (str):
        updated_since (str):
        page (int | Unset):
        page_size (int | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | PaymentChangePage]
    """

    _kwargs = _get_kwargs(payor_id=payor_id, updated_since=updated_since, page=page, page_size=page_size)
    _response = client.get_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    payor_id: str,
    updated_since: str,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
) -> ErrorResponse | PaymentChangePage | None:
    """The payments that changed since a moment.

    Args:
        payor_id (str):
        updated_since (str):
        page (int | Unset):
        page_size (int | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | PaymentChangePage
    """

    return sync_detailed(
        client=client, payor_id=payor_id, updated_since=updated_since, page=page, page_size=page_size
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    payor_id: str,
    updated_since: str,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
) -> Response[ErrorResponse | PaymentChangePage]:
    """The payments that changed since a moment.

    Args:
        payor_id (str):
        updated_since (str):
        page (int | Unset):
        page_size (int | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | PaymentChangePage]
    """

    _kwargs = _get_kwargs(payor_id=payor_id, updated_since=updated_since, page=page, page_size=page_size)
    _response = await client.get_async_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    payor_id: str,
    updated_since: str,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
) -> ErrorResponse | PaymentChangePage | None:
    """The payments that changed since a moment.

    Args:
        payor_id (str):
        updated_since (str):
        page (int | Unset):
        page_size (int | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | PaymentChangePage
    """

    return (
        await asyncio_detailed(
            client=client, payor_id=payor_id, updated_since=updated_since, page=page, page_size=page_size
        )
    ).parsed
