# Written by `make generate`; edits are lost. See openapi/README.md.
from typing import Any

import httpx

from ... import errors
from ...answers import read_body as _read_body
from ...client import AuthenticatedClient, Client
from ...decoding import Object
from ...decoding import path_segment as _path_segment
from ...models.error_response import ErrorResponse
from ...models.source_account import SourceAccount
from ...types import Response
from ...types import status_of as _status_of


def _get_kwargs(source_account_id: str) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": f"/v3/sourceAccounts/{_path_segment(source_account_id)}",
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ErrorResponse | SourceAccount | None:
    if response.status_code == 200:
        return _read_body(Object(SourceAccount), response)

    if response.status_code == 400:
        return _read_body(Object(ErrorResponse), response)

    if response.status_code == 401:
        return _read_body(Object(ErrorResponse), response)

    if response.status_code == 403:
        return _read_body(Object(ErrorResponse), response)

    if response.status_code == 404:
        return _read_body(Object(ErrorResponse), response)

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ErrorResponse | SourceAccount]:
    return Response(
        status_code=_status_of(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=client.parse_response(_parse_response, response),
    )


def sync_detailed(
    source_account_id: str, *, client: AuthenticatedClient | Client
) -> Response[ErrorResponse | SourceAccount]:
    """One source account.

    Args:
        source_account_id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | SourceAccount]
    """

    _kwargs = _get_kwargs(source_account_id=source_account_id)
    _response = client.get_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


def sync(
    source_account_id: str, *, client: AuthenticatedClient | Client
) -> ErrorResponse | SourceAccount | None:
    """One source account.

    Args:
        source_account_id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | SourceAccount
    """

    return sync_detailed(source_account_id=source_account_id, client=client).parsed


async def asyncio_detailed(
    source_account_id: str, *, client: AuthenticatedClient | Client
) -> Response[ErrorResponse | SourceAccount]:
    """One source account.

    Args:
        source_account_id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | SourceAccount]
    """

    _kwargs = _get_kwargs(source_account_id=source_account_id)
    _response = await client.get_async_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


async def asyncio(
    source_account_id: str, *, client: AuthenticatedClient | Client
) -> ErrorResponse | SourceAccount | None:
    """One source account.

    Args:
        source_account_id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | SourceAccount
    """

    return (await asyncio_detailed(source_account_id=source_account_id, client=client)).parsed
