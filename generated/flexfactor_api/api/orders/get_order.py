# Written by `make generate`; edits are lost. See openapi/README.md.
from typing import Any

import httpx

from ... import errors
from ...answers import read_body as _read_body
from ...client import AuthenticatedClient, Client
from ...decoding import Object
from ...decoding import path_segment as _path_segment
from ...models.order import Order
from ...models.problem import Problem
from ...types import Response
from ...types import status_of as _status_of


def _get_kwargs(order_id: str) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {"method": "get", "url": f"/v1/orders/{_path_segment(order_id)}"}

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Order | Problem | None:
    if response.status_code == 200:
        return _read_body(Object(Order), response)

    if response.status_code == 404:
        return _read_body(Object(Problem), response)

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Order | Problem]:
    return Response(
        status_code=_status_of(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=client.parse_response(_parse_response, response),
    )


def sync_detailed(order_id: str, *, client: AuthenticatedClient | Client) -> Response[Order | Problem]:
    """One order.

    Args:
        order_id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Order | Problem]
    """

    _kwargs = _get_kwargs(order_id=order_id)
    _response = client.get_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


def sync(order_id: str, *, client: AuthenticatedClient | Client) -> Order | Problem | None:
    """One order.

    Args:
        order_id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Order | Problem
    """

    return sync_detailed(order_id=order_id, client=client).parsed


async def asyncio_detailed(
    order_id: str, *, client: AuthenticatedClient | Client
) -> Response[Order | Problem]:
    """One order.

    Args:
        order_id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Order | Problem]
    """

    _kwargs = _get_kwargs(order_id=order_id)
    _response = await client.get_async_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


async def asyncio(order_id: str, *, client: AuthenticatedClient | Client) -> Order | Problem | None:
    """One order.

    Args:
        order_id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Order | Problem
    """

    return (await asyncio_detailed(order_id=order_id, client=client)).parsed
