# Written by `make generate`; edits are lost. See openapi/README.md.
from typing import Any

import httpx

from ... import errors
from ...answers import read_body as _read_body
from ...client import AuthenticatedClient, Client
from ...decoding import Object
from ...decoding import plain as _plain
from ...models.decision import Decision
from ...models.evaluate_request import EvaluateRequest
from ...models.problem import Problem
from ...types import Response
from ...types import status_of as _status_of


def _get_kwargs(*, body: EvaluateRequest) -> dict[str, Any]:
    _headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {"method": "post", "url": "/v1/evaluate"}

    _kwargs["json"] = _plain(body)
    _headers["Content-Type"] = "application/json"

    _kwargs["headers"] = _headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Decision | Problem | None:
    if response.status_code == 200:
        return _read_body(Object(Decision), response)

    if response.status_code == 400:
        return _read_body(Object(Problem), response)

    if response.status_code == 409:
        return _read_body(Object(Problem), response)

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Decision | Problem]:
    return Response(
        status_code=_status_of(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=client.parse_response(_parse_response, response),
    )


def sync_detailed(
    *, client: AuthenticatedClient | Client, body: EvaluateRequest
) -> Response[Decision | Problem]:
    """Ask for a decision on a transaction that was declined elsewhere.

     The key is in the body. The same key with the same body brings the same answer for 24 hours; with
    another
    body it is a 409, and so it is while the first request is being worked on.

    Args:
        body (EvaluateRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Decision | Problem]
    """

    _kwargs = _get_kwargs(body=body)
    _response = client.get_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


def sync(*, client: AuthenticatedClient | Client, body: EvaluateRequest) -> Decision | Problem | None:
    """Ask for a decision on a transaction that was declined elsewhere.

     The key is in the body. The same key with the same body brings the same answer for 24 hours; with
    another
    body it is a 409, and so it is while the first request is being worked on.

    Args:
        body (EvaluateRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Decision | Problem
    """

    return sync_detailed(client=client, body=body).parsed


async def asyncio_detailed(
    *, client: AuthenticatedClient | Client, body: EvaluateRequest
) -> Response[Decision | Problem]:
    """Ask for a decision on a transaction that was declined elsewhere.

     The key is in the body. The same key with the same body brings the same answer for 24 hours; with
    another
    body it is a 409, and so it is while the first request is being worked on.

    Args:
        body (EvaluateRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Decision | Problem]
    """

    _kwargs = _get_kwargs(body=body)
    _response = await client.get_async_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


async def asyncio(
    *, client: AuthenticatedClient | Client, body: EvaluateRequest
) -> Decision | Problem | None:
    """Ask for a decision on a transaction that was declined elsewhere.

     The key is in the body. The same key with the same body brings the same answer for 24 hours; with
    another
    body it is a 409, and so it is while the first request is being worked on.

    Args:
        body (EvaluateRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Decision | Problem
    """

    return (await asyncio_detailed(client=client, body=body)).parsed
