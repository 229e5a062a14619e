# Written by `make generate`; edits are lost. See openapi/README.md.
import datetime
from typing import Any

import httpx

from ... import errors
from ...answers import read_body as _read_body
from ...client import AuthenticatedClient, Client
from ...decoding import Object
from ...decoding import plain as _plain
from ...models.order_page import OrderPage
from ...models.problem import Problem
from ...types import UNSET, Response, Unset
from ...types import status_of as _status_of


def _get_kwargs(
    *,
    query: str | Unset = UNSET,
    status: list[int] | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    mid: str | Unset = UNSET,
    order_by: str | Unset = UNSET,
    sort: str | Unset = UNSET,
    page_size: int | Unset = UNSET,
    page_number: int | Unset = UNSET,
) -> dict[str, Any]:

    _params: dict[str, Any] = {}
    _params["query"] = _plain(query)
    _params["status"] = _plain(status)
    _params["from"] = _plain(from_)
    _params["to"] = _plain(to)
    _params["mid"] = _plain(mid)
    _params["orderBy"] = _plain(order_by)
    _params["sort"] = _plain(sort)
    _params["pageSize"] = _plain(page_size)
    _params["pageNumber"] = _plain(page_number)
    _params = {k: v for k, v in _params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {"method": "get", "url": "/v1/orders", "params": _params}

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> OrderPage | Problem | None:
    if response.status_code == 200:
        return _read_body(Object(OrderPage), response)

    if response.status_code == 400:
        return _read_body(Object(Problem), response)

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[OrderPage | Problem]:
    return Response(
        status_code=_status_of(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=client.parse_response(_parse_response, response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    query: str | Unset = UNSET,
    status: list[int] | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    mid: str | Unset = UNSET,
    order_by: str | Unset = UNSET,
    sort: str | Unset = UNSET,
    page_size: int | Unset = UNSET,
    page_number: int | Unset = UNSET,
) -> Response[OrderPage | Problem]:
    """A page of orders.

    Args:
        query (str | Unset):
        status (list[int] | Unset):
        from_ (datetime.datetime | Unset):
        to (datetime.datetime | Unset):
        mid (str | Unset):
        order_by (str | Unset):
        sort (str | Unset):
        page_size (int | Unset):
        page_number (int | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[OrderPage | Problem]
    """

    _kwargs = _get_kwargs(
        query=query,
        status=status,
        from_=from_,
        to=to,
        mid=mid,
        order_by=order_by,
        sort=sort,
        page_size=page_size,
        page_number=page_number,
    )
    _response = client.get_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    query: str | Unset = UNSET,
    status: list[int] | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    mid: str | Unset = UNSET,
    order_by: str | Unset = UNSET,
    sort: str | Unset = UNSET,
    page_size: int | Unset = UNSET,
    page_number: int | Unset = UNSET,
) -> OrderPage | Problem | None:
    """A page of orders.

    Args:
        query (str | Unset):
        status (list[int] | Unset):
        from_ (datetime.datetime | Unset):
        to (datetime.datetime | Unset):
        mid (str | Unset):
        order_by (str | Unset):
        sort (str | Unset):
        page_size (int | Unset):
        page_number (int | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        OrderPage | Problem
    """

    return sync_detailed(
        client=client,
        query=query,
        status=status,
        from_=from_,
        to=to,
        mid=mid,
        order_by=order_by,
        sort=sort,
        page_size=page_size,
        page_number=page_number,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    query: str | Unset = UNSET,
    status: list[int] | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    mid: str | Unset = UNSET,
    order_by: str | Unset = UNSET,
    sort: str | Unset = UNSET,
    page_size: int | Unset = UNSET,
    page_number: int | Unset = UNSET,
) -> Response[OrderPage | Problem]:
    """A page of orders.

    Args:
        query (str | Unset):
        status (list[int] | Unset):
        from_ (datetime.datetime | Unset):
        to (datetime.datetime | Unset):
        mid (str | Unset):
        order_by (str | Unset):
        sort (str | Unset):
        page_size (int | Unset):
        page_number (int | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[OrderPage | Problem]
    """

    _kwargs = _get_kwargs(
        query=query,
        status=status,
        from_=from_,
        to=to,
        mid=mid,
        order_by=order_by,
        sort=sort,
        page_size=page_size,
        page_number=page_number,
    )
    _response = await client.get_async_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    query: str | Unset = UNSET,
    status: list[int] | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    mid: str | Unset = UNSET,
    order_by: str | Unset = UNSET,
    sort: str | Unset = UNSET,
    page_size: int | Unset = UNSET,
    page_number: int | Unset = UNSET,
) -> OrderPage | Problem | None:
    """A page of orders.

    Args:
        query (str | Unset):
        status (list[int] | Unset):
        from_ (datetime.datetime | Unset):
        to (datetime.datetime | Unset):
        mid (str | Unset):
        order_by (str | Unset):
        sort (str | Unset):
        page_size (int | Unset):
        page_number (int | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        OrderPage | Problem
    """

    return (
        await asyncio_detailed(
            client=client,
            query=query,
            status=status,
            from_=from_,
            to=to,
            mid=mid,
            order_by=order_by,
            sort=sort,
            page_size=page_size,
            page_number=page_number,
        )
    ).parsed
