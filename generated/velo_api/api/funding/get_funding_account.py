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
from ...models.funding_account import FundingAccount
from ...types import UNSET, Response, Unset
from ...types import status_of as _status_of


def _get_kwargs(funding_account_id: str, *, sensitive: bool | Unset = UNSET) -> dict[str, Any]:

    _params: dict[str, Any] = {}
    _params["sensitive"] = _plain(sensitive)
    _params = {k: v for k, v in _params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": f"/v2/fundingAccounts/{_path_segment(funding_account_id)}",
        "params": _params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ErrorResponse | FundingAccount | None:
    if response.status_code == 200:
        return _read_body(Object(FundingAccount), response)

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
) -> Response[ErrorResponse | FundingAccount]:
    return Response(
        status_code=_status_of(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=client.parse_response(_parse_response, response),
    )


def sync_detailed(
    funding_account_id: str, *, client: AuthenticatedClient | Client, sensitive: bool | Unset = UNSET
) -> Response[ErrorResponse | FundingAccount]:
    """One funding account.

    Args:
        funding_account_id (str):
        sensitive (bool | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | FundingAccount]
    """

    _kwargs = _get_kwargs(funding_account_id=funding_account_id, sensitive=sensitive)
    _response = client.get_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


def sync(
    funding_account_id: str, *, client: AuthenticatedClient | Client, sensitive: bool | Unset = UNSET
) -> ErrorResponse | FundingAccount | None:
    """One funding account.

    Args:
        funding_account_id (str):
        sensitive (bool | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | FundingAccount
    """

    return sync_detailed(funding_account_id=funding_account_id, client=client, sensitive=sensitive).parsed


async def asyncio_detailed(
    funding_account_id: str, *, client: AuthenticatedClient | Client, sensitive: bool | Unset = UNSET
) -> Response[ErrorResponse | FundingAccount]:
    """One funding account.

    Args:
        funding_account_id (str):
        sensitive (bool | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | FundingAccount]
    """

    _kwargs = _get_kwargs(funding_account_id=funding_account_id, sensitive=sensitive)
    _response = await client.get_async_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


async def asyncio(
    funding_account_id: str, *, client: AuthenticatedClient | Client, sensitive: bool | Unset = UNSET
) -> ErrorResponse | FundingAccount | None:
    """One funding account.

    Args:
        funding_account_id (str):
        sensitive (bool | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | FundingAccount
    """

    return (
        await asyncio_detailed(funding_account_id=funding_account_id, client=client, sensitive=sensitive)
    ).parsed
