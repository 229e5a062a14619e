"""`velo.source_accounts`: the accounts that payouts are paid from, and money for them."""

from __future__ import annotations

from victor_ext.errors import InvalidRequest, Problem
from victor_ext.money import Money
from victor_ext.runtime.client.resources import Mode, Resource, Walk, listing, operation
from victor_ext.runtime.client.runners import OperationFlow, answer_to, call, drop_none

from . import pages
from .checks import Findings
from .receipts import receipt_of
from .records import Receipt, SourceAccount

_API = "velo_api.api.source_accounts"
_MOST_FUNDING = 9_999_999_999
"""Minor units that one request for funding may ask for."""


class SourceAccounts(Resource[Mode]):
    """The accounts that payouts are paid from, with their balances."""

    @listing
    def list(
        self,
        *,
        payor_id: str | None = None,
        physical_account_id: str | None = None,
        physical_account_name: str | None = None,
        funding_account_id: str | None = None,
        account_type: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
    ) -> Walk[SourceAccount]:
        """The source accounts, read page by page as they are walked; `account_type` is Velo's `type`."""
        findings = Findings()
        findings.one_id("payor_id", payor_id, required=False)
        findings.one_id("physical_account_id", physical_account_id, required=False)
        findings.one_id("funding_account_id", funding_account_id, required=False)
        findings.text("physical_account_name", physical_account_name, 255, required=False)
        findings.text("account_type", account_type, 40, required=False)
        findings.page_size(page_size, 100)
        findings.sort(sort)
        findings.finish("The list of source accounts")
        arguments = drop_none(
            payor_id=payor_id, physical_account_id=physical_account_id, physical_account_name=physical_account_name,
            funding_account_id=funding_account_id, type_=account_type, sort=sort, page_size=page_size,
        )  # fmt: skip
        return pages.walk(
            f"{_API}.list_source_accounts", "SourceAccountPage", SourceAccount,
            lambda account: account.id or None, "list of source accounts", arguments,
        )  # fmt: skip

    @operation
    def get(self, source_account_id: str) -> OperationFlow[SourceAccount]:
        """One source account, with its balance."""
        findings = Findings()
        findings.one_id("source_account_id", source_account_id)
        findings.finish("The source account")
        from velo_api import models  # noqa: PLC0415 - loaded when first called

        found = yield from call(f"{_API}.get_source_account", models.SourceAccount, source_account_id=source_account_id)
        return SourceAccount(found)

    @operation
    def fund(self, source_account_id: str, *, funding_account_id: str, amount: Money) -> OperationFlow[Receipt]:
        """Ask for money to be moved from the payor's bank into the account. This moves money, and takes no key.

        What goes to Velo is a bare number: it means the account's own currency. So the account is read first, and an
        amount of another currency is refused here. The request itself is sent once: after a lost answer look with
        `fundings.changes(payor_id, since=...)`.

        Raises:
            InvalidRequest: An argument cannot be right, or the currency is not the account's; nothing was asked for.
        """
        findings = Findings()
        findings.one_id("funding_account_id", funding_account_id)
        findings.one_id("source_account_id", source_account_id)
        findings.money("amount", amount, largest=_MOST_FUNDING)
        findings.finish("The funding")
        account = yield from SourceAccounts.get.flow(self, source_account_id)
        if account.currency != amount.currency:
            message = (
                f"amount is in {amount.currency}, and source account {source_account_id} has "
                f"{account.currency or 'a currency that Velo did not name'}: ask for an amount of that currency."
            )
            raise InvalidRequest.of([Problem("amount", "currency", message)])
        from velo_api.models import FundingRequest  # noqa: PLC0415 - loaded when first called

        body = FundingRequest(funding_account_id=funding_account_id, amount=amount.minor_units)
        answer = yield from answer_to(f"{_API}.request_funding", source_account_id=source_account_id, body=body)
        return receipt_of(answer)
