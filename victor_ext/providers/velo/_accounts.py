"""`velo.source_accounts`, `velo.funding_accounts` and `velo.fundings`: the money that payouts are
paid from.
"""

from __future__ import annotations

from velo_api.api.source_accounts import get_source_account
from velo_api.typed import methods
from velo_api.typed.arguments import PACKAGE
from velo_api.typed.records import (
    Funding,
    FundingAccount,
    FundingChange,
    SourceAccount,
)

from victor_ext._runtime.client.resources import Resource
from victor_ext._runtime.client.runners import OperationFlow
from victor_ext.errors import InvalidRequest, Problem
from victor_ext.typed import Query, Request

from ._operations import created_id
from ._reading import lists, read, reads, response_to


class _SourceAccountFlows(Resource):
    """The flows behind the generated methods."""

    _list = lists(SourceAccount)
    _get = reads(SourceAccount)

    def _fund(self, request: Request) -> OperationFlow[str]:
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
        return created_id((yield from response_to(request))) or ""


class SourceAccounts(methods.SourceAccounts, _SourceAccountFlows):
    """The accounts that payouts are paid from, with their balances.

    Errors and filters are those of `Payees`.
    """


class AsyncSourceAccounts(methods.AsyncSourceAccounts, _SourceAccountFlows):
    """The same operations, awaited."""


class _FundingAccountFlows(Resource):
    """The flows behind the generated methods."""

    _list = lists(FundingAccount)


class FundingAccounts(methods.FundingAccounts, _FundingAccountFlows):
    """The payor's bank accounts that fund source accounts. Errors and filters are those of
    `Payees`.

    `account_type` is Velo's `type`. `sensitive=True` asks for unmasked numbers, which the key has
    to be allowed to see.
    """


class AsyncFundingAccounts(methods.AsyncFundingAccounts, _FundingAccountFlows):
    """The same operations, awaited."""


class _FundingFlows(Resource):
    """The flows behind the generated methods."""

    _get = reads(Funding)
    _changes = lists(FundingChange, is_feed=True)


class Fundings(methods.Fundings, _FundingFlows):
    """Money that was, or will be, paid into source accounts.

    Errors and filters are those of `Payees`.
    """


class AsyncFundings(methods.AsyncFundings, _FundingFlows):
    """The same operations, awaited."""
