# Written by `make generate`; edits are lost. See openapi/README.md.
from typing import Any

import httpx

from ... import errors
from ...answers import read_body as _read_body
from ...client import AuthenticatedClient, Client
from ...decoding import Object
from ...decoding import plain as _plain
from ...models.error_response import ErrorResponse
from ...models.payee_page import PayeePage
from ...types import UNSET, Response, Unset
from ...types import status_of as _status_of


def _get_kwargs(
    *,
    payor_id: str,
    watchlist_status: str | Unset = UNSET,
    disabled: bool | Unset = UNSET,
    onboarded_status: str | Unset = UNSET,
    email: str | Unset = UNSET,
    display_name: str | Unset = UNSET,
    remote_id: str | Unset = UNSET,
    payee_type: str | Unset = UNSET,
    payee_country: str | Unset = UNSET,
    ofac_status: str | Unset = UNSET,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
    sort: str | Unset = UNSET,
) -> dict[str, Any]:

    _params: dict[str, Any] = {}
    _params["payorId"] = _plain(payor_id)
    _params["watchlistStatus"] = _plain(watchlist_status)
    _params["disabled"] = _plain(disabled)
    _params["onboardedStatus"] = _plain(onboarded_status)
    _params["email"] = _plain(email)
    _params["displayName"] = _plain(display_name)
    _params["remoteId"] = _plain(remote_id)
    _params["payeeType"] = _plain(payee_type)
    _params["payeeCountry"] = _plain(payee_country)
    _params["ofacStatus"] = _plain(ofac_status)
    _params["page"] = _plain(page)
    _params["pageSize"] = _plain(page_size)
    _params["sort"] = _plain(sort)
    _params = {k: v for k, v in _params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {"method": "get", "url": "/v4/payees", "params": _params}

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ErrorResponse | PayeePage | None:
    if response.status_code == 200:
        return _read_body(Object(PayeePage), response)

    if response.status_code == 400:
        return _read_body(Object(ErrorResponse), response)

    if response.status_code == 401:
        return _read_body(Object(ErrorResponse), response)

    if response.status_code == 403:
        return _read_body(Object(ErrorResponse), response)

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ErrorResponse | PayeePage]:
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
    watchlist_status: str | Unset = UNSET,
    disabled: bool | Unset = UNSET,
    onboarded_status: str | Unset = UNSET,
    email: str | Unset = UNSET,
    display_name: str | Unset = UNSET,
    remote_id: str | Unset = UNSET,
    payee_type: str | Unset = UNSET,
    payee_country: str | Unset = UNSET,
    ofac_status: str | Unset = UNSET,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
    sort: str | Unset = UNSET,
) -> Response[ErrorResponse | PayeePage]:
    """The payees of a payor.

    Args:
        payor_id (str):
        watchlist_status (str | Unset):
        disabled (bool | Unset):
        onboarded_status (str | Unset):
        email (str | Unset):
        display_name (str | Unset):
        remote_id (str | Unset):
        payee_type (str | Unset):
        payee_country (str | Unset):
        ofac_status (str | Unset):
        page (int | Unset):
        page_size (int | Unset):
        sort (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | PayeePage]
    """

    _kwargs = _get_kwargs(
        payor_id=payor_id,
        watchlist_status=watchlist_status,
        disabled=disabled,
        onboarded_status=onboarded_status,
        email=email,
        display_name=display_name,
        remote_id=remote_id,
        payee_type=payee_type,
        payee_country=payee_country,
        ofac_status=ofac_status,
        page=page,
        page_size=page_size,
        sort=sort,
    )
    _response = client.get_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    payor_id: str,
    watchlist_status: str | Unset = UNSET,
    disabled: bool | Unset = UNSET,
    onboarded_status: str | Unset = UNSET,
    email: str | Unset = UNSET,
    display_name: str | Unset = UNSET,
    remote_id: str | Unset = UNSET,
    payee_type: str | Unset = UNSET,
    payee_country: str | Unset = UNSET,
    ofac_status: str | Unset = UNSET,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
    sort: str | Unset = UNSET,
) -> ErrorResponse | PayeePage | None:
    """The payees of a payor.

    Args:
        payor_id (str):
        watchlist_status (str | Unset):
        disabled (bool | Unset):
        onboarded_status (str | Unset):
        email (str | Unset):
        display_name (str | Unset):
        remote_id (str | Unset):
        payee_type (str | Unset):
        payee_country (str | Unset):
        ofac_status (str | Unset):
        page (int | Unset):
        page_size (int | Unset):
        sort (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | PayeePage
    """

    return sync_detailed(
        client=client,
        payor_id=payor_id,
        watchlist_status=watchlist_status,
        disabled=disabled,
        onboarded_status=onboarded_status,
        email=email,
        display_name=display_name,
        remote_id=remote_id,
        payee_type=payee_type,
        payee_country=payee_country,
        ofac_status=ofac_status,
        page=page,
        page_size=page_size,
        sort=sort,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    payor_id: str,
    watchlist_status: str | Unset = UNSET,
    disabled: bool | Unset = UNSET,
    onboarded_status: str | Unset = UNSET,
    email: str | Unset = UNSET,
    display_name: str | Unset = UNSET,
    remote_id: str | Unset = UNSET,
    payee_type: str | Unset = UNSET,
    payee_country: str | Unset = UNSET,
    ofac_status: str | Unset = UNSET,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
    sort: str | Unset = UNSET,
) -> Response[ErrorResponse | PayeePage]:
    """The payees of a payor.

    Args:
        payor_id (str):
        watchlist_status (str | Unset):
        disabled (bool | Unset):
        onboarded_status (str | Unset):
        email (str | Unset):
        display_name (str | Unset):
        remote_id (str | Unset):
        payee_type (str | Unset):
        payee_country (str | Unset):
        ofac_status (str | Unset):
        page (int | Unset):
        page_size (int | Unset):
        sort (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | PayeePage]
    """

    _kwargs = _get_kwargs(
        payor_id=payor_id,
        watchlist_status=watchlist_status,
        disabled=disabled,
        onboarded_status=onboarded_status,
        email=email,
        display_name=display_name,
        remote_id=remote_id,
        payee_type=payee_type,
        payee_country=payee_country,
        ofac_status=ofac_status,
        page=page,
        page_size=page_size,
        sort=sort,
    )
    _response = await client.get_async_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    payor_id: str,
    watchlist_status: str | Unset = UNSET,
    disabled: bool | Unset = UNSET,
    onboarded_status: str | Unset = UNSET,
    email: str | Unset = UNSET,
    display_name: str | Unset = UNSET,
    remote_id: str | Unset = UNSET,
    payee_type: str | Unset = UNSET,
    payee_country: str | Unset = UNSET,
    ofac_status: str | Unset = UNSET,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
    sort: str | Unset = UNSET,
) -> ErrorResponse | PayeePage | None:
    """The payees of a payor.

    Args:
        payor_id (str):
        watchlist_status (str | Unset):
        disabled (bool | Unset):
        onboarded_status (str | Unset):
        email (str | Unset):
        display_name (str | Unset):
        remote_id (str | Unset):
        payee_type (str | Unset):
        payee_country (str | Unset):
        ofac_status (str | Unset):
        page (int | Unset):
        page_size (int | Unset):
        sort (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | PayeePage
    """

    return (
        await asyncio_detailed(
            client=client,
            payor_id=payor_id,
            watchlist_status=watchlist_status,
            disabled=disabled,
            onboarded_status=onboarded_status,
            email=email,
            display_name=display_name,
            remote_id=remote_id,
            payee_type=payee_type,
            payee_country=payee_country,
            ofac_status=ofac_status,
            page=page,
            page_size=page_size,
            sort=sort,
        )
    ).parsed
