# Written by `make generate`; edits are lost. See openapi/README.md.
from typing import Any

import httpx

from ... import errors
from ...answers import read_body as _read_body
from ...client import AuthenticatedClient, Client
from ...decoding import Object
from ...decoding import path_segment as _path_segment
from ...decoding import plain as _plain
from ...models.cancel_request import CancelRequest
from ...models.problem import Problem
from ...types import Response
from ...types import status_of as _status_of


def _get_kwargs(external_order_id: str, *, body: CancelRequest) -> dict[str, Any]:
    _headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": f"/v1/orders/{_path_segment(external_order_id)}/external-cancel",
    }

    _kwargs["json"] = _plain(body)
    _headers["Content-Type"] = "application/json"

    _kwargs["headers"] = _headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | Problem | None:
    if response.status_code == 200:
        return None

    if response.status_code == 400:
        return _read_body(Object(Problem), response)

    if response.status_code == 404:
        return _read_body(Object(Problem), response)

    if response.status_code == 409:
        return _read_body(Object(Problem), response)

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Any | Problem]:
    return Response(
        status_code=_status_of(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=client.parse_response(_parse_response, response),
    )


def sync_detailed(
    external_order_id: str, *, client: AuthenticatedClient | Client, body: CancelRequest
) -> Response[Any | Problem]:
    """Cancel an order by the merchant's own id, when the answer to `evaluate` never came.

     The same operation as `cancel`, under another name; both for one order are one.

    Args:
        external_order_id (str):
        body (CancelRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Problem]
    """

    _kwargs = _get_kwargs(external_order_id=external_order_id, body=body)
    _response = client.get_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


def sync(
    external_order_id: str, *, client: AuthenticatedClient | Client, body: CancelRequest
) -> Any | Problem | None:
    """Cancel an order by the merchant's own id, when the answer to `evaluate` never came.

     The same operation as `cancel`, under another name; both for one order are one.

    Args:
        external_order_id (str):
        body (CancelRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Problem
    """

    return sync_detailed(external_order_id=external_order_id, client=client, body=body).parsed


async def asyncio_detailed(
    external_order_id: str, *, client: AuthenticatedClient | Client, body: CancelRequest
) -> Response[Any | Problem]:
    """Cancel an order by the merchant's own id, when the answer to `evaluate` never came.

     The same operation as `cancel`, under another name; both for one order are one.

    Args:
        external_order_id (str):
        body (CancelRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Problem]
    """

    _kwargs = _get_kwargs(external_order_id=external_order_id, body=body)
    _response = await client.get_async_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


async def asyncio(
    external_order_id: str, *, client: AuthenticatedClient | Client, body: CancelRequest
) -> Any | Problem | None:
    """Cancel an order by the merchant's own id, when the answer to `evaluate` never came.

     The same operation as `cancel`, under another name; both for one order are one.

    Args:
        external_order_id (str):
        body (CancelRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Problem
    """

    return (await asyncio_detailed(external_order_id=external_order_id, client=client, body=body)).parsed
