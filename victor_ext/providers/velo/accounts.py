"""`velo.source_accounts`, `velo.funding_accounts` and `velo.fundings`: the money that payouts are
paid from.
"""

from __future__ import annotations

from velo_api import models
from velo_api.api.source_accounts import request_funding
from velo_api.typed import arguments
from velo_api.typed.records import (
    Funding,
    FundingAccount,
    FundingChange,
    FundingEntry,
    SourceAccount,
)

from victor_ext.errors import InvalidRequest, NotFound, Problem
from victor_ext.money import Money
from victor_ext.runtime.client.polling import checked_seconds, poll
from victor_ext.runtime.client.resources import Mode, Resource, arguments_of, operation
from victor_ext.runtime.client.runners import OperationFlow, call_without_body
from victor_ext.runtime.loop.flow import Sleep
from victor_ext.typed import Query, Request

from .operations import Receipt
from .reading import ListOrder, lists, read, reads, response_to


class SourceAccounts(Resource[Mode]):
    """The accounts that payouts are paid from, with their balances.

    Errors and filters are those of `Payees`.
    """

    list = lists(arguments.list_source_accounts, SourceAccount)

    get = reads(arguments.get_source_account, SourceAccount)

    @operation
    def fund(
        self, source_account_id: str, *, funding_account_id: str, amount: Money
    ) -> OperationFlow[Receipt]:
        """Ask for money to be moved from the payor's bank into the account. This moves money, and
        takes no key.

        It comes from the payor's bank account `funding_account_id`. The request carries a number
        without a currency, which means the account's own. So the account is read first, and an
        amount in another currency is refused here. The request is sent once: after a lost response,
        look with `fundings.changes(payor_id, since=...)`.

        Examples:
            >>> bank, amount = funding_account_id, Money.of("1000.00", "USD")
            >>> receipt = velo.source_accounts.fund(
            ...     source_account_id, funding_account_id=bank, amount=amount
            ... )
        """
        with Query("The funding") as check:
            check.form("funding_account_id", funding_account_id, arguments.PACKAGE.forms["id"])
            check.form("source_account_id", source_account_id, arguments.PACKAGE.forms["id"])
            check.money("amount", amount, 1, 9_999_999_999)
        account = yield from SourceAccounts.get.flow(self, source_account_id)
        if account.currency != amount.currency:
            message = (
                f"amount is in {amount.currency}, and source account {source_account_id} "
                f"has {account.currency}."
            )
            raise InvalidRequest.of([Problem("amount", "currency", message)])
        body = models.FundingRequest(
            funding_account_id=funding_account_id, amount=amount.minor_units
        )
        response = yield from call_without_body(
            request_funding, source_account_id=source_account_id, body=body
        )
        return Receipt.of(response)


class FundingAccounts(Resource[Mode]):
    """The payor's bank accounts that fund source accounts. Errors and filters are those of
    `Payees`.

    `account_type` is Velo's `type`. `sensitive=True` asks for unmasked numbers, which the key has
    to be allowed to see.
    """

    list = lists(arguments.list_funding_accounts, FundingAccount)

    get = reads(arguments.get_funding_account, FundingAccount)

    @operation
    @arguments_of(arguments.create_funding_account)
    def create(self, request: Request) -> OperationFlow[Receipt]:
        return Receipt.of((yield from response_to(request)))

    @operation
    def wait(self, receipt: Receipt, *, timeout: float = 300.0) -> OperationFlow[FundingAccount]:
        """Wait for as long as the receipt of `create` says, then read repeatedly until the account
        exists.

        Velo's document calls what the receipt names a status object. That its id is the account's
        is an assumption; if it does not hold, find the account with `list(payor_id=..., name=...)`.

        Raises:
            TimedOut: The account did not exist in `timeout` seconds; 0 reads once.

        Examples:
            >>> velo.funding_accounts.wait(receipt, timeout=30).name
            'Second bank'
        """
        known = isinstance(receipt, Receipt)  # pyright: ignore[reportUnnecessaryIsInstance] - any
        receipt_id = receipt.id if known else None
        with Query("The funding account") as check:
            check.form("receipt.id", receipt_id, arguments.PACKAGE.forms["id"])
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


def _read_if_exists(
    funding_account_id: str, seconds: float | None
) -> OperationFlow[FundingAccount | None]:
    call = arguments.get_funding_account(funding_account_id)
    try:
        return (yield from read(call, FundingAccount, seconds))
    except NotFound:
        return None


class Fundings(Resource[Mode]):
    """Money that was, or will be, paid into source accounts.

    Errors and filters are those of `Payees`.
    """

    get = reads(arguments.get_funding, Funding)

    list = lists(
        arguments.list_fundings,
        FundingEntry,
        lambda entry: entry.events[0].id if entry.events else "",
        order=ListOrder("dateTime:asc"),  # without a `sort`, Velo has no order for them
    )

    changes = lists(arguments.list_funding_changes, FundingChange, is_feed=True)
