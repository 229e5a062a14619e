# Written by `make generate`; edits are lost. See openapi/README.md.
from typing import Any

import httpx

from ... import errors
from ...answers import read_body as _read_body
from ...client import AuthenticatedClient, Client
from ...decoding import Object
from ...decoding import form as _form
from ...models.payment import Payment
from ...models.payment_form import PaymentForm
from ...types import Response
from ...types import status_of as _status_of


def _get_kwargs(*, body: PaymentForm) -> dict[str, Any]:
    _headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {"method": "post", "url": "/v3/payments"}

    _kwargs["data"] = _form(body)
    _headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"

    _kwargs["headers"] = _headers
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


def sync_detailed(*, client: AuthenticatedClient | Client, body: PaymentForm) -> Response[Payment]:
    """Pre-authorise (PA) or debit (DB) a card

     Takes no idempotency key. A second call with the same values is, as far as is known, a second
    payment.

    Args:
        body (PaymentForm):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Payment]
    """

    _kwargs = _get_kwargs(body=body)
    _response = client.get_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


def sync(*, client: AuthenticatedClient | Client, body: PaymentForm) -> Payment | None:
    """Pre-authorise (PA) or debit (DB) a card

     Takes no idempotency key. A second call with the same values is, as far as is known, a second
    payment.

    Args:
        body (PaymentForm):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Payment
    """

    return sync_detailed(client=client, body=body).parsed


async def asyncio_detailed(*, client: AuthenticatedClient | Client, body: PaymentForm) -> Response[Payment]:
    """Pre-authorise (PA) or debit (DB) a card

     Takes no idempotency key. A second call with the same values is, as far as is known, a second
    payment.

    Args:
        body (PaymentForm):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Payment]
    """

    _kwargs = _get_kwargs(body=body)
    _response = await client.get_async_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


async def asyncio(*, client: AuthenticatedClient | Client, body: PaymentForm) -> Payment | None:
    """Pre-authorise (PA) or debit (DB) a card

     Takes no idempotency key. A second call with the same values is, as far as is known, a second
    payment.

    Args:
        body (PaymentForm):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Payment
    """

    return (await asyncio_detailed(client=client, body=body)).parsed
