# Written by `make generate`; edits are lost. See openapi/README.md.
from typing import Any

import httpx

from ... import errors
from ...answers import read_body as _read_body
from ...client import AuthenticatedClient, Client
from ...decoding import Object
from ...decoding import path_segment as _path_segment
from ...decoding import plain as _plain
from ...models.payment import Payment
from ...types import UNSET, Response, Unset
from ...types import status_of as _status_of


def _get_kwargs(id: str, *, entity_id: str, entity_type: str | Unset = UNSET) -> dict[str, Any]:

    _params: dict[str, Any] = {}
    _params["entityId"] = _plain(entity_id)
    _params["entityType"] = _plain(entity_type)
    _params = {k: v for k, v in _params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {"method": "get", "url": f"/v3/payments/{_path_segment(id)}", "params": _params}

    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Payment | None:
    if response.status_code == 200:
        return _read_body(Object(Payment), response)

    if response.status_code == 400:
        return _read_body(Object(Payment), response)

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    return None


def _build_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Response[Payment]:
    return Response(
        status_code=_status_of(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=client.parse_response(_parse_response, response),
    )


def sync_detailed(
    id: str, *, client: AuthenticatedClient | Client, entity_id: str, entity_type: str | Unset = UNSET
) -> Response[Payment]:
    """What became of a payment

    Args:
        id (str):
        entity_id (str):
        entity_type (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Payment]
    """

    _kwargs = _get_kwargs(id=id, entity_id=entity_id, entity_type=entity_type)
    _response = client.get_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


def sync(
    id: str, *, client: AuthenticatedClient | Client, entity_id: str, entity_type: str | Unset = UNSET
) -> Payment | None:
    """What became of a payment

    Args:
        id (str):
        entity_id (str):
        entity_type (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Payment
    """

    return sync_detailed(id=id, client=client, entity_id=entity_id, entity_type=entity_type).parsed


async def asyncio_detailed(
    id: str, *, client: AuthenticatedClient | Client, entity_id: str, entity_type: str | Unset = UNSET
) -> Response[Payment]:
    """What became of a payment

    Args:
        id (str):
        entity_id (str):
        entity_type (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Payment]
    """

    _kwargs = _get_kwargs(id=id, entity_id=entity_id, entity_type=entity_type)
    _response = await client.get_async_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


async def asyncio(
    id: str, *, client: AuthenticatedClient | Client, entity_id: str, entity_type: str | Unset = UNSET
) -> Payment | None:
    """What became of a payment

    Args:
        id (str):
        entity_id (str):
        entity_type (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Payment
    """

    return (await asyncio_detailed(id=id, client=client, entity_id=entity_id, entity_type=entity_type)).parsed
