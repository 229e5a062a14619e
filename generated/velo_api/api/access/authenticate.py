# Written by `make generate`; edits are lost. See openapi/README.md.
from typing import Any

import httpx

from ... import errors
from ...answers import read_body as _read_body
from ...client import AuthenticatedClient, Client
from ...decoding import Object
from ...decoding import plain as _plain
from ...models.error_response import ErrorResponse
from ...models.token import Token
from ...types import UNSET, Response
from ...types import status_of as _status_of


def _get_kwargs(*, grant_type: str) -> dict[str, Any]:

    _params: dict[str, Any] = {}
    _params["grant_type"] = _plain(grant_type)
    _params = {k: v for k, v in _params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {"method": "post", "url": "/v1/authenticate", "params": _params}

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ErrorResponse | Token | None:
    if response.status_code == 200:
        return _read_body(Object(Token), response)

    if response.status_code == 401:
        return _read_body(Object(ErrorResponse), response)

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ErrorResponse | Token]:
    return Response(
        status_code=_status_of(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=client.parse_response(_parse_response, response),
    )


def sync_detailed(
    *, client: AuthenticatedClient | Client, grant_type: str
) -> Response[ErrorResponse | Token]:
    """Exchange key and secret for an access token.

     The body is empty; key and secret are the user and password of Basic.

    Args:
        grant_type (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | Token]
    """

    _kwargs = _get_kwargs(grant_type=grant_type)
    _response = client.get_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


def sync(*, client: AuthenticatedClient | Client, grant_type: str) -> ErrorResponse | Token | None:
    """Exchange key and secret for an access token.

     The body is empty; key and secret are the user and password of Basic.

    Args:
        grant_type (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | Token
    """

    return sync_detailed(client=client, grant_type=grant_type).parsed


async def asyncio_detailed(
    *, client: AuthenticatedClient | Client, grant_type: str
) -> Response[ErrorResponse | Token]:
    """Exchange key and secret for an access token.

     The body is empty; key and secret are the user and password of Basic.

    Args:
        grant_type (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | Token]
    """

    _kwargs = _get_kwargs(grant_type=grant_type)
    _response = await client.get_async_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


async def asyncio(*, client: AuthenticatedClient | Client, grant_type: str) -> ErrorResponse | Token | None:
    """Exchange key and secret for an access token.

     The body is empty; key and secret are the user and password of Basic.

    Args:
        grant_type (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | Token
    """

    return (await asyncio_detailed(client=client, grant_type=grant_type)).parsed
