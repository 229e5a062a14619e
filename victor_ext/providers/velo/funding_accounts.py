"""`velo.funding_accounts`: the payor's bank accounts that fund source accounts."""

from __future__ import annotations

from velo_api import models
from velo_api.api.funding import create_funding_account, get_funding_account, list_funding_accounts

from victor_ext.errors import InvalidRequest, NotFound, Problem
from victor_ext.privacy import concealed_account, kind_of
from victor_ext.runtime.client.polling import checked_seconds, poll
from victor_ext.runtime.client.resources import Mode, Resource, Walk, arguments_of, listing, operation
from victor_ext.runtime.client.runners import OperationFlow, call, call_without_body, drop_none
from victor_ext.runtime.loop.flow import Sleep

from .checks import Validation
from .lists import FundingAccountList
from .paging import walk
from .records import FundingAccount, Receipt
from .words import FundingAccountTypeWord


class FundingAccounts(Resource[Mode]):
    """The payor's bank accounts that fund source accounts."""

    @listing
    @arguments_of(FundingAccountList)
    def list(self, request: FundingAccountList) -> Walk[FundingAccount]:
        """The funding accounts, read page by page as they are iterated.

        The filters have Velo's names (`account_type` is its `type`); one that is None is not sent. `page_size` is 1 to
        100. `sensitive=True` asks for unmasked numbers, which the key has to be allowed to see.
        """
        arguments, what = request.arguments("The list of funding accounts"), "list of funding accounts"
        return walk(list_funding_accounts, FundingAccount, lambda account: account.id, what, arguments)

    @operation
    def get(self, funding_account_id: str, *, sensitive: bool | None = None) -> OperationFlow[FundingAccount]:
        """Read one funding account. `sensitive=True` asks for unmasked numbers, if the key is allowed to see them."""
        return (yield from _read_account(funding_account_id, None, sensitive=sensitive))

    @operation
    def create(
        self,
        *,
        payor_id: str,
        name: str,
        account_type: FundingAccountTypeWord,
        account_name: str | None = None,
        account_number: str | None = None,
        routing_number: str | None = None,
        currency: str | None = None,
    ) -> OperationFlow[Receipt]:
        """Register a bank account as a funding account. Velo finishes it later: `wait` for it.

        Velo takes no idempotency key, so the request is sent once. After a lost response, look with
        `list(payor_id=..., name=...)`.

        Args:
            payor_id: The payor that the account belongs to.
            name: Its name at Velo, 3 to 30 characters.
            account_type: `FBO`, `WUBS_DECOUPLED` or `PRIVATE`; others may come. Which of the rest is needed depends
                on it.
            account_name: The name on the account, up to 22 characters.
            account_number: 4 to 17 characters.
            routing_number: 6 to 9 characters.
            currency: Three capital letters (ISO 4217).

        Raises:
            InvalidRequest: An argument breaks a rule; nothing was sent.
            VictorError: Anything else; its `outcome` says whether the account may have been registered.
        """
        account_number, routing_number = concealed_account(account_number), concealed_account(routing_number)
        validation = Validation()
        body = models.NewFundingAccount(
            payor_id=validation.id("payor_id", payor_id),
            name=validation.text("name", name, 30, shortest=3),
            type_=validation.text("account_type", account_type, 40),
            **drop_none(
                account_name=validation.text("account_name", account_name, 22, required=False),
                account_number=validation.text("account_number", account_number, 17, shortest=4, required=False),
                routing_number=validation.text("routing_number", routing_number, 9, shortest=6, required=False),
                currency=validation.capitals("currency", currency, 3, required=False),
            ),
        )
        validation.finish("The funding account")
        return Receipt.of((yield from call_without_body(create_funding_account, body=body)))

    @operation
    def wait(self, receipt: Receipt, *, timeout: float = 300.0) -> OperationFlow[FundingAccount]:
        """Wait for as long as the receipt of `create` says, then read repeatedly until the account exists.

        Velo's document calls what the receipt names a status object. That its id is the account's is an assumption; if
        it does not hold, find the account with `list(payor_id=..., name=...)`.

        Args:
            receipt: What `create` returned.
            timeout: Seconds to wait in all; 0 reads once.

        Raises:
            InvalidRequest: It is not a receipt.
            TimedOut: The account did not exist in that time.
        """
        if not isinstance(receipt, Receipt):  # pyright: ignore[reportUnnecessaryIsInstance]
            message = f"receipt is of type {kind_of(receipt)}: pass what create(...) returned."
            raise InvalidRequest.of([Problem("receipt", "type", message)])
        seconds = checked_seconds(timeout)
        ends = self.clock.monotonic() + seconds
        yield Sleep(min(receipt.retry_after or 0.0, seconds))
        account_or_none = yield from poll(
            self,
            lambda left: _read_if_exists(receipt.id, left),
            lambda account: account is not None,
            goal=f"Funding account {receipt.id} was not created",
            advice="Wait again, or read it later.",
            timeout=max(0.0, ends - self.clock.monotonic()),
            describe=lambda account: "still missing" if account is None else repr(account),
        )
        assert account_or_none is not None
        return account_or_none


def _read_account(
    funding_account_id: str, seconds: float | None, *, sensitive: bool | None = None
) -> OperationFlow[FundingAccount]:
    validation = Validation()
    arguments = drop_none(
        funding_account_id=validation.id("funding_account_id", funding_account_id),
        sensitive=validation.flag("sensitive", sensitive),
    )
    validation.finish("The funding account")
    return FundingAccount((yield from call(get_funding_account, models.FundingAccount, seconds, **arguments)))


def _read_if_exists(funding_account_id: str, seconds: float | None) -> OperationFlow[FundingAccount | None]:
    try:
        return (yield from _read_account(funding_account_id, seconds))
    except NotFound:
        return None
