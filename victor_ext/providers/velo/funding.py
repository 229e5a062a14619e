"""`velo.funding_accounts` and `velo.fundings`: the banks that money comes from, and the money that came."""

from __future__ import annotations

from datetime import datetime

from victor_ext.errors import InvalidRequest, NotFound, Problem
from victor_ext.redaction import concealed_account, kind_of
from victor_ext.runtime.client.polling import checked_seconds
from victor_ext.runtime.client.resources import Mode, Resource, Walk, listing, operation
from victor_ext.runtime.client.runners import OperationFlow, answer_to, call, drop_none
from victor_ext.runtime.loop.flow import Sleep

from . import pages
from .checks import Findings, moment_to_wire
from .polling import wait_until
from .receipts import receipt_of
from .records import Funding, FundingAccount, FundingChange, Receipt

_API = "velo_api.api.funding"


class FundingAccounts(Resource[Mode]):
    """The payor's bank accounts that money comes from."""

    @listing
    def list(
        self,
        *,
        payor_id: str | None = None,
        name: str | None = None,
        country: str | None = None,
        currency: str | None = None,
        account_type: str | None = None,
        sensitive: bool | None = None,
        sort: str | None = None,
        page_size: int | None = None,
    ) -> Walk[FundingAccount]:
        """The funding accounts, read page by page as they are walked; `account_type` is Velo's `type`."""
        findings = Findings()
        findings.one_id("payor_id", payor_id, required=False)
        for field, value in {"name": name, "country": country, "currency": currency, "type": account_type}.items():
            findings.text(field, value, 255, required=False)
        findings.flag("sensitive", sensitive)
        findings.page_size(page_size, 100)
        findings.sort(sort)
        findings.finish("The list of funding accounts")
        arguments = drop_none(
            payor_id=payor_id, name=name, country=country, currency=currency, type_=account_type,
            sensitive=sensitive, sort=sort, page_size=page_size,
        )  # fmt: skip
        return pages.walk(
            f"{_API}.list_funding_accounts", "FundingAccountPage", FundingAccount,
            lambda account: account.id or None, "list of funding accounts", arguments,
        )  # fmt: skip

    @operation
    def get(self, funding_account_id: str, *, sensitive: bool | None = None) -> OperationFlow[FundingAccount]:
        """One funding account. With `sensitive=True` its numbers come unmasked, if the key may see them."""
        return (yield from _read_account(funding_account_id, None, sensitive=sensitive))

    @operation
    def create(
        self,
        *,
        payor_id: str,
        name: str,
        account_type: str,
        account_name: str | None = None,
        account_number: str | None = None,
        routing_number: str | None = None,
        currency: str | None = None,
    ) -> OperationFlow[Receipt]:
        """Have a bank account taken into work as a funding account; the receipt says when to look.

        Args:
            payor_id: Whose account it is.
            name: What it is called, 3 to 30 characters.
            account_type: `FBO`, `WUBS_DECOUPLED` or `PRIVATE`; others may come. Which of the rest is needed depends
                on it.
            account_name: The name on the account, up to 22 characters.
            account_number: 4 to 17 characters.
            routing_number: 6 to 9 characters.
            currency: Three capital letters (ISO 4217).
        """
        account_number, routing_number = concealed_account(account_number), concealed_account(routing_number)
        findings = Findings()
        findings.one_id("payor_id", payor_id)
        findings.text("name", name, 30, shortest=3)
        findings.text("account_type", account_type, 40)
        findings.text("account_name", account_name, 22, required=False)
        findings.text("account_number", account_number, 17, shortest=4, required=False)
        findings.text("routing_number", routing_number, 9, shortest=6, required=False)
        findings.capitals("currency", currency, 3, required=False)
        findings.finish("The funding account")
        from velo_api.models import NewFundingAccount  # noqa: PLC0415 - loaded when first called

        body = NewFundingAccount(
            type_=account_type,
            name=name,
            payor_id=payor_id,
            **drop_none(
                account_name=account_name,
                account_number=account_number,
                routing_number=routing_number,
                currency=currency,
            ),
        )
        return receipt_of((yield from answer_to(f"{_API}.create_funding_account", body=body)))

    @operation
    def wait(self, receipt: Receipt, *, timeout: float = 300.0) -> OperationFlow[FundingAccount]:
        """Wait as long as the receipt of `create` says, then read now and again until the account is there.

        Velo's document calls what the receipt names a status object; that its id is the account's is taken for granted
        here, and not known. If it is not, find the account with `list(payor_id=..., name=...)`.

        Raises:
            TimedOut: It was not there in so many seconds.
        """
        given: object = receipt
        if not isinstance(given, Receipt):
            message = f"receipt is of type {kind_of(given)}: pass what create(...) returned."
            raise InvalidRequest.of([Problem("receipt", "type", message)])
        seconds = checked_seconds(timeout)
        ends = self.clock.monotonic() + seconds
        yield Sleep(min(receipt.retry_after or 0.0, seconds))
        found = yield from wait_until(
            self,
            lambda left: _if_there(receipt.id, left),
            lambda account: account is not None,
            what=f"Funding account {receipt.id}",
            timeout=max(0.0, ends - self.clock.monotonic()),
        )
        assert found is not None  # noqa: S101 - that is what was waited for
        return found


class Fundings(Resource[Mode]):
    """Money that came, or is to come, into source accounts."""

    @operation
    def get(self, funding_id: str) -> OperationFlow[Funding]:
        """One funding."""
        findings = Findings()
        findings.one_id("funding_id", funding_id)
        findings.finish("The funding")
        from velo_api import models  # noqa: PLC0415 - loaded when first called

        return Funding((yield from call(f"{_API}.get_funding", models.Funding, funding_id=funding_id)))

    @listing
    def changes(self, payor_id: str, *, since: datetime, page_size: int | None = None) -> Walk[FundingChange]:
        """The fundings of a payor that changed since a moment; see `payees.changes`. `page_size` is 1 to 100."""
        findings = Findings()
        findings.one_id("payor_id", payor_id)
        findings.moment("since", since)
        findings.page_size(page_size, 100)
        findings.finish("The changes of fundings")
        return pages.changes(
            f"{_API}.list_funding_changes", "FundingChangePage", FundingChange, lambda change: change.funding_id,
            "feed of fundings", payor_id=payor_id, updated_since=moment_to_wire(since),
            **drop_none(page_size=page_size),
        )  # fmt: skip


def _read_account(
    funding_account_id: str, seconds: float | None, *, sensitive: bool | None = None
) -> OperationFlow[FundingAccount]:
    findings = Findings()
    findings.one_id("funding_account_id", funding_account_id)
    findings.flag("sensitive", sensitive)
    findings.finish("The funding account")
    from velo_api import models  # noqa: PLC0415 - loaded when first called

    arguments = drop_none(funding_account_id=funding_account_id, sensitive=sensitive)
    return FundingAccount((yield from call(f"{_API}.get_funding_account", models.FundingAccount, seconds, **arguments)))


def _if_there(funding_account_id: str, seconds: float | None) -> OperationFlow[FundingAccount | None]:
    try:
        return (yield from _read_account(funding_account_id, seconds))
    except NotFound:
        return None
