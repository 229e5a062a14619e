"""`velo.source_accounts`: the accounts that payouts are paid from."""

from __future__ import annotations

from velo_api import models
from velo_api.api.source_accounts import get_source_account, list_source_accounts, request_funding

from victor_ext.errors import InvalidRequest, Problem
from victor_ext.money import Money
from victor_ext.runtime.client.resources import Mode, Resource, Walk, arguments_of, listing, operation
from victor_ext.runtime.client.runners import OperationFlow, call, call_without_body

from .checks import Validation, check_id
from .lists import SourceAccountList
from .paging import walk
from .records import Receipt, SourceAccount

_MOST_FUNDING = 9_999_999_999
"""Minor units that one request for funding may ask for."""


class SourceAccounts(Resource[Mode]):
    """The accounts that payouts are paid from, with their balances."""

    @listing
    @arguments_of(SourceAccountList)
    def list(self, request: SourceAccountList) -> Walk[SourceAccount]:
        """The source accounts, read page by page as they are iterated.

        The filters have Velo's names (`account_type` is its `type`); one that is None is not sent.

        Args:
            include_user_deleted: True asks for the accounts that users have deleted, too.
            sort: Fields and directions, such as `name:asc`.
            page_size: 1 to 100; Velo's default is 25.
        """
        arguments, what = request.arguments("The list of source accounts"), "list of source accounts"
        return walk(list_source_accounts, SourceAccount, lambda account: account.id, what, arguments)

    @operation
    def get(self, source_account_id: str) -> OperationFlow[SourceAccount]:
        """Read one source account, with its balance."""
        check_id("source_account_id", source_account_id, "The source account")
        return SourceAccount(
            (yield from call(get_source_account, models.SourceAccount, source_account_id=source_account_id))
        )

    @operation
    def fund(self, source_account_id: str, *, funding_account_id: str, amount: Money) -> OperationFlow[Receipt]:
        """Ask for money to be moved from the payor's bank into the account. This moves money, and takes no key.

        Args:
            source_account_id: The account that gets the money.
            funding_account_id: The payor's bank account that it comes from.
            amount: How much, in the currency of the source account.

        The request carries a number without a currency, which means the account's own. So the account is read first,
        and an amount in another currency is refused here. The request is sent once: after a lost response, look with
        `fundings.changes(payor_id, since=...)`.

        Raises:
            InvalidRequest: An argument cannot be right, or the currency is not the account's; nothing was asked for.
            VictorError: Anything else; its `outcome` says whether the money may have been asked for.
        """
        validation = Validation()
        validation.id("funding_account_id", funding_account_id)
        validation.id("source_account_id", source_account_id)
        validation.money("amount", amount, largest=_MOST_FUNDING)
        validation.finish("The funding")
        account = yield from SourceAccounts.get.flow(self, source_account_id)
        if account.currency != amount.currency:
            message = (
                f"amount is in {amount.currency}, and source account {source_account_id} has "
                f"{account.currency or 'a currency that Velo did not name'}: ask for an amount of that currency."
            )
            raise InvalidRequest.of([Problem("amount", "currency", message)])
        body = models.FundingRequest(funding_account_id=funding_account_id, amount=amount.minor_units)
        response = yield from call_without_body(request_funding, source_account_id=source_account_id, body=body)
        return Receipt.of(response)
