# Written by `make generate`; edits are lost. See openapi/README.md.
from typing import Any

import httpx

from ... import errors
from ...answers import read_body as _read_body
from ...client import AuthenticatedClient, Client
from ...decoding import Object
from ...decoding import plain as _plain
from ...models.error_response import ErrorResponse
from ...models.source_account_page import SourceAccountPage
from ...types import UNSET, Response, Unset
from ...types import status_of as _status_of


def _get_kwargs(
    *,
    physical_account_name: str | Unset = UNSET,
    physical_account_id: str | Unset = UNSET,
    payor_id: str | Unset = UNSET,
    funding_account_id: str | Unset = UNSET,
    type_: str | Unset = UNSET,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
    sort: str | Unset = UNSET,
) -> dict[str, Any]:

    _params: dict[str, Any] = {}
    _params["physicalAccountName"] = _plain(physical_account_name)
    _params["physicalAccountId"] = _plain(physical_account_id)
    _params["payorId"] = _plain(payor_id)
    _params["fundingAccountId"] = _plain(funding_account_id)
    _params["type"] = _plain(type_)
    _params["page"] = _plain(page)
    _params["pageSize"] = _plain(page_size)
    _params["sort"] = _plain(sort)
    _params = {k: v for k, v in _params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {"method": "get", "url": "/v3/sourceAccounts", "params": _params}

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ErrorResponse | SourceAccountPage | None:
    if response.status_code == 200:
        return _read_body(Object(SourceAccountPage), response)

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
) -> Response[ErrorResponse | SourceAccountPage]:
    return Response(
        status_code=_status_of(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=client.parse_response(_parse_response, response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    physical_account_name: str | Unset = UNSET,
    physical_account_id: str | Unset = UNSET,
    payor_id: str | Unset = UNSET,
    funding_account_id: str | Unset = UNSET,
    type_: str | Unset = UNSET,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
    sort: str | Unset = UNSET,
) -> Response[ErrorResponse | SourceAccountPage]:
    """The accounts that payouts are paid from, with their balances.

    Args:
        physical_account_name (str | Unset):
        physical_account_id (str | Unset):
        payor_id (str | Unset):
        funding_account_id (str | Unset):
        type_ (str | Unset):
        page (int | Unset):
        page_size (int | Unset):
        sort (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | SourceAccountPage]
    """

    _kwargs = _get_kwargs(
        physical_account_name=physical_account_name,
        physical_account_id=physical_account_id,
        payor_id=payor_id,
        funding_account_id=funding_account_id,
        type_=type_,
        page=page,
        page_size=page_size,
        sort=sort,
    )
    _response = client.get_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    physical_account_name: str | Unset = UNSET,
    physical_account_id: str | Unset = UNSET,
    payor_id: str | Unset = UNSET,
    funding_account_id: str | Unset = UNSET,
    type_: str | Unset = UNSET,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
    sort: str | Unset = UNSET,
) -> ErrorResponse | SourceAccountPage | None:
    """The accounts that payouts are paid from, with their balances.

    Args:
        physical_account_name (str | Unset):
        physical_account_id (str | Unset):
        payor_id (str | Unset):
        funding_account_id (str | Unset):
        type_ (str | Unset):
        page (int | Unset):
        page_size (int | Unset):
        sort (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | SourceAccountPage
    """

    return sync_detailed(
        client=client,
        physical_account_name=physical_account_name,
        physical_account_id=physical_account_id,
        payor_id=payor_id,
        funding_account_id=funding_account_id,
        type_=type_,
        page=page,
        page_size=page_size,
        sort=sort,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    physical_account_name: str | Unset = UNSET,
    physical_account_id: str | Unset = UNSET,
    payor_id: str | Unset = UNSET,
    funding_account_id: str | Unset = UNSET,
    type_: str | Unset = UNSET,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
    sort: str | Unset = UNSET,
) -> Response[ErrorResponse | SourceAccountPage]:
    """The accounts that payouts are paid from, with their balances.

    Args:
        physical_account_name (str | Unset):
        physical_account_id (str | Unset):
        payor_id (str | Unset):
        funding_account_id (str | Unset):
        type_ (str | Unset):
        page (int | Unset):
        page_size (int | Unset):
        sort (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | SourceAccountPage]
    """

    _kwargs = _get_kwargs(
        physical_account_name=physical_account_name,
        physical_account_id=physical_account_id,
        payor_id=payor_id,
        funding_account_id=funding_account_id,
        type_=type_,
        page=page,
        page_size=page_size,
        sort=sort,
    )
    _response = await client.get_async_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    physical_account_name: str | Unset = UNSET,
    physical_account_id: str | Unset = UNSET,
    payor_id: str | Unset = UNSET,
    funding_account_id: str | Unset = UNSET,
    type_: str | Unset = UNSET,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
    sort: str | Unset = UNSET,
) -> ErrorResponse | SourceAccountPage | None:
    """The accounts that payouts are paid from, with their balances.

    Args:
        physical_account_name (str | Unset):
        physical_account_id (str | Unset):
        payor_id (str | Unset):
        funding_account_id (str | Unset):
        type_ (str | Unset):
        page (int | Unset):
        page_size (int | Unset):
        sort (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | SourceAccountPage
    """

    return (
        await asyncio_detailed(
            client=client,
            physical_account_name=physical_account_name,
            physical_account_id=physical_account_id,
            payor_id=payor_id,
            funding_account_id=funding_account_id,
            type_=type_,
            page=page,
            page_size=page_size,
            sort=sort,
        )
    ).parsed
