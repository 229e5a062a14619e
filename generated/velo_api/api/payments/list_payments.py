# Written by `make generate`; edits are lost. See openapi/README.md.
from typing import Any

import httpx

from ... import errors
from ...answers import read_body as _read_body
from ...client import AuthenticatedClient, Client
from ...decoding import Object
from ...decoding import plain as _plain
from ...models.error_response import ErrorResponse
from ...models.payment_page import PaymentPage
from ...types import UNSET, Response, Unset
from ...types import status_of as _status_of


def _get_kwargs(
    *,
    payor_id: str | Unset = UNSET,
    payee_id: str | Unset = UNSET,
    remote_id: str | Unset = UNSET,
    status: str | Unset = UNSET,
    source_account_name: str | Unset = UNSET,
    source_currency: str | Unset = UNSET,
    payment_currency: str | Unset = UNSET,
    submitted_date_from: str | Unset = UNSET,
    submitted_date_to: str | Unset = UNSET,
    payment_memo: str | Unset = UNSET,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
    sort: str | Unset = UNSET,
    sensitive: bool | Unset = UNSET,
) -> dict[str, Any]:

    _params: dict[str, Any] = {}
    _params["payorId"] = _plain(payor_id)
    _params["payeeId"] = _plain(payee_id)
    _params["remoteId"] = _plain(remote_id)
    _params["status"] = _plain(status)
    _params["sourceAccountName"] = _plain(source_account_name)
    _params["sourceCurrency"] = _plain(source_currency)
    _params["paymentCurrency"] = _plain(payment_currency)
    _params["submittedDateFrom"] = _plain(submitted_date_from)
    _params["submittedDateTo"] = _plain(submitted_date_to)
    _params["paymentMemo"] = _plain(payment_memo)
    _params["page"] = _plain(page)
    _params["pageSize"] = _plain(page_size)
    _params["sort"] = _plain(sort)
    _params["sensitive"] = _plain(sensitive)
    _params = {k: v for k, v in _params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {"method": "get", "url": "/v4/paymentaudit/payments", "params": _params}

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ErrorResponse | PaymentPage | None:
    if response.status_code == 200:
        return _read_body(Object(PaymentPage), response)

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
) -> Response[ErrorResponse | PaymentPage]:
    return Response(
        status_code=_status_of(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=client.parse_response(_parse_response, response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    payor_id: str | Unset = UNSET,
    payee_id: str | Unset = UNSET,
    remote_id: str | Unset = UNSET,
    status: str | Unset = UNSET,
    source_account_name: str | Unset = UNSET,
    source_currency: str | Unset = UNSET,
    payment_currency: str | Unset = UNSET,
    submitted_date_from: str | Unset = UNSET,
    submitted_date_to: str | Unset = UNSET,
    payment_memo: str | Unset = UNSET,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
    sort: str | Unset = UNSET,
    sensitive: bool | Unset = UNSET,
) -> Response[ErrorResponse | PaymentPage]:
    """The payments of a payor, over all payouts. There is no filter for the payor's own reference.

    Args:
        payor_id (str | Unset):
        payee_id (str | Unset):
        remote_id (str | Unset):
        status (str | Unset):
        source_account_name (str | Unset):
        source_currency (str | Unset):
        payment_currency (str | Unset):
        submitted_date_from (str | Unset):
        submitted_date_to (str | Unset):
        payment_memo (str | Unset):
        page (int | Unset):
        page_size (int | Unset):
        sort (str | Unset):
        sensitive (bool | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | PaymentPage]
    """

    _kwargs = _get_kwargs(
        payor_id=payor_id,
        payee_id=payee_id,
        remote_id=remote_id,
        status=status,
        source_account_name=source_account_name,
        source_currency=source_currency,
        payment_currency=payment_currency,
        submitted_date_from=submitted_date_from,
        submitted_date_to=submitted_date_to,
        payment_memo=payment_memo,
        page=page,
        page_size=page_size,
        sort=sort,
        sensitive=sensitive,
    )
    _response = client.get_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    payor_id: str | Unset = UNSET,
    payee_id: str | Unset = UNSET,
    remote_id: str | Unset = UNSET,
    status: str | Unset = UNSET,
    source_account_name: str | Unset = UNSET,
    source_currency: str | Unset = UNSET,
    payment_currency: str | Unset = UNSET,
    submitted_date_from: str | Unset = UNSET,
    submitted_date_to: str | Unset = UNSET,
    payment_memo: str | Unset = UNSET,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
    sort: str | Unset = UNSET,
    sensitive: bool | Unset = UNSET,
) -> ErrorResponse | PaymentPage | None:
    """The payments of a payor, over all payouts. There is no filter for the payor's own reference.

    Args:
        payor_id (str | Unset):
        payee_id (str | Unset):
        remote_id (str | Unset):
        status (str | Unset):
        source_account_name (str | Unset):
        source_currency (str | Unset):
        payment_currency (str | Unset):
        submitted_date_from (str | Unset):
        submitted_date_to (str | Unset):
        payment_memo (str | Unset):
        page (int | Unset):
        page_size (int | Unset):
        sort (str | Unset):
        sensitive (bool | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | PaymentPage
    """

    return sync_detailed(
        client=client,
        payor_id=payor_id,
        payee_id=payee_id,
        remote_id=remote_id,
        status=status,
        source_account_name=source_account_name,
        source_currency=source_currency,
        payment_currency=payment_currency,
        submitted_date_from=submitted_date_from,
        submitted_date_to=submitted_date_to,
        payment_memo=payment_memo,
        page=page,
        page_size=page_size,
        sort=sort,
        sensitive=sensitive,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    payor_id: str | Unset = UNSET,
    payee_id: str | Unset = UNSET,
    remote_id: str | Unset = UNSET,
    status: str | Unset = UNSET,
    source_account_name: str | Unset = UNSET,
    source_currency: str | Unset = UNSET,
    payment_currency: str | Unset = UNSET,
    submitted_date_from: str | Unset = UNSET,
    submitted_date_to: str | Unset = UNSET,
    payment_memo: str | Unset = UNSET,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
    sort: str | Unset = UNSET,
    sensitive: bool | Unset = UNSET,
) -> Response[ErrorResponse | PaymentPage]:
    """The payments of a payor, over all payouts. There is no filter for the payor's own reference.

    Args:
        payor_id (str | Unset):
        payee_id (str | Unset):
        remote_id (str | Unset):
        status (str | Unset):
        source_account_name (str | Unset):
        source_currency (str | Unset):
        payment_currency (str | Unset):
        submitted_date_from (str | Unset):
        submitted_date_to (str | Unset):
        payment_memo (str | Unset):
        page (int | Unset):
        page_size (int | Unset):
        sort (str | Unset):
        sensitive (bool | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | PaymentPage]
    """

    _kwargs = _get_kwargs(
        payor_id=payor_id,
        payee_id=payee_id,
        remote_id=remote_id,
        status=status,
        source_account_name=source_account_name,
        source_currency=source_currency,
        payment_currency=payment_currency,
        submitted_date_from=submitted_date_from,
        submitted_date_to=submitted_date_to,
        payment_memo=payment_memo,
        page=page,
        page_size=page_size,
        sort=sort,
        sensitive=sensitive,
    )
    _response = await client.get_async_httpx_client().request(**_kwargs)
    return _build_response(client=client, response=_response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    payor_id: str | Unset = UNSET,
    payee_id: str | Unset = UNSET,
    remote_id: str | Unset = UNSET,
    status: str | Unset = UNSET,
    source_account_name: str | Unset = UNSET,
    source_currency: str | Unset = UNSET,
    payment_currency: str | Unset = UNSET,
    submitted_date_from: str | Unset = UNSET,
    submitted_date_to: str | Unset = UNSET,
    payment_memo: str | Unset = UNSET,
    page: int | Unset = UNSET,
    page_size: int | Unset = UNSET,
    sort: str | Unset = UNSET,
    sensitive: bool | Unset = UNSET,
) -> ErrorResponse | PaymentPage | None:
    """The payments of a payor, over all payouts. There is no filter for the payor's own reference.

    Args:
        payor_id (str | Unset):
        payee_id (str | Unset):
        remote_id (str | Unset):
        status (str | Unset):
        source_account_name (str | Unset):
        source_currency (str | Unset):
        payment_currency (str | Unset):
        submitted_date_from (str | Unset):
        submitted_date_to (str | Unset):
        payment_memo (str | Unset):
        page (int | Unset):
        page_size (int | Unset):
        sort (str | Unset):
        sensitive (bool | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | PaymentPage
    """

    return (
        await asyncio_detailed(
            client=client,
            payor_id=payor_id,
            payee_id=payee_id,
            remote_id=remote_id,
            status=status,
            source_account_name=source_account_name,
            source_currency=source_currency,
            payment_currency=payment_currency,
            submitted_date_from=submitted_date_from,
            submitted_date_to=submitted_date_to,
            payment_memo=payment_memo,
            page=page,
            page_size=page_size,
            sort=sort,
            sensitive=sensitive,
        )
    ).parsed
