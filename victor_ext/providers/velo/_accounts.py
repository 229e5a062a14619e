"""`velo.source_accounts`, `velo.funding_accounts` and `velo.fundings`: the money that payouts are
paid from.
"""

from __future__ import annotations

from velo_api.api.funding import get_funding_account
from velo_api.api.source_accounts import get_source_account
from velo_api.typed import methods
from velo_api.typed.arguments import PACKAGE
from velo_api.typed.records import (
    Funding,
    FundingAccount,
    FundingChange,
    FundingEntry,
    SourceAccount,
)

from victor_ext._runtime.client.polling import checked_seconds, poll
from victor_ext._runtime.client.resources import Resource
from victor_ext._runtime.client.runners import OperationFlow
from victor_ext._runtime.loop.flow import Sleep
from victor_ext.errors import InvalidRequest, NotFound, Problem
from victor_ext.typed import Query, Request

from ._operations import Receipt
from ._reading import ListOrder, lists, read, reads, response_to


class _SourceAccountFlows(Resource):
    """The flows behind the generated methods."""

    _list = lists(SourceAccount)
    _get = reads(SourceAccount)

    def _fund(self, request: Request) -> OperationFlow[Receipt]:
        amount = request.by_hand["amount"]
        with Query("The funding") as check:
            check.problems += request.check.problems
            check.money("amount", amount, 1, 9_999_999_999)
        account = yield from read(PACKAGE.call(get_source_account, **request.path), SourceAccount)
        if account.currency != amount.currency:
            asked = request.path["source_account_id"]
            message = (
                f"amount is in {amount.currency}, and source account {asked} has "
                f"{account.currency}."
            )
            raise InvalidRequest.of([Problem("amount", "currency", message)])
        request.body["amount"] = amount.minor_units
        return Receipt.of((yield from response_to(request)))


class SourceAccounts(methods.SourceAccounts[Receipt], _SourceAccountFlows):
    """The accounts that payouts are paid from, with their balances.

    Errors and filters are those of `Payees`.
    """


class AsyncSourceAccounts(methods.AsyncSourceAccounts[Receipt], _SourceAccountFlows):
    """The same operations, awaited."""


class _FundingAccountFlows(Resource):
    """The flows behind the generated methods."""

    _list = lists(FundingAccount)
    _get = reads(FundingAccount)

    def _create(self, request: Request) -> OperationFlow[Receipt]:
        return Receipt.of((yield from response_to(request)))

    def _wait(self, receipt: Receipt, *, timeout: float) -> OperationFlow[FundingAccount]:
        known = isinstance(receipt, Receipt)  # pyright: ignore[reportUnnecessaryIsInstance] - any
        receipt_id = receipt.id if known else None
        with Query("The funding account") as check:
            check.form("receipt.id", receipt_id, PACKAGE.forms["id"])
        seconds = checked_seconds(timeout)
        pause = min(receipt.retry_after or 0.0, seconds)
        yield Sleep(pause, is_between_reads=True)
        account_or_none = yield from poll(
            self._shared,
            lambda left: _read_if_exists(receipt.id, left),
            lambda account: account is not None,
            goal=f"Funding account {receipt.id} was not created",
            advice="Wait again, or read it later.",
            timeout=seconds - pause,
            describe=lambda _: "still missing",
        )
        assert account_or_none is not None
        return account_or_none


class FundingAccounts(methods.FundingAccounts[Receipt], _FundingAccountFlows):
    """The payor's bank accounts that fund source accounts. Errors and filters are those of
    `Payees`.

    `account_type` is Velo's `type`. `sensitive=True` asks for unmasked numbers, which the key has
    to be allowed to see.
    """


class AsyncFundingAccounts(methods.AsyncFundingAccounts[Receipt], _FundingAccountFlows):
    """The same operations, awaited."""


def _read_if_exists(
    funding_account_id: str, seconds: float | None
) -> OperationFlow[FundingAccount | None]:
    call = PACKAGE.call(get_funding_account, funding_account_id=funding_account_id)
    try:
        return (yield from read(call, FundingAccount, seconds))
    except NotFound:
        return None


class _FundingFlows(Resource):
    """The flows behind the generated methods."""

    _get = reads(Funding)
    _list = lists(
        FundingEntry,
        lambda entry: entry.events[0].id if entry.events else "",
        order=ListOrder("dateTime:asc"),  # without a `sort`, Velo has no order for them
    )
    _changes = lists(FundingChange, is_feed=True)


class Fundings(methods.Fundings, _FundingFlows):
    """Money that was, or will be, paid into source accounts.

    Errors and filters are those of `Payees`.
    """


class AsyncFundings(methods.AsyncFundings, _FundingFlows):
    """The same operations, awaited."""
